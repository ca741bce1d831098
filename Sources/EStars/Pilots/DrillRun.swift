import Foundation
import Ledger
import Postgres

/// All drills once through with one bot of a test side. Its times are those of our own clock: it is
/// evidence, and a test side's clock may be moved.
public struct DrillRun: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable { case running, passed, failed }

  public let id: Int64
  public let botID: Int64
  public let askedBy: String
  public let askedAt: Date
  public let finishedAt: Date?
  public let state: State
  /// In the order in which they run.
  public let drills: [Drill]

  private init(_ row: Row, _ drills: [Drill]) throws {
    id = try row.get("drill_run_id")
    botID = try row.get("bot_id")
    askedBy = try row.get("asked_by")
    askedAt = try row.get("asked_at")
    finishedAt = try row.getIfPresent("finished_at")
    state = State(rawValue: try row.get("state")) ?? .failed
    self.drills = Drill.Name.allCases.compactMap { name in drills.first { $0.name == name } }
  }

  public var passed: Int { drills.count { $0.state == .passed } }
  /// Those that were skipped among them.
  public var failed: Int { drills.count - passed }

  public func drill(_ name: Drill.Name) -> Drill? { drills.first { $0.name == name } }

  /// Whether it may stand for the workspace at this time.
  public func isEvidence(at: Date) -> Bool {
    guard state == .passed, let finishedAt else { return false }
    return at.timeIntervalSince(finishedAt) <= Limits.drillEvidenceSeconds
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> DrillRun? {
    try await load("and drill_run_id = \(id)", limit: 1, in: scope, pool).first
  }

  /// The newest, be it under way or not.
  ///
  /// - Parameter finished: Only one that came to its end.
  public static func latest(
    finished: Bool = false, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> DrillRun? {
    try await load(finished ? "and state <> 'running'" : "", limit: 1, in: scope, pool).first
  }

  /// Newest first, older than the run `before`.
  public static func recent(
    before: Int64? = nil, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [DrillRun] {
    try await load("and drill_run_id < \(before ?? .max)", limit: limit, in: scope, pool)
  }

  private static func load(
    _ condition: SQL, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [DrillRun] {
    let runs = try await pool.query(
      """
      select * from drill_runs where workspace_id = \(scope.workspaceID) \(condition)
      order by drill_run_id desc limit \(limit)
      """, in: scope)
    let ids = try runs.map { try $0.get("drill_run_id", as: Int64.self) }
    let rows = try await pool.query(
      """
      select * from drills where workspace_id = \(scope.workspaceID)
        and drill_run_id = any(\(ids))
      """, in: scope)
    let drills = try Dictionary(grouping: rows) { try $0.get("drill_run_id", as: Int64.self) }
    return try runs.map { row in
      try DrillRun(row, (drills[row.get("drill_run_id")] ?? []).map(Drill.init))
    }
  }
}

extension DrillRun {
  public enum Refusal: Error, Sendable, Equatable {
    /// No bot of a sandbox is connected.
    case noBot
  }

  /// Asks for all drills, with the given bot or else the one whose updates come to us. A run that is
  /// under way is given back instead.
  ///
  /// - Throws: ``Refusal``
  public static func start(
    with botID: Int64? = nil, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> DrillRun {
    let bots = try await sandboxBots(in: scope, pool)
    guard let bot = botID.map({ id in bots.first { $0.id == id } }) ?? bots.first else {
      throw Refusal.noBot
    }
    let id = try await pool.transaction(in: scope) { tx in
      try await tx.startDrills(with: bot, by: actor, in: scope, at: Date())
    }
    guard let run = try await find(id: id, in: scope, pool) else { throw Refusal.noBot }
    return run
  }

  /// The bots that drills may run with, those first whose updates come to us.
  public static func sandboxBots(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Bot] {
    let bots = try await Bot.all(in: scope, pool).filter {
      $0.isConnected && $0.environment == "sandbox"
    }
    return bots.filter { $0.mode != .forwarding } + bots.filter { $0.mode == .forwarding }
  }
}

extension Transaction {
  fileprivate func startDrills(
    with bot: Bot, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Int64 {
    let workspace = scope.workspaceID
    // Whoever comes second holds the row of the first, which therefore cannot end meanwhile.
    let row = try await query(
      """
      insert into drill_runs as r (workspace_id, bot_id, asked_by, asked_at)
      values (\(workspace), \(bot.id), \(actor.name), \(at))
      on conflict (workspace_id) where state = 'running' do update set asked_by = r.asked_by
      returning drill_run_id, xmax = 0 as is_new
      """)[0]
    let id: Int64 = try row.get("drill_run_id")
    guard try row.get("is_new") else { return id }
    try await execute(
      """
      insert into drills (workspace_id, drill_run_id, drill)
      select \(workspace)::bigint, \(id)::bigint, n
      from unnest(\(Drill.Name.allCases.map(\.rawValue))::text[]) n
      """)
    try await Job.enqueue(.drillsRun, subject: String(id), in: scope, self)
    try await audit(
      actor, "drill_run.started", "drill_run", String(id), after: ["bot": "@\(bot.username)"],
      in: scope, at: scope.now)
    return id
  }
}
