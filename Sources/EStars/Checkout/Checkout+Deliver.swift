import Foundation
import Ledger
import Postgres
import Telegram

extension Checkout {
  private var invoice: InvoiceRequest {
    InvoiceRequest(
      title: String(title.prefix(32)), description: String(description.prefix(255)),
      payload: payload ?? "", price: LabeledPrice(label: title, amount: stars),
      startParameter: "pack-\(sku)", subscriptionPeriodSeconds: periodSeconds)
  }

  /// The checkout with its link, which Telegram is asked for once: a second link would be as good.
  func linked(
    with bot: Bot, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> Checkout {
    if invoiceLink != nil { return self }
    let link: String
    do {
      link = try await platform.telegram(for: bot).createInvoiceLink(invoice)
    } catch let error as TelegramError {
      throw error.isTransient
        ? Refusal.telegram(error.description) : Refusal.telegramRefused(error.description)
    }
    return try await platform.pool.query(
      """
      update checkouts set invoice_link = coalesce(invoice_link, \(link))
      where workspace_id = \(scope.workspaceID) and checkout_id = \(id)
      returning *
      """, in: scope
    ).map(Checkout.init)[0]
  }

  /// The checkout with its invoice in the chat. Where Telegram does not say what came of a sending,
  /// the same request sends it once more and then lets it rest: two copies of one invoice can be paid
  /// once, and a third would only be a nuisance.
  func sent(
    to telegramID: Int64, with bot: Bot, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> Checkout {
    guard let claimed = try await claimSending(in: scope, platform.pool) else {
      guard let now = try await Checkout.find(id: id, in: scope, platform.pool) else { return self }
      if now.state == .cancelled, now.stateReason == Self.notDelivered {
        throw Refusal.unreachable("the invoice of this request was not delivered")
      }
      let isSettled =
        now.messageID != nil || now.sendAttempts >= Limits.invoiceSendings || !now.state.isOpen
      guard isSettled else { throw Refusal.beingSent }
      return now
    }
    do {
      let message = try await platform.telegram(for: bot).sendInvoice(
        to: telegramID, claimed.invoice, timeout: .seconds(Limits.invoiceCallSeconds))
      return try await claimed.noteSending(
        "message_id = \(message.messageID)", in: scope, platform.pool)
    } catch let error as TelegramError {
      throw try await claimed.refusal(of: error, in: scope, platform.pool)
    } catch is CancellationError {
      // The client went away in the middle of the call: nobody knows.
      _ = try await Task { try await claimed.noteSending(nil, in: scope, platform.pool) }.value
      throw CancellationError()
    }
  }

  static let notDelivered = "not_delivered"

  /// Takes the right to send the invoice; nil where it is there, is being sent or was sent often
  /// enough. The attempt counts from now on, so that a crash counts as one whose outcome is unknown.
  private func claimSending(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Checkout? {
    try await pool.query(
      """
      update checkouts set send_attempts = send_attempts + 1, sending_at = now()
      where workspace_id = \(scope.workspaceID) and checkout_id = \(id) and message_id is null
        and state in ('pending', 'validating', 'rejected')
        and send_attempts < \(Limits.invoiceSendings)
        and (sending_at is null
          or sending_at < now() - make_interval(secs => \(Limits.invoiceSendingSeconds)::int))
      returning *
      """, in: scope
    ).first.map(Checkout.init)
  }

  private func noteSending(
    _ change: SQL?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Checkout {
    let change: SQL = change.map { ", \($0)" } ?? ""
    return try await pool.query(
      """
      update checkouts set sending_at = null \(change)
      where workspace_id = \(scope.workspaceID) and checkout_id = \(id)
      returning *
      """, in: scope
    ).map(Checkout.init)[0]
  }

  /// What a sending that failed means to whoever asked for it.
  private func refusal(
    of error: TelegramError, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Refusal {
    switch error {
    case .unknownOutcome:
      _ = try await noteSending(nil, in: scope, pool)
      return .telegram(error.description)
    case .notSent, .api(429, _, _):
      _ = try await noteSending("send_attempts = send_attempts - 1", in: scope, pool)
      return .telegram(error.description)
    case .api(let code, let description, _):
      let notSent = try await noteSending(
        "send_attempts = send_attempts - 1", in: scope, pool)
      // A copy that was sent without Telegram's word may be there all the same.
      guard code == 403 || description.contains("chat not found"), notSent.sendAttempts == 0 else {
        return .telegramRefused(error.description)
      }
      try await pool.transaction(in: scope) { tx in
        guard let now = try await tx.lockCheckout(id, in: scope), now.state.isOpen else { return }
        try await tx.step(now, to: .cancelled, Self.notDelivered, in: scope, at: scope.now)
      }
      return .unreachable(error.description)
    }
  }
}

extension Transaction {
  func lockCheckout(_ id: Int64, in scope: WorkspaceScope) async throws -> Checkout? {
    try await query(
      """
      select * from checkouts where workspace_id = \(scope.workspaceID) and checkout_id = \(id)
      for update
      """
    ).first.map(Checkout.init)
  }
}
