import Foundation
import Ledger
import Logging
import Postgres

/// The figures of a workspace by day, hour, product, action, bot, traffic source and customer:
/// `credit_days`, `usage_days`, `sale_days`, `checkout_days`, `subscription_days`, `customer_days`,
/// `newcomer_days`, `hours`, `customer_tops`. A page that reads them alone costs the same however
/// long the ledger is.
public struct Rollup: Sendable {
  /// How far the figures hold.
  public struct Standing: Sendable, Equatable {
    /// Everything is counted that had been committed when it was asked for.
    public let isCurrent: Bool
    /// The time of the newest posting that is counted; nil while there is none, and while the
    /// figures are made anew because the workspace's time zone has changed.
    public let countedUntil: Date?
  }

  let pool: Pool
  let patientPool: Pool
  let logger: Logger

  public init(_ platform: Platform) {
    self.init(pool: platform.pool, patientPool: platform.patientPool, logger: platform.logger)
  }

  /// - Parameter patientPool: The same database with time for reads of whole tables.
  public init(pool: Pool, patientPool: Pool, logger: Logger) {
    self.pool = pool
    self.patientPool = patientPool
    self.logger = logger
  }

  /// What a page calls before it reads figures. Counts what is new where that is not much and nobody
  /// else is counting; otherwise the page says until when its figures hold. Figures that cannot be
  /// counted now are no reason to show none.
  ///
  /// - Throws: `PostgresError` while the database is away.
  public func catchUp(in scope: WorkspaceScope) async throws -> Standing {
    do {
      return try Standing(
        try await pool.query(Self.step(Limits.figuresPageRows, false, scope), in: scope)[0])
    } catch let error as PostgresError where !error.isOutage {
      logger.error("figures wait", metadata: ["error": "\(error.withoutValues)"])
      return Standing(isCurrent: false, countedUntil: try? await countedUntil(in: scope))
    }
  }

  /// Counts everything that is new, step by step, each in a transaction of its own.
  ///
  /// - Parameters:
  ///   - seconds: After so long it leaves the rest for the next time; nil: it goes on to the end.
  ///   - progress: Called after each step.
  /// - Returns: Current, unless the time was over or somebody else is counting.
  @discardableResult
  public func follow(
    seconds: Double? = nil, in scope: WorkspaceScope,
    progress: (Standing) async throws -> Void = { _ in }
  ) async throws -> Standing {
    let start = ContinuousClock.now
    while true {
      // What one transaction wrote is counted in one step, however much that is: a migration's, say.
      let step = try await patientPool.transaction(in: scope) { tx in
        try await tx.execute("set local statement_timeout = 0")
        return try Step(try await tx.query(Self.step(Limits.figuresStepRows, true, scope))[0])
      }
      if step.standing.isCurrent || step.isBusy { return step.standing }
      try await progress(step.standing)
      if let seconds, .now - start > .seconds(seconds) { return step.standing }
    }
  }

  /// Counts everything anew; pages say until when their figures hold meanwhile.
  public func rebuild(
    in scope: WorkspaceScope, progress: (Standing) async throws -> Void = { _ in }
  ) async throws {
    // Figures of no time zone are cleared, as those of another one are.
    try await pool.execute(
      "update rollup_marks set time_zone = '' where workspace_id = \(scope.workspaceID)", in: scope)
    // Somebody else who counts meanwhile does a part of it.
    while try await !follow(in: scope, progress: progress).isCurrent {
      try await Task.sleep(for: .seconds(1))
    }
    try await countTops(in: scope)
  }

  /// Counts anew who stands on top. Reads all customers' days.
  public func countTops(in scope: WorkspaceScope) async throws {
    try await patientPool.transaction(in: scope) { tx in
      try await tx.execute("set local statement_timeout = 0")
      try await tx.execute("select figures_count_tops(\(scope.workspaceID), \(scope.now))")
    }
  }

  private struct Step {
    let standing: Standing
    let isBusy: Bool

    init(_ row: Row) throws {
      standing = try Standing(row)
      isBusy = try row.get("is_busy")
    }
  }

  static func step(_ rows: Int, _ takesAll: Bool, _ scope: WorkspaceScope) -> SQL {
    "select * from figures_follow(\(scope.workspaceID), \(rows), \(takesAll))"
  }

  private func countedUntil(in scope: WorkspaceScope) async throws -> Date? {
    try await pool.query(
      """
      select seen_until from rollup_marks
      where workspace_id = \(scope.workspaceID) and feed = 'entries'
      """, in: scope
    ).first?.getIfPresent("seen_until")
  }
}

extension Rollup.Standing {
  init(_ row: Row) throws {
    isCurrent = try row.get("is_current")
    countedUntil = try row.getIfPresent("seen_until")
  }
}

extension Transaction {
  /// Keeps what an action costs from now on. What has been committed keeps the cost before it, so
  /// nobody counts uses meanwhile.
  func writeCost(
    of action: String, micros: Int64, currency: String, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      insert into rollup_marks (workspace_id, feed) values (\(scope.workspaceID), 'entries')
      on conflict do nothing
      """)
    try await execute(
      """
      select from rollup_marks where workspace_id = \(scope.workspaceID) and feed = 'entries'
      for update
      """)
    try await execute(
      """
      insert into action_costs (workspace_id, action, since, unit_cost_micros, cost_currency)
      values (\(scope.workspaceID), \(action), \(at), \(micros), \(currency))
      on conflict (workspace_id, action, since) do update
        set unit_cost_micros = excluded.unit_cost_micros,
          cost_currency = excluded.cost_currency, seen = excluded.seen
      """)
  }
}
