import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Carries decided refunds out. Every step is one transaction or one call, and a case that was left
/// between two of them goes on from where it is: what is asked of Telegram twice is done once, and
/// what the ledger took back it takes back once.
public struct RefundSettlement: Sendable {
  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// Works on a case that was just decided, so that its operator sees the result. Gives up waiting
  /// after ``Limits/refundAnswerSeconds``; the work itself goes on, here or in a worker.
  public func settleNow(_ id: Int64) async {
    let work = Task { [platform] in
      try await Worker(platform: platform).runNow(.refundSettle, subject: String(id))
    }
    do {
      try await withDeadline(seconds: Limits.refundAnswerSeconds) { try await work.value }
    } catch is DeadlineExceeded {
      // The page says that it is under way.
    } catch {
      platform.logger.warning(
        "a refund waits for a worker", metadata: ["error": "\(error.withoutValues)"])
    }
  }

  /// - Parameter attempts: How often the job was tried, this time included.
  func settle(_ id: Int64, attempts: Int, in scope: WorkspaceScope) async throws -> Job.Outcome {
    guard var refund = try await Refund.find(id: id, in: scope, platform.pool) else { return .done }
    if refund.state == .approved {
      refund = try await step(refund, to: .sending, in: scope)
    }
    do {
      return try await proceed(refund, attempts: attempts, in: scope)
    } catch let error as Secrets.Problem {
      try await note(refund, "\(error)", in: scope)
      throw error
    }
  }

  private func proceed(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    switch refund.state {
    case .sending: return try await send(refund, attempts: attempts, in: scope)
    case .unknown: return try await lookUp(refund, attempts: attempts, in: scope)
    case .confirmed, .declined, .goodwill:
      return try await notify(refund, attempts: attempts, in: scope)
    case .requested, .approved, .failed: return .done
    }
  }

  /// Asks Telegram to give the Stars back. A case is found here a second time when the process died
  /// after the first call, or when the call never reached Telegram: then it is asked again, and
  /// "already refunded" is the answer hoped for.
  private func send(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let (client, payer) = try await call(for: refund, in: scope)
    do {
      try await client.refundStarPayment(userID: payer, chargeID: refund.chargeID)
    } catch let error as TelegramError where error.isAlreadyRefunded {
      // Done before, by us or by somebody else.
    } catch TelegramError.unknownOutcome(let reason) {
      _ = try await step(refund, to: .unknown, error: reason, in: scope)
      return .again(seconds: Self.backoff(1))
    } catch let error as TelegramError where error.isTransient {
      try await note(refund, "\(error)", in: scope)
      if case .api(_, _, let seconds?) = error { return .again(seconds: Double(seconds)) }
      return .again(seconds: Self.backoff(attempts))
    } catch let error as TelegramError {
      return try await fail(refund, "\(error)", in: scope)
    }
    return try await confirm(refund, at: nil, in: scope)
  }

  /// Telegram gave no answer: its books say whether the Stars went back. As long as they do not,
  /// the call may still be on its way; after that it counts as not done, and should it come late,
  /// Telegram's own report settles the case.
  private func lookUp(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let (client, _) = try await call(for: refund, in: scope)
    do {
      // From the case's opening, since an earlier approval may have come through late; with a
      // margin for clocks that differ.
      let since = refund.openedAt.addingTimeInterval(-3600)
      if let found = try await client.outgoingTransaction(of: refund.chargeID, since: since) {
        return try await confirm(
          refund, at: Date(timeIntervalSince1970: Double(found.date)), in: scope)
      }
    } catch let error as TelegramError {
      try await note(refund, "\(error)", in: scope)
      return .again(seconds: Self.backoff(attempts))
    }
    guard scope.now.timeIntervalSince(refund.stateAt) > Limits.refundWatchSeconds else {
      return .again(seconds: Self.backoff(attempts))
    }
    return try await fail(refund, "Telegram's books show no refund of this charge", in: scope)
  }

  private func confirm(
    _ refund: Refund, at refundedAt: Date?, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    try await platform.pool.transaction(in: scope) { tx in
      guard let locked = try await tx.lockRefund(refund.id, in: scope) else { return }
      try await tx.confirm(
        locked, refundedAt: refundedAt ?? scope.now, by: Self.actor, in: scope, at: scope.now)
    }
    // The buyer is told in a run of its own: its tries are counted apart.
    return .next
  }

  /// Nothing was given back: the hold returns to its lots. A case that Telegram's own report has
  /// settled meanwhile goes on from there.
  private func fail(
    _ refund: Refund, _ error: String, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    try await platform.pool.transaction(in: scope) { tx in
      guard let locked = try await tx.lockRefund(refund.id, in: scope),
        locked.state == refund.state
      else { return .next }
      if let holdKey = locked.holdKey {
        let key = "refund:release:\(locked.approvals):\(locked.botID):\(locked.chargeID)"
        let release = try await tx.release(hold: holdKey, key: key, in: scope, at: scope.now)
        guard [.applied, .replayed].contains(release.status) else {
          throw PaymentProblem(
            description: "the refund's release was answered \(release.status.rawValue)")
        }
      }
      try await tx.execute(
        """
        update refunds set state = 'failed', state_at = \(scope.now), hold_key = null,
          debt_policy = null, last_error = \(String(error.prefix(300)))
        where workspace_id = \(scope.workspaceID) and refund_id = \(locked.id)
        """)
      try await tx.audit(
        Self.actor, "refund.failed", "refund", String(locked.id),
        reason: String(error.prefix(300)), in: scope, at: scope.now)
      return .done
    }
  }

  /// A step in which nothing but the state moves. A case that went on meanwhile stays where it is.
  private func step(
    _ refund: Refund, to state: Refund.State, error: String? = nil, in scope: WorkspaceScope
  ) async throws -> Refund {
    try await platform.pool.execute(
      """
      update refunds set state = \(state.rawValue), state_at = \(scope.now), last_error = \(error)
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
        and state = \(refund.state.rawValue)
      """, in: scope)
    return try await Refund.find(id: refund.id, in: scope, platform.pool) ?? refund
  }

  private func note(_ refund: Refund, _ error: String, in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update refunds set last_error = \(String(error.prefix(300)))
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
        and state = \(refund.state.rawValue)
      """, in: scope)
  }

  private static let actor = Actor(.job, Job.Kind.refundSettle.rawValue)

  /// 2 seconds, then twice as long each time, ten minutes at most.
  private static func backoff(_ attempts: Int) -> Double {
    min(600, pow(2, Double(min(attempts, 10))))
  }
}

extension RefundSettlement {
  /// The bot that took the Stars, and who gave them.
  private func call(
    for refund: Refund, in scope: WorkspaceScope
  ) async throws -> (TelegramClient, payer: Int64) {
    guard let bot = try await platform.directory.bot(refund.botID),
      let customerID = refund.customerID,
      let customer = try await Customer.find(id: customerID, in: scope, platform.pool)
    else { throw PaymentProblem(description: "the refund has no bot or no payer") }
    var client = try platform.telegram(for: bot)
    client.options.timeout = .seconds(Limits.refundCallSeconds)
    return (client, customer.telegramID)
  }

  /// Tells the buyer what was decided. A process that dies between the message and its note here
  /// tells twice, which hurts less than not at all.
  private func notify(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    guard refund.notice == .due else { return .done }
    let text = try await RefundNotice.text(for: refund, in: scope, platform.pool)
    let (client, payer) = try await call(for: refund, in: scope)
    var result = Refund.Notice.sent
    var problem: String?
    do {
      try await client.sendMessage(to: payer, text)
    } catch let error as TelegramError {
      problem = "\(error)"
      // Without an answer it may have arrived: it is said once more, not eight times.
      let most = if case .unknownOutcome = error { 2 } else { Limits.noticeAttempts }
      if error.isTransient, attempts < most {
        try await note(refund, "\(error)", in: scope)
        return .again(seconds: Self.backoff(attempts))
      }
      result = .failed
    }
    try await platform.pool.execute(
      """
      update refunds set notice_state = \(result.rawValue), last_error = \(problem)
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
        and state = \(refund.state.rawValue) and notice_state = 'due'
      """, in: scope)
    return .done
  }
}
