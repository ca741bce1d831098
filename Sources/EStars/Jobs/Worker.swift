import Foundation
@_spi(Guard) import Ledger
import Logging
import Postgres

/// Runs jobs until it is cancelled. Any number of workers may run on one database.
public struct Worker: Sendable {
  let platform: Platform
  private let pauseSeconds: Double

  public init(platform: Platform, pauseSeconds: Double = 1) {
    self.platform = platform
    self.pauseSeconds = pauseSeconds
  }

  public func run() async throws {
    // Verification reads whole ledgers: in a loop of its own it keeps nobody's hold waiting.
    // Refunds wait for Telegram, which may take its time; one slow bot keeps no other waiting.
    // So do events and relayed updates, which wait for operators' servers, and not for each other.
    let alone: [Job.Kind] = [
      .ledgerVerify, .refundSettle, .eventsSend, .updatesRelay, .messagesSend,
      .reconciliationRun, .subscriptionEdit, .subscriptionRemind, .cartsNotice, .figuresFollow,
      .figuresTops, .alertsWatch, .webhooksWatch, .drillsRun,
    ]
    async let quick: Void = run(Job.Kind.allCases.filter { !alone.contains($0) })
    async let verification: Void = run([.ledgerVerify])
    async let refunds: Void = run([.refundSettle], atOnce: Limits.refundsAtOnce)
    async let events: Void = run([.eventsSend], atOnce: Limits.eventsAtOnce)
    async let relay: Void = run([.updatesRelay], atOnce: Limits.relaysByWorker)
    async let messages: Void = run([.messagesSend, .cartsNotice], atOnce: Limits.messagesAtOnce)
    async let books: Void = run([.reconciliationRun], atOnce: Limits.reconciliationsAtOnce)
    async let alerts: Void = run([.alertsWatch, .webhooksWatch], atOnce: 2)
    async let subscriptions: Void = run(
      [.subscriptionEdit, .subscriptionRemind], atOnce: Limits.subscriptionCallsAtOnce)
    async let figures: Void = run([.figuresFollow])
    async let tops: Void = run([.figuresTops])
    async let drills: Void = run([.drillsRun], atOnce: Limits.drillRunsAtOnce)
    _ = try await (
      quick, verification, refunds, events, relay, messages, books, alerts, subscriptions, figures,
      tops, drills
    )
  }

  /// Loops side by side, which look for work by turns: what comes is found the sooner.
  private func run(_ kinds: [Job.Kind], atOnce count: Int) async throws {
    try await withThrowingTaskGroup { group in
      for index in 0..<count {
        group.addTask {
          try await Task.sleep(for: .seconds(pauseSeconds * Double(index) / Double(count)))
          try await run(kinds)
        }
      }
      try await group.waitForAll()
    }
  }

  private func run(_ kinds: [Job.Kind]) async throws {
    var scheduledAt: ContinuousClock.Instant?
    while !Task.isCancelled {
      do {
        if scheduledAt.map({ .now - $0 > .seconds(60) }) ?? true {
          try await Job.schedule(at: Date(), platform.pool)
          scheduledAt = .now
        }
        try await work(kinds) { Date() }
      } catch {
        platform.logger.warning(
          "jobs wait for the database", metadata: ["error": "\(error.withoutValues)"])
      }
      try await Task.sleep(for: .seconds(pauseSeconds))
    }
  }

  /// Runs every job that is due, once.
  ///
  /// - Parameter clock: What time it is; tests move it.
  public func runDue(clock: @Sendable () -> Date = { Date() }) async throws {
    try await Job.schedule(at: clock(), platform.pool)
    try await work(Job.Kind.allCases, clock)
  }

  private func work(_ kinds: [Job.Kind], _ clock: @Sendable () -> Date) async throws {
    while !Task.isCancelled,
      let job = try await Job.claim(kinds, at: clock(), platform.pool)
    {
      try await run(job, clock)
    }
  }

  /// Runs one job that was asked for, now if nobody else has it: what a person waits for needs not
  /// wait for a worker's next round. A job that calls an operator's server has its place there from
  /// the caller.
  func runNow(_ kind: Job.Kind, subject: String) async throws {
    while let job = try await Job.claim([kind], subject: subject, at: Date(), platform.pool) {
      try await run(job, hasPlace: true) { Date() }
    }
  }

  private func run(
    _ job: Job, hasPlace: Bool = false, _ clock: @Sendable () -> Date
  ) async throws {
    do {
      let outcome = try await perform(job, hasPlace: hasPlace, at: clock())
      try await job.succeeded(outcome, at: clock(), platform.pool)
    } catch {
      platform.logger.warning(
        "job failed",
        metadata: ["kind": "\(job.kind.rawValue)", "error": "\(error.withoutValues)"])
      try await job.failed(error.withoutValues, at: clock(), platform.pool)
    }
  }

  private func perform(_ job: Job, hasPlace: Bool, at: Date) async throws -> Job.Outcome {
    guard let id = job.workspaceID else {
      _ = try await Session.purge(at: at, platform.pool)
      _ = try await Throttle.purge(at: at, platform.pool)
      _ = try await ResetLink.purge(at: at, platform.pool)
      _ = try await Application.purge(at: at, platform.pool)
      return .done
    }
    guard let workspace = try await platform.directory.workspace(id) else { return .done }
    let scope = workspace.scope
    switch job.kind {
    case .refundRequest:
      guard let supportCase = Int64(job.subject) else { return .done }
      try await Refund.request(becauseOf: supportCase, in: scope, platform.pool)
    case .refundSettle:
      guard let refund = Int64(job.subject) else { return .done }
      return try await platform.refunds.settle(refund, attempts: job.attempts, in: scope)
    case .eventsSend:
      return try await platform.events.sendNext(job.subject, at: at, in: scope)
    case .updatesRelay:
      return try await platform.relay.sendNext(job.subject, hasPlace: hasPlace, in: scope)
    case .subscriptionEdit:
      guard let id = Int64(job.subject) else { return .done }
      return try await SubscriptionCall(platform: platform).edit(
        id, attempts: job.attempts, in: scope)
    case .subscriptionRemind:
      return try await SubscriptionReminder(platform: platform).remind(
        job.subject, attempts: job.attempts, in: scope)
    case .subscriptionsAge: return try await ageSubscriptions(in: scope)
    case .freePlanGive: return try await giveFreePlan(in: scope)
    case .messagesSend:
      return try await platform.messages.send(job.subject, attempts: job.attempts, in: scope)
    case .reconciliationRun:
      guard let id = Int64(job.subject) else { return .done }
      return try await platform.reconciler.run(id, attempts: job.attempts, in: scope)
    case .reconciliationDaily: try await Reconciliation.askDaily(in: scope, platform.pool)
    case .cartsNotice: return try await platform.carts.notice(in: scope)
    case .alertsWatch: try await platform.alerts.look(in: scope)
    case .webhooksWatch: try await platform.alerts.lookAtWebhooks(in: scope)
    case .inboxRetry:
      _ = try await platform.updates.retryPending(in: scope)
    case .inboxPurge: try await purgeInbox(in: scope)
    case .lotsExpire: try await expireLots(in: scope)
    case .holdsExpire: try await expireHolds(in: scope)
    case .checkoutsExpire: try await Checkout.expireDue(in: scope, platform.pool)
    case .ledgerVerify: try await verifyLedger(in: scope)
    case .drillsRun:
      guard let id = Int64(job.subject) else { return .done }
      return try await DrillRunner(platform: platform).run(
        id, attempts: job.attempts, in: workspace)
    case .auditMirror:
      guard let line = Int64(job.subject) else { return .done }
      try await AuditEntry.mirror(line, to: workspace, platform.pool)
    case .figuresFollow:
      try await Rollup(platform).follow(seconds: Limits.figuresRunSeconds, in: scope)
    case .figuresTops: return try await countTops(in: scope)
    case .sessionsPurge: break
    }
    return .done
  }

  /// Bodies of updates hold people's words; none is kept for more than seven days. What was
  /// processed is forgotten then: money is known by its charge.
  func purgeInbox(in scope: WorkspaceScope) async throws {
    // It runs once an hour, and may be late.
    let weekAgo = scope.now.addingTimeInterval(-Double(Limits.updateSeconds - 2 * 3600))
    try await platform.pool.execute(
      """
      delete from updates where workspace_id = \(scope.workspaceID) and state = 'processed'
        and received_at < \(weekAgo)
      """, in: scope)
    try await platform.pool.execute(
      """
      update updates set body = null, state = 'failed', relay_at = null,
        relay_state = case when relay_state = 'due' then 'failed' else relay_state end
      where workspace_id = \(scope.workspaceID) and state = 'pending' and received_at < \(weekAgo)
      """, in: scope)
  }
}

extension Worker {
  /// Debits expire what is due by themselves; this only keeps reports from lagging behind.
  func expireLots(in scope: WorkspaceScope) async throws {
    for account in try await Ledger(pool: platform.pool).dueAccounts(in: scope) {
      _ = try await alone("lots of account \(account)") {
        _ = try await platform.pool.transaction(in: scope) { tx in
          try await tx.expire(account, in: scope, at: scope.now)
        }
      }
    }
  }

  /// Releases holds that nobody closed in their time: those of bots, then what else the ledger has.
  func expireHolds(in scope: WorkspaceScope) async throws {
    // One moment for both: a hold of a bot is never released behind its back.
    let at = scope.now
    var stuck: Set<Int64> = []
    while true {
      // Those that cannot be closed stand before all others, so more is asked for.
      let due = try await UsageHold.due(
        at: at, limit: Limits.pageSize + stuck.count, in: scope, platform.pool
      ).filter { !stuck.contains($0) }
      var closed = 0
      for id in due {
        let isClosed = try await alone("hold \(id)") {
          _ = try await platform.pool.transaction(in: scope) { tx in
            try await tx.expireHold(id, in: scope, at: scope.now)
          }
        }
        if isClosed { closed += 1 } else { stuck.insert(id) }
      }
      if closed == 0 { break }
    }
    for hold in try await Ledger(pool: platform.pool).dueHolds(in: scope, at: at) {
      _ = try await alone("hold \(hold.holdKey)") {
        _ = try await platform.pool.transaction(in: scope) { tx in
          try await tx.release(
            hold: hold.holdKey, key: "job:release:\(hold.holdKey)", in: scope, at: scope.now)
        }
      }
    }
  }

  /// Runs one of many: where it fails it is logged and the others go on, unless the database is
  /// away.
  ///
  /// - Returns: Whether it went well.
  func alone(_ name: String, _ work: () async throws -> Void) async throws -> Bool {
    do {
      try await work()
      return true
    } catch let error as PostgresError where !error.isOutage {
      platform.logger.error(
        "left for the next round", metadata: ["what": "\(name)", "error": "\(error.withoutValues)"])
      return false
    } catch let problem as PaymentProblem {
      platform.logger.error(
        "left for the next round",
        metadata: ["what": "\(name)", "error": "\(problem.description)"])
      return false
    }
  }

  /// Where the figures are still behind, they come first.
  private func countTops(in scope: WorkspaceScope) async throws -> Job.Outcome {
    let rollup = Rollup(platform)
    guard try await rollup.catchUp(in: scope).isCurrent else { return .again(seconds: 5) }
    let start = ContinuousClock.now
    try await rollup.countTops(in: scope)
    // A large workspace is counted less often: no more than a thirtieth of the time.
    let took = Double((ContinuousClock.now - start).components.seconds)
    return took < 10 ? .done : .again(seconds: took * 30)
  }

  /// Compares every projection of the ledger with its entries and notes the result.
  @discardableResult
  func verifyLedger(
    in scope: WorkspaceScope
  ) async throws -> (entries: Int64, problems: [Ledger.Problem]) {
    let problems = try await Ledger(pool: platform.patientPool).verify(in: scope)
    for problem in problems {
      platform.logger.error("ledger problem", metadata: ["problem": "\(problem)"])
    }
    let noted = try await platform.pool.query(
      """
      insert into ledger_verifications (workspace_id, verified_at, entry_count, problem_count,
        first_problem)
      select \(scope.workspaceID)::bigint, \(scope.now)::timestamptz, count(*),
        \(problems.count)::bigint, \(problems.first?.description)
      from entries where workspace_id = \(scope.workspaceID)
      on conflict do nothing
      returning entry_count
      """, in: scope)
    return (try noted.first?.get("entry_count") ?? 0, problems)
  }
}
