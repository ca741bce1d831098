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
    while !Task.isCancelled {
      do {
        try await runDue()
      } catch {
        platform.logger.warning("jobs wait for the database", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: .seconds(pauseSeconds))
    }
  }

  /// Runs every job that is due now, once.
  public func runDue(at: Date = Date()) async throws {
    try await Job.schedule(at: at, platform.pool)
    while !Task.isCancelled {
      let jobs = try await Job.claim(limit: 20, at: at, platform.pool)
      for job in jobs {
        do {
          try await perform(job, at: at)
          try await job.succeeded(at: at, platform.pool)
        } catch {
          platform.logger.warning(
            "job failed", metadata: ["kind": "\(job.kind.rawValue)", "error": "\(error)"])
          try await job.failed("\(error)", at: at, platform.pool)
        }
      }
      if jobs.count < 20 { return }
    }
  }

  private func perform(_ job: Job, at: Date) async throws {
    guard let id = job.workspaceID else {
      _ = try await Session.purge(at: at, platform.pool)
      _ = try await Throttle.purge(at: at, platform.pool)
      return
    }
    guard let workspace = try await platform.directory.workspace(id) else { return }
    let scope = workspace.scope
    switch job.kind {
    case .inboxRetry:
      _ = try await platform.updates.retryPending(in: scope)
    case .inboxPurge: try await purgeInbox(in: scope)
    case .lotsExpire: try await expireLots(in: scope)
    case .holdsExpire: try await expireHolds(in: scope)
    case .ledgerVerify: try await verifyLedger(in: scope)
    case .sessionsPurge: break
    }
  }

  /// Bodies of updates hold people's words; none is kept for more than seven days.
  private func purgeInbox(in scope: WorkspaceScope) async throws {
    try await platform.pool.execute(
      """
      update updates set body = null, state = case state when 'pending' then 'failed' else state end
      where workspace_id = \(scope.workspaceID) and body is not null
        and received_at < \(scope.now.addingTimeInterval(-7 * 86_400))
      """, in: scope)
  }
}

extension Worker {
  /// Debits expire what is due by themselves; this only keeps reports from lagging behind.
  func expireLots(in scope: WorkspaceScope) async throws {
    for account in try await Ledger(pool: platform.pool).dueAccounts(in: scope) {
      _ = try await platform.pool.transaction(in: scope) { tx in
        try await tx.expire(account, in: scope, at: scope.now)
      }
    }
  }

  /// Releases holds that nobody closed in their time.
  func expireHolds(in scope: WorkspaceScope) async throws {
    for hold in try await Ledger(pool: platform.pool).dueHolds(in: scope) {
      _ = try await platform.pool.transaction(in: scope) { tx in
        try await tx.release(
          hold: hold.holdKey, key: "job:release:\(hold.holdKey)", in: scope, at: scope.now)
      }
    }
  }

  /// Compares every projection of the ledger with its entries and notes the result.
  func verifyLedger(in scope: WorkspaceScope) async throws {
    let problems = try await Ledger(pool: platform.pool).verify(in: scope)
    for problem in problems {
      platform.logger.error("ledger problem", metadata: ["problem": "\(problem)"])
    }
    try await platform.pool.execute(
      """
      insert into ledger_verifications (workspace_id, verified_at, entry_count, problem_count,
        first_problem)
      select \(scope.workspaceID)::bigint, \(scope.now)::timestamptz, count(*),
        \(problems.count)::bigint, \(problems.first?.description)
      from entries where workspace_id = \(scope.workspaceID)
      on conflict do nothing
      """, in: scope)
  }
}
