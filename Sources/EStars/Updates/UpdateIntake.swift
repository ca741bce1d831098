import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Takes a bot's updates in: pre-checkouts are answered at once, everything else is stored before
/// it is acknowledged and, where it moves money, processed in the same transaction.
public struct UpdateIntake: Sendable {
  public enum Handled: Sendable, Equatable {
    case preCheckout(queryID: String, PreCheckout.Verdict, BuyerLanguage)
    case stored(outcome: String, paymentID: Int64?, isDuplicate: Bool)
  }

  public enum Refusal: Error, Sendable, Equatable {
    /// The body is no update; the text says what is wrong with it.
    case malformed(String)
    /// It cannot be processed now, and another update waits in the inbox under its id.
    case occupied
  }

  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// - Parameters:
  ///   - body: At most ``Limits/jsonBodyBytes`` of valid JSON, checked by the caller.
  ///   - relaying: Whether it is to be handed on to the bot's own handler.
  /// - Throws: ``Refusal``; a `PostgresError` when the update could not be stored, in which case the
  ///   sender must try again.
  public func receive(
    _ body: String, for bot: Bot, in workspace: Workspace, scope: WorkspaceScope,
    relaying: Bool = false
  ) async throws -> Handled {
    let update: IncomingUpdate
    do {
      update = try JSONDecoder().decode(IncomingUpdate.self, from: Data(body.utf8))
    } catch let error as DecodingError {
      throw Refusal.malformed(error.plainWords)
    }
    if let query = update.preCheckoutQuery {
      let language = BuyerLanguage(of: query.from.languageCode, else: workspace.locale)
      guard PreCheckout.isOurs(query) else {
        return .preCheckout(queryID: query.id, .notOurs, language)
      }
      let catalog = try await platform.directory.catalog(of: workspace.id)
      let verdict = await platform.preCheckout.decide(
        query, for: bot, in: workspace, scope: scope, catalog)
      return .preCheckout(queryID: query.id, verdict, language)
    }
    // Whatever comes of it, the handler gets it as soon as it is stored.
    let queue = relaying ? UpdateRelay.subject(botID: bot.id, queue: update.queue) : nil
    defer { if let queue { platform.relay.startSoon(queue) } }
    do {
      let handled = try await platform.arrivals.submit(
        Arrival(update: update, body: body, bot: bot, relay: queue), in: scope)
      if !update.movesMoney, let news = AlertChat.news(in: body, to: bot) {
        try await AlertChat.hear(news, by: bot, in: scope, platform.pool)
      }
      return handled
    } catch let error as CoalescerError {
      throw error
    } catch let error where !error.isOutage {
      platform.logger.error(
        "update left in the inbox",
        metadata: [
          "bot": "\(bot.id)", "update": "\(update.updateID)", "error": "\(error.withoutValues)",
        ])
      return try await keep(
        update, body, bot, scope, relay: queue, error: error.withoutValues)
    }
  }

  /// The update could not be processed: it waits in the inbox for the worker.
  private func keep(
    _ update: IncomingUpdate, _ body: String, _ bot: Bot, _ scope: WorkspaceScope,
    relay: String?, error: String
  ) async throws -> Handled {
    let at = scope.now
    let kept = try await platform.pool.transaction(in: scope) { tx in
      if let relay { try await Job.enqueue(.updatesRelay, subject: relay, in: scope, tx) }
      return try await tx.execute(
        """
        insert into updates as u (workspace_id, bot_id, update_id, kind, body, state, attempts,
          last_error, retry_at, received_at, relay_state, relay_queue, relay_at)
        values (\(scope.workspaceID), \(bot.id), \(update.updateID), \(update.kind), \(body),
          'pending', 1, \(String(error.prefix(500))), \(at.addingTimeInterval(5)), \(at),
          \(relay == nil ? nil : "due"), \(relay == nil ? nil : update.queue),
          \(relay == nil ? nil : at))
        on conflict (workspace_id, bot_id, update_id) do update set last_error = excluded.last_error
        where u.body = excluded.body
        """)
    }
    guard kept == 1 else { throw Refusal.occupied }
    if let charge = update.payment {
      await noteFailure(of: charge, bot, scope, at: at)
    }
    return .stored(outcome: "pending", paymentID: nil, isDuplicate: false)
  }

  /// A paid checkout whose booking failed says so until the worker has booked it. What is kept is the
  /// update; where this fails, too, nothing is lost but the word.
  private func noteFailure(
    of charge: ReportedCharge, _ bot: Bot, _ scope: WorkspaceScope, at: Date
  ) async {
    do {
      let payload = try InvoicePayload(
        charge.payment.invoicePayload, in: scope, platform.secrets)
      try await platform.pool.transaction(in: scope) { tx in
        try await tx.lockCharge(bot.id, charge.payment.telegramPaymentChargeID)
        guard let checkout = try await tx.lockCheckout(payload.checkoutID, in: scope),
          ![.completed, .failed].contains(checkout.state)
        else { return }
        if checkout.state != .processing {
          try await tx.step(
            checkout, to: .processing, checkout.state.paidReason, in: scope, at: at)
        }
        try await tx.step(checkout, to: .failed, "booking_failed", in: scope, at: at)
      }
    } catch is InvoicePayload.Problem {
      // Not sold here: there is no checkout that could say so.
    } catch {
      platform.logger.warning(
        "a failed booking is not on its checkout", metadata: ["error": "\(error.withoutValues)"])
    }
  }

  /// Tries the oldest waiting updates of a workspace again.
  ///
  /// - Returns: How many were processed.
  public func retryPending(in scope: WorkspaceScope) async throws -> Int {
    let at = scope.now
    let rows = try await platform.pool.query(
      """
      select bot_id, update_id, body, attempts from updates
      where workspace_id = \(scope.workspaceID) and state = 'pending' and retry_at <= \(at)
      order by retry_at limit 100
      """, in: scope)
    var processed = 0
    for row in rows {
      guard let bot = try await platform.directory.bot(row.get("bot_id")) else { continue }
      let updateID: Int64 = try row.get("update_id")
      let attempts: Int = try row.get("attempts")
      do {
        let body = try row.get("body", as: String.self)
        let update = try JSONDecoder().decode(IncomingUpdate.self, from: Data(body.utf8))
        try await platform.pool.transaction(in: scope) { tx in
          guard try await tx.lockPending(updateID, bot, in: scope) else { return }
          let outcome = try await tx.apply(update, bot, platform.secrets, in: scope, at: at)
          try await tx.finish(updateID, bot, outcome, in: scope, at: at)
        }
        processed += 1
      } catch let error where !error.isOutage {
        // It is tried every hour until its body is purged: there may be money in it.
        let wait = min(3600.0, 5 * pow(2, Double(min(attempts, 16))))
        platform.logger.log(
          level: wait < 3600 ? .warning : .error, "update still waits in the inbox",
          metadata: [
            "bot": "\(bot.id)", "update": "\(updateID)", "error": "\(error.withoutValues)",
          ])
        try await platform.pool.execute(
          """
          update updates set attempts = attempts + 1,
            last_error = \(String(error.withoutValues.prefix(500))),
            retry_at = \(at.addingTimeInterval(wait))
          where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
            and update_id = \(updateID) and state = 'pending'
          """, in: scope)
      }
    }
    return processed
  }
}

extension IncomingUpdate {
  /// Whether it says something of money or of what was bought, so that it is processed here.
  var movesMoney: Bool { payment != nil || refund != nil || renewal != nil }

  /// Bodies have no use here once their handler has them. These kinds alone are kept, for seven days
  /// at most: they tell of paid access and hold nobody's words. Money that could not be processed is
  /// kept for its own sake.
  var isKept: Bool {
    !movesMoney
      && ["subscription", "purchased_paid_media", "chat_member", "my_chat_member"].contains(kind)
  }
}

extension Error {
  /// The database itself is away, so there is no use in writing that something failed.
  fileprivate var isOutage: Bool {
    (self as? PostgresError)?.isOutage ?? (self is CancellationError || self is DeadlineExceeded)
  }

  /// What may stand in a log: kinds and codes, never what a person wrote.
  public var withoutValues: String {
    switch self {
    case let error as PostgresError:
      "Postgres \(error.sqlState?.rawValue ?? "\(error.kind)") \(error.constraint ?? "")"
    case let error as PaymentProblem: error.description
    default: "\(type(of: self))"
    }
  }
}

extension Transaction {
  func apply(
    _ update: IncomingUpdate, _ bot: Bot, _ secrets: Secrets, in scope: WorkspaceScope, at: Date
  ) async throws -> PaymentOutcome {
    if let charge = update.payment {
      return try await recordPayment(charge, to: bot, secrets, in: scope, at: at)
    }
    if let renewal = update.renewal {
      return try await hear(
        renewal, updateID: update.updateID, bot, secrets, in: scope, at: at)
    }
    if let spoken = update.spoken, spoken.isFor(bot),
      let heard = try await hear(
        spoken, updateID: update.updateID, by: bot, in: scope, at: at)
    {
      return heard
    }
    guard let refund = update.refund else {
      return PaymentOutcome(kind: .duplicate, paymentID: nil)
    }
    return try await recordRefund(
      refund.refund, payerTelegramID: refund.payerTelegramID, refundedAt: refund.refundedAt,
      by: bot, in: scope, at: at)
  }

  fileprivate func finish(
    _ updateID: Int64, _ bot: Bot, _ outcome: PaymentOutcome, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      update updates set state = 'processed', processed_at = \(at),
        body = case when relay_state = 'due' then body end,
        outcome = \(outcome.kind.rawValue), payment_id = \(outcome.paymentID)
      where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
        and update_id = \(updateID)
      """)
  }

  fileprivate func lockPending(
    _ updateID: Int64, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> Bool {
    try await query(
      """
      select from updates where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
        and update_id = \(updateID) and state = 'pending' for update skip locked
      """
    ).count == 1
  }

  func known(
    _ update: IncomingUpdate, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> UpdateIntake.Handled {
    let row = try await query(
      """
      select outcome, state, payment_id from updates where workspace_id = \(scope.workspaceID)
        and bot_id = \(bot.id) and update_id = \(update.updateID)
      """
    ).first
    return .stored(
      outcome: try row?.getIfPresent("outcome") ?? row?.get("state") ?? "stored",
      paymentID: try row?.getIfPresent("payment_id"), isDuplicate: true)
  }
}

extension DecodingError {
  /// What is wrong and where, without Swift's words.
  public var plainWords: String {
    func path(_ context: Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        .joined(separator: ".")
    }
    switch self {
    case .keyNotFound(let key, let context):
      let parent = path(context)
      return "\(parent.isEmpty ? "" : parent + ".")\(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let place = path(context)
      return "\(place.isEmpty ? "the body" : place) has the wrong type"
    case .dataCorrupted(let context):
      let place = path(context)
      return place.isEmpty ? "the body is not valid JSON" : "\(place): \(context.debugDescription)"
    @unknown default: return "the body could not be read"
    }
  }
}
