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
    var isFirstCall = false
    if refund.state == .approved {
      // Of two that meet here, one takes the step and makes the first call.
      isFirstCall = try await step(refund, to: .sending, in: scope)
      refund = try await Refund.find(id: id, in: scope, platform.pool) ?? refund
    }
    do {
      switch refund.state {
      case .sending:
        return try await send(refund, isFirstCall: isFirstCall, attempts: attempts, in: scope)
      case .unknown: return try await lookUp(refund, attempts: attempts, in: scope)
      case .confirmed, .declined, .goodwill:
        let outcome = try await notify(refund, attempts: attempts, in: scope)
        guard outcome == .done else { return outcome }
        return try await lookLater(refund, attempts: attempts, in: scope)
      case .failed: return try await lookLater(refund, attempts: attempts, in: scope)
      case .requested: return try await decideByRule(refund, in: scope)
      case .approved: return .done
      }
    } catch let error as Secrets.Problem {
      // Before the first call nothing can have happened.
      if isFirstCall { return try await fail(refund, .code(.token), in: scope) }
      try await note(refund, .code(.token), in: scope)
      throw error
    }
  }

  /// Nobody has decided: the workspace's rule does where it may.
  private func decideByRule(
    _ refund: Refund, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    do {
      let isApproved = try await platform.pool.transaction(in: scope) { tx in
        try await tx.autoApprove(refund.id, in: scope, at: scope.now)
      }
      return isApproved ? .next : .done
    } catch RefundRefusal.previewChanged {
      // A use came in between: the rule looks at what it left.
      return .next
    }
  }

  /// Asks Telegram to give the Stars back. A case is found here a second time when the process died
  /// after the first call, or when the call never reached Telegram: then it is asked again, and
  /// "already refunded" is the answer hoped for.
  private func send(
    _ refund: Refund, isFirstCall: Bool, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let client = try await client(for: refund)
    guard let payer = try await payer(of: refund, in: scope) else {
      // Whether an earlier call came through, the books know.
      if isFirstCall { return try await fail(refund, .code(.erased), in: scope) }
      try await step(refund, to: .unknown, .code(.erased), in: scope)
      return .again(seconds: Self.backoff(1))
    }
    do {
      try await client.refundStarPayment(userID: payer, chargeID: refund.chargeID)
      return try await confirm(refund, at: nil, in: scope)
    } catch let error as TelegramError where error.isAlreadyRefunded {
      // Done before, by us or by somebody else.
      let found = try? await client.outgoingTransaction(
        of: refund.chargeID, since: Self.books(of: refund))
      return try await confirm(refund, at: found, in: scope)
    } catch let error as TelegramError {
      let problem = RefundProblem(error)
      switch error {
      case .unknownOutcome: break
      case .api(_, _, let seconds) where error.isTransient:
        try await note(refund, problem, in: scope)
        return .again(seconds: seconds.map(Double.init) ?? Self.backoff(attempts))
      case .notSent:
        try await note(refund, problem, in: scope)
        return .again(seconds: Self.backoff(attempts))
      case .api:
        // A refusal of the charge or the person is about this refund. Any other one, of a token
        // say, tells nothing about a call before it.
        let isAboutCharge = error.name.map { $0.hasPrefix("CHARGE_") || $0.hasPrefix("USER_") }
        if isFirstCall || isAboutCharge ?? false {
          return try await fail(refund, problem, in: scope)
        }
      }
      try await step(refund, to: .unknown, problem, in: scope)
      return .again(seconds: Self.backoff(1))
    }
  }

  /// Telegram gave no answer: its books say whether the Stars went back. As long as they do not,
  /// the call may still be on its way; after that it counts as not done.
  private func lookUp(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    do {
      if let found = try await inBooks(refund, in: scope) {
        return try await confirm(refund, at: found, in: scope)
      }
    } catch let error as TelegramError {
      try await note(refund, RefundProblem(error), in: scope)
      return .again(seconds: Self.backoff(attempts))
    }
    guard scope.now.timeIntervalSince(refund.stateAt) > Limits.refundWatchSeconds else {
      return .again(seconds: Self.backoff(attempts))
    }
    return try await fail(refund, .code(.notInBooks), in: scope)
  }

  /// A call that was given up may have come through after all, and Telegram's own report of it may
  /// be lost: for a day, the books are looked at now and then.
  private func lookLater(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    guard refund.state != .confirmed, let unansweredAt = refund.unansweredAt,
      scope.now.timeIntervalSince(unansweredAt) < Limits.refundLateSeconds
    else { return .done }
    do {
      if let found = try await inBooks(refund, in: scope) {
        return try await confirm(refund, at: found, in: scope)
      }
    } catch is TelegramError {
      // Looked at again below.
    }
    return .again(seconds: min(3600, 60 * pow(2, Double(min(attempts, 6)))))
  }

  private func inBooks(
    _ refund: Refund, in scope: WorkspaceScope
  ) async throws -> StarTransaction? {
    let client = try await client(for: refund)
    return try await client.outgoingTransaction(of: refund.chargeID, since: Self.books(of: refund))
  }

  /// From where the books are read: an approval of the day before may have come through late. An
  /// hour more is for clocks that differ.
  private static func books(of refund: Refund) -> Date {
    (refund.decidedAt ?? refund.openedAt).addingTimeInterval(-Limits.refundLateSeconds - 3600)
  }

  /// - Parameter found: The movement in Telegram's books, where one was looked for and found.
  private func confirm(
    _ refund: Refund, at found: StarTransaction?, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let refundedAt = found.map { Date(timeIntervalSince1970: Double($0.date)) }
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
    _ refund: Refund, _ problem: RefundProblem, in scope: WorkspaceScope
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
          debt_policy = null, proposed_by = null, proposed_at = null, last_error = \(problem.text)
        where workspace_id = \(scope.workspaceID) and refund_id = \(locked.id)
        """)
      try await tx.audit(
        Self.actor, "refund.failed", "refund", String(locked.id),
        reason: problem.text, in: scope, at: scope.now)
      try await tx.emit(
        .refundFailed, locked, paymentID: try await tx.payment(of: locked.charge, in: scope)?.id,
        in: scope, at: scope.now)
      // The late looks are counted apart.
      return refund.unansweredAt == nil ? .done : .next
    }
  }

  /// A step in which nothing but the state moves. A case that went on meanwhile stays where it is.
  ///
  /// - Returns: Whether this call took the step.
  @discardableResult
  private func step(
    _ refund: Refund, to state: Refund.State, _ problem: RefundProblem? = nil,
    in scope: WorkspaceScope
  ) async throws -> Bool {
    let at = scope.now
    return try await platform.pool.execute(
      """
      update refunds set state = \(state.rawValue), state_at = \(at),
        last_error = \(problem?.text),
        unanswered_at = coalesce(\(state == .unknown ? at : nil)::timestamptz, unanswered_at)
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
        and state = \(refund.state.rawValue)
      """, in: scope) == 1
  }

  private func note(
    _ refund: Refund, _ problem: RefundProblem, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.execute(
      """
      update refunds set last_error = \(problem.text)
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
  /// The bot that took the Stars.
  private func client(for refund: Refund) async throws -> TelegramClient {
    guard let bot = try await platform.directory.bot(refund.botID) else {
      throw PaymentProblem(description: "the refund has no bot")
    }
    var client = try platform.telegram(for: bot)
    client.options.timeout = .seconds(Limits.refundCallSeconds)
    return client
  }

  /// Telegram's id of who gave the Stars; nil when it is forgotten.
  private func payer(of refund: Refund, in scope: WorkspaceScope) async throws -> Int64? {
    guard let id = refund.customerID,
      let customer = try await Customer.find(id: id, in: scope, platform.pool)
    else { throw PaymentProblem(description: "the refund has no payer") }
    return customer.chatID
  }

  /// Tells the buyer what was decided. A process that dies between the message and its note here
  /// tells twice, which hurts less than not at all.
  private func notify(
    _ refund: Refund, attempts: Int, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    guard refund.notice == .due else { return .done }
    let text = try await RefundNotice.of(refund, in: scope, platform.pool).text(about: refund)
    var result = Refund.Notice.sent
    var problem: RefundProblem?
    do {
      if let payer = try await payer(of: refund, in: scope) {
        try await client(for: refund).sendMessage(to: payer, text)
      } else {
        (result, problem) = (.failed, .code(.erased))
      }
    } catch let error as TelegramError {
      problem = RefundProblem(error)
      // Without an answer it may have arrived: it is said once more, not eight times.
      let most = if case .unknownOutcome = error { 2 } else { Limits.noticeAttempts }
      if error.isTransient, attempts < most {
        try await note(refund, RefundProblem(error), in: scope)
        return .again(seconds: Self.backoff(attempts))
      }
      result = .failed
    }
    try await platform.pool.transaction(in: scope) { [result, problem] tx in
      let noted = try await tx.execute(
        """
        update refunds set notice_state = \(result.rawValue), last_error = \(problem?.text)
        where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
          and state = \(refund.state.rawValue) and notice_state = 'due'
        """)
      guard noted == 1 else { return }
      try await tx.audit(
        Self.actor, result == .sent ? "refund.told" : "refund.untold", "refund",
        String(refund.id), after: ["decision": refund.state.rawValue], in: scope, at: scope.now)
    }
    return .done
  }
}
