import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Reads Telegram's books of a bot page by page and compares each movement with our own. A process
/// that dies leaves off between two pages, and the next one goes on from there.
public struct Reconciler: Sendable {
  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// Works on a comparison that was just asked for, so that short books are done at once. Gives up
  /// waiting after ``Limits/reconciliationAnswerSeconds``; the work itself goes on, here or in a
  /// worker.
  public func runNow(_ id: Int64) async {
    let work = Task { [platform] in
      try await Worker(platform: platform).runNow(.reconciliationRun, subject: String(id))
    }
    do {
      try await withDeadline(seconds: Limits.reconciliationAnswerSeconds) { try await work.value }
    } catch is DeadlineExceeded {
      // The page shows how far it is.
    } catch {
      platform.logger.warning(
        "a reconciliation waits for a worker", metadata: ["error": "\(error.withoutValues)"])
    }
  }

  /// - Parameters:
  ///   - attempts: How often the job was tried since it last got on, this time included.
  ///   - seconds: After so long the next round goes on from where this one is.
  func run(
    _ id: Int64, attempts: Int,
    seconds: Double = Double(Limits.reconciliationLeaseSeconds) / 3, in scope: WorkspaceScope
  ) async throws -> Job.Outcome {
    let until = ContinuousClock.now + .seconds(seconds)
    guard var run = try await Reconciliation.find(id: id, in: scope, platform.pool),
      run.state.isUnderWay
    else { return .done }
    guard let bot = try await platform.directory.bot(run.botID) else {
      try await fail(run, .token, in: scope)
      return .done
    }
    do {
      var client = try platform.telegram(for: bot)
      client.options.timeout = .seconds(Limits.reconciliationCallSeconds)
      if run.state == .due { run = try await begin(run, in: scope) }
      while true {
        let page = try await client.getStarTransactions(
          offset: Int(run.nextPosition), limit: Limits.starTransactionsPage)
        let from = run.fromPosition
        run = try await store(page, run, in: scope)
        if run.fromPosition == from, page.count < Limits.starTransactionsPage { break }
        guard ContinuousClock.now < until, !Task.isCancelled else { return .next }
      }
      // What is too young for one look is what the other one finds: both go by one moment.
      let at = scope.now
      guard try await compare(run, until: until, in: scope, at: at) else { return .next }
      if try await leavesYoung(run, in: scope, at: at) {
        return .again(seconds: Limits.reconciliationGraceSeconds)
      }
      try await findAbsent(run, in: scope)
      let balance = try await client.getMyStarBalance()
      try await finish(run, balance, in: scope)
      return .done
    } catch let error as TelegramError {
      guard error.isTransient, attempts < Limits.reconciliationAttempts else {
        try await fail(run, .init(error), in: scope)
        return .done
      }
      try await note(run, .init(error), in: scope)
      if case .api(_, _, let seconds?) = error { return .again(seconds: Double(seconds)) }
      return .again(after: attempts, longest: Limits.reconciliationPauseSeconds)
    } catch is Secrets.Problem {
      try await fail(run, .token, in: scope)
      return .done
    }
  }

  private func begin(_ run: Reconciliation, in scope: WorkspaceScope) async throws -> Reconciliation
  {
    try await platform.pool.query(
      """
      update reconciliations set state = 'running', started_at = coalesce(started_at, \(scope.now))
      where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
      returning *
      """, in: scope
    ).map(Reconciliation.init)[0]
  }

  /// Writes a page of the books down. Where they are not what they were when they were read last,
  /// they are read from their beginning.
  private func store(
    _ page: [StarTransaction], _ run: Reconciliation, in scope: WorkspaceScope
  ) async throws -> Reconciliation {
    let lines = BookLine.all(page, from: run.nextPosition)
    let at = scope.now
    return try await platform.pool.transaction(in: scope) { tx in
      try await tx.lock(run, in: scope)
      let moved = try await tx.hasMoved(lines, run, in: scope)
      if moved, run.fromPosition > 0 {
        return try await tx.query(
          """
          update reconciliations set from_position = 0, next_position = 0, reached_at = null,
            read_count = 0, compared_position = -1
          where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
          returning *
          """
        ).map(Reconciliation.init)[0]
      }
      try await tx.write(lines, botID: run.botID, in: scope, at: at)
      return try await tx.query(
        """
        update reconciliations set next_position = next_position + \(Int64(page.count)),
          read_count = read_count + \(Int64(page.count)), last_error = null,
          reached_at = coalesce(\(lines.last?.at)::timestamptz, reached_at)
        where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
        returning *
        """
      ).map(Reconciliation.init)[0]
    }
  }

  /// Goes on behind the last movement that was compared: what has stayed open is not looked at
  /// again in every round, so that there is an end to it.
  ///
  /// - Returns: Whether all that could be compared was.
  private func compare(
    _ run: Reconciliation, until: ContinuousClock.Instant, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let mends = try await Reconciliation.mendsItself(in: scope, platform.pool)
    var position = run.comparedPosition
    while true {
      let batch = try await platform.pool.transaction(in: scope) { [position] tx in
        try await tx.compare(run, after: position, in: scope, at: at)
      }
      guard let last = batch.lastPosition else { return true }
      position = last
      for mismatch in batch.open where mends && mismatch.kind.mendsItself {
        try await mend(mismatch, run, in: scope)
      }
      // Only now: a process that dies while it mends leaves them to the next one.
      try await platform.pool.execute(
        """
        update reconciliations set compared_position = \(position)
        where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
        """, in: scope)
      guard ContinuousClock.now < until, !Task.isCancelled else { return false }
    }
  }

  /// One that cannot be put right stays open and holds up no other.
  private func mend(
    _ mismatch: Mismatch, _ run: Reconciliation, in scope: WorkspaceScope
  ) async throws {
    do {
      let fixed = try await Mismatch.fix(
        mismatch.id, by: Actor(.job, Job.Kind.reconciliationRun.rawValue), in: scope, platform)
      guard fixed.state == .fixed, fixed.closedBy != Mismatch.byTelegram else { return }
      try await platform.pool.execute(
        """
        update reconciliations set fixed_count = fixed_count + 1
        where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
        """, in: scope)
    } catch let error as PostgresError where error.isOutage {
      throw error
    } catch let error where !(error is CancellationError) {
      platform.logger.error(
        "a mismatch could not be put right",
        metadata: ["mismatch": "\(mismatch.id)", "error": "\(error.withoutValues)"])
    }
  }

  /// Movements whose updates may still be on their way are judged a little later, from the first of
  /// them on.
  private func leavesYoung(
    _ run: Reconciliation, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let (id, started) = (scope.workspaceID, run.startedAt ?? run.askedAt)
    return try await platform.pool.execute(
      """
      update reconciliations r set compared_position = least(compared_position, y.position - 1)
      from (select min(position) as position from star_transactions where workspace_id = \(id)
        and bot_id = \(run.botID) and not is_matched and at <= \(started)
        and at > \(at.addingTimeInterval(-Limits.reconciliationGraceSeconds))) y
      where r.workspace_id = \(id) and r.reconciliation_id = \(run.id) and y.position is not null
      """, in: scope) == 1
  }

  /// What we have and Telegram's books have not. Those before the last comparison were looked for
  /// then.
  private func findAbsent(_ run: Reconciliation, in scope: WorkspaceScope) async throws {
    let since: Date =
      if run.fromPosition > 0,
        let last = try await Reconciliation.latest(done: true, in: scope, platform.pool)[run.botID]
      { last.askedAt.addingTimeInterval(-Limits.reconciliationSeconds) } else { .distantPast }
    let at = scope.now
    try await platform.pool.transaction(in: scope) { tx in
      try await tx.findAbsent(run, since: since, in: scope, at: at)
    }
  }

  private func finish(
    _ run: Reconciliation, _ balance: StarAmount, in scope: WorkspaceScope
  ) async throws {
    let id = scope.workspaceID
    try await platform.patientPool.execute(
      """
      update reconciliations r set state = 'done', finished_at = \(scope.now), last_error = null,
        balance_stars = \(balance.amount), matched_count = t.matched, books_stars = t.stars
      from (select count(*) filter (where is_matched) as matched,
          floor(coalesce(sum(case direction when 'incoming' then 1 else -1 end
            * (stars + nanostars / 1e9)), 0))::bigint as stars
        from star_transactions where workspace_id = \(id) and bot_id = \(run.botID)) t
      where r.workspace_id = \(id) and r.reconciliation_id = \(run.id)
      """, in: scope)
  }

  private func fail(
    _ run: Reconciliation, _ problem: Reconciliation.Problem, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.execute(
      """
      update reconciliations set state = 'failed', finished_at = \(scope.now),
        last_error = \(problem.text)
      where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
      """, in: scope)
  }

  private func note(
    _ run: Reconciliation, _ problem: Reconciliation.Problem, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.execute(
      """
      update reconciliations set last_error = \(problem.text)
      where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
      """, in: scope)
  }
}
