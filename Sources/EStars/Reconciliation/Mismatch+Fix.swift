import Foundation
import Ledger
import Postgres
import Telegram

/// Why a mismatch stays as it is.
public enum MismatchRefusal: Error, Sendable, Equatable {
  case notFound
  /// Somebody has closed it meanwhile.
  case closed
  /// There is nothing to do about its kind but to look into it.
  case notFixable
  /// The ledger did not take it.
  case refused
}

extension Mismatch {
  /// Puts it right as Telegram's own update would have done: the payment is credited, the refund
  /// taken back. Money is keyed by its charge, so an update that comes later changes nothing.
  ///
  /// - Throws: ``MismatchRefusal``.
  @discardableResult
  public static func fix(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> Mismatch {
    guard let known = try await find(id: id, in: scope, platform.pool) else {
      throw MismatchRefusal.notFound
    }
    guard let bot = try await platform.directory.bot(known.botID) else {
      throw MismatchRefusal.notFixable
    }
    do {
      return try await fix(known, bot, by: actor, in: scope, platform)
    } catch let problem as PaymentProblem {
      platform.logger.error(
        "a mismatch could not be put right",
        metadata: ["mismatch": "\(id)", "error": "\(problem.withoutValues)"])
      throw MismatchRefusal.refused
    }
  }

  private static func fix(
    _ known: Mismatch, _ bot: Bot, by actor: Actor, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> Mismatch {
    try await platform.pool.transaction(in: scope) { tx in
      let mismatch = try await tx.lockOpenMismatch(known.id, in: scope)
      let at = scope.now
      let wasUnknown =
        switch (mismatch.kind, mismatch.direction) {
        case (.paymentUnseen, _):
          try await tx.recordUnseenPayment(mismatch, bot, platform.secrets, in: scope, at: at)
        case (.refundUnseen, _):
          try await tx.recordUnseenRefund(mismatch, bot, in: scope, at: at)
        case (.creditsMissing, .incoming):
          try await tx.creditAgain(mismatch, bot, in: scope, at: at)
        case (.creditsMissing, .outgoing):
          try await tx.clawbackAgain(mismatch, in: scope, at: at)
        case (.amountDiffers, _), (.unknownPartner, _), (.notInTelegram, _):
          throw MismatchRefusal.notFixable
        }
      let by =
        switch actor.kind {
        case .operator: actor.name
        default: byRule
        }
      return try await tx.close(
        mismatch, as: .fixed, by: wasUnknown ? by : byTelegram, note: "", actor, in: scope, at: at)
    }
  }

  /// Leaves it as it is; the note says why.
  ///
  /// - Throws: ``MismatchRefusal``.
  @discardableResult
  public static func accept(
    _ id: Int64, note: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Mismatch {
    try await pool.transaction(in: scope) { tx in
      let mismatch = try await tx.lockOpenMismatch(id, in: scope)
      return try await tx.close(
        mismatch, as: .accepted, by: actor.name, note: note, actor, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  fileprivate func lockOpenMismatch(
    _ id: Int64, in scope: WorkspaceScope
  ) async throws -> Mismatch {
    guard
      let mismatch = try await query(
        """
        select * from mismatches
        where workspace_id = \(scope.workspaceID) and mismatch_id = \(id) for update
        """
      ).first.map(Mismatch.init)
    else { throw MismatchRefusal.notFound }
    guard mismatch.state == .open else { throw MismatchRefusal.closed }
    return mismatch
  }

  /// - Returns: Whether it was unknown until now.
  fileprivate func recordUnseenPayment(
    _ mismatch: Mismatch, _ bot: Bot, _ secrets: Secrets, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let charge = try await reportedCharge(of: mismatch, in: scope)
    let outcome = try await recordPayment(charge, to: bot, secrets, in: scope, at: at)
    return !outcome.isDuplicate
  }

  /// The payment as Telegram's own update would have told of it.
  func reportedCharge(
    of mismatch: Mismatch, in scope: WorkspaceScope
  ) async throws -> ReportedCharge {
    let line = try await bookLine(of: mismatch, in: scope)
    guard let payer = try line.getIfPresent("telegram_id", as: Int64.self),
      let kind = try line.getIfPresent("transaction_type", as: String.self),
      kind == "invoice_payment", mismatch.stars > 0
    else { throw MismatchRefusal.notFixable }
    let paidAt: Date = try line.get("at")
    let period: Int? = try line.getIfPresent("subscription_period")
    let payload: String = try line.getIfPresent("invoice_payload") ?? ""
    // Telegram's books do not say which payment began the subscription: the first of its invoice.
    let isFirst = try await query(
      """
      select not exists (select from star_transactions where workspace_id = \(scope.workspaceID)
        and bot_id = \(mismatch.botID) and direction = 'incoming' and invoice_payload = \(payload)
        and position < \(try line.get("position", as: Int64.self))) as is_first
      """)[0].get("is_first", as: Bool.self)
    return ReportedCharge(
      payment: SuccessfulPayment(
        currency: starsCurrency, totalAmount: mismatch.stars, invoicePayload: payload,
        telegramPaymentChargeID: mismatch.transactionID, providerPaymentChargeID: nil,
        subscriptionExpirationDate: period.map {
          Int64(paidAt.timeIntervalSince1970) + Int64($0)
        },
        isRecurring: period == nil ? nil : true,
        isFirstRecurring: period != nil && isFirst ? true : nil),
      buyerTelegramID: payer, buyerName: nil, paidAt: paidAt, source: .reconciliation)
  }

  fileprivate func recordUnseenRefund(
    _ mismatch: Mismatch, _ bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let line = try await bookLine(of: mismatch, in: scope)
    guard mismatch.stars > 0 else { throw MismatchRefusal.notFixable }
    let refund = RefundedPayment(
      currency: starsCurrency, totalAmount: mismatch.stars,
      invoicePayload: try line.getIfPresent("invoice_payload") ?? "",
      telegramPaymentChargeID: mismatch.transactionID)
    let outcome = try await recordRefund(
      refund, payerTelegramID: try line.getIfPresent("telegram_id"),
      refundedAt: try line.get("at"), by: bot, in: scope, at: at)
    return !outcome.isDuplicate
  }

  fileprivate func clawbackAgain(
    _ mismatch: Mismatch, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    try await lockCharge(mismatch.botID, mismatch.transactionID)
    let answer = try await clawback(
      mismatch.charge, key: "refund:\(mismatch.botID):\(mismatch.transactionID)",
      policy: try await refundDebtPolicy(in: scope), in: scope, at: at)
    guard [.applied, .replayed].contains(answer.status) else {
      throw PaymentProblem(description: "the clawback was answered \(answer.status.rawValue)")
    }
    return answer.status == .applied
  }

  private func bookLine(of mismatch: Mismatch, in scope: WorkspaceScope) async throws -> Row {
    guard
      let line = try await query(
        """
        select * from star_transactions where workspace_id = \(scope.workspaceID)
          and bot_id = \(mismatch.botID) and transaction_id = \(mismatch.transactionID)
          and direction = \(mismatch.direction.rawValue)
        """
      ).first
    else { throw MismatchRefusal.notFixable }
    return line
  }

  fileprivate func close(
    _ mismatch: Mismatch, as state: Mismatch.State, by name: String, note: String, _ actor: Actor,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Mismatch {
    let row = try await query(
      """
      update mismatches m set state = \(state.rawValue), closed_at = \(at), closed_by = \(name),
        note = \(note), customer_id = coalesce(m.customer_id,
          (select p.customer_id from payments p where p.workspace_id = m.workspace_id
            and p.bot_id = m.bot_id and p.charge_id = m.transaction_id))
      where m.workspace_id = \(scope.workspaceID) and m.mismatch_id = \(mismatch.id)
      returning *
      """)[0]
    try await execute(
      """
      update star_transactions set is_matched = true where workspace_id = \(scope.workspaceID)
        and bot_id = \(mismatch.botID) and transaction_id = \(mismatch.transactionID)
        and direction = \(mismatch.direction.rawValue)
      """)
    try await audit(
      actor, "mismatch.\(state.rawValue)", "mismatch", String(mismatch.id),
      after: ["kind": mismatch.kind.rawValue, "charge": mismatch.transactionID],
      reason: note.isEmpty ? nil : note, in: scope, at: at)
    return try Mismatch(row)
  }
}
