import Foundation
import Ledger
import Postgres

/// A business as admins see it: its live side stands for both. Nothing here comes from what its
/// customers did but counts and dates.
public struct Business: Sendable, Equatable {
  /// The newest drills that ran to their end.
  public struct Drills: Sendable, Equatable {
    public let finishedAt: Date
    public let passed: Int
    public let failed: Int
  }

  public let live: Workspace
  /// Where drills run and nothing is at stake; nil where there is none.
  public let test: Workspace?
  public let segment: Bot.Segment
  public let createdAt: Date
  /// Bots that are connected, on both sides.
  public let bots: Int
  public let owners: Int
  public let drills: Drills?
  public let onboardedAt: Date?

  private static let select: SQL = """
    select \(Workspace.columns), w.segment, w.created_at, w.drills_finished_at, w.drills_passed,
      w.drills_failed, w.onboarded_at,
      (select count(*) from bots b where b.workspace_id in (w.workspace_id, w.twin_id)
        and b.disconnected_at is null) as bot_count,
      (select count(*) from memberships m where m.workspace_id = w.workspace_id
        and m.role = 'owner') as owner_count
    from workspaces w
    """

  private init(_ row: Row, _ twins: [Int64: Workspace]) throws {
    live = try Workspace(row)
    test = live.twinID.flatMap { twins[$0] }
    segment = Bot.Segment(rawValue: try row.get("segment")) ?? .serviceBot
    createdAt = try row.get("created_at")
    bots = try row.get("bot_count")
    owners = try row.get("owner_count")
    onboardedAt = try row.getIfPresent("onboarded_at")
    drills = try row.getIfPresent("drills_finished_at", as: Date.self).map {
      Drills(
        finishedAt: $0, passed: try row.getIfPresent("drills_passed") ?? 0,
        failed: try row.getIfPresent("drills_failed") ?? 0)
    }
  }

  /// Newest first.
  ///
  /// - Parameters:
  ///   - stage: nil = at any.
  ///   - text: A part of the name or slug; empty = all.
  ///   - before: The workspace after which the page goes on.
  public static func all(
    at stage: Workspace.Stage? = nil, named text: String = "", before: Int64? = nil, limit: Int,
    _ pool: Pool
  ) async throws -> [Business] {
    let pattern = text.isEmpty ? nil : "%" + text.replacing(/[\\%_]/) { "\\" + $0.output } + "%"
    return try await load(
      """
      \(select) where w.side = 'live' and w.workspace_id < \(before ?? .max)
        and (\(stage?.rawValue)::text is null or w.stage = \(stage?.rawValue)::text)
        and (\(pattern)::text is null or w.name ilike \(pattern)::text
          or w.slug ilike \(pattern)::text)
      order by w.workspace_id desc limit \(limit)
      """, pool)
  }

  public static func find(id: Int64, _ pool: Pool) async throws -> Business? {
    try await load("\(select) where w.side = 'live' and w.workspace_id = \(id)", pool).first
  }

  private static func load(_ sql: SQL, _ pool: Pool) async throws -> [Business] {
    let rows = try await pool.query(sql)
    let ids = try rows.compactMap { try $0.getIfPresent("twin_id", as: Int64.self) }
    let twins = try await Workspace.all(of: ids, pool)
    return try rows.map { try Business($0, twins) }
  }

  /// Names by the live side's number.
  public static func names(of ids: [Int64], _ pool: Pool) async throws -> [Int64: String] {
    guard !ids.isEmpty else { return [:] }
    return try await pool.query(
      "select workspace_id, name from workspaces where workspace_id = any(\(ids))"
    ).reduce(into: [:]) { $0[try $1.get("workspace_id", as: Int64.self)] = try $1.get("name") }
  }

  /// How many businesses are at each stage.
  public static func counts(_ pool: Pool) async throws -> [Workspace.Stage: Int] {
    try await pool.query(
      "select stage, count(*) as count from workspaces where side = 'live' group by stage"
    ).reduce(into: [:]) { counts, row in
      guard let stage = Workspace.Stage(rawValue: try row.get("stage")) else { return }
      counts[stage] = try row.get("count")
    }
  }

  /// How both sides do: a question to each, at the same time. Row-level security lets nobody ask many
  /// workspaces at once, so a list asks those of one page.
  public func health(
    _ pool: Pool
  ) async throws -> (live: WorkspaceHealth, test: WorkspaceHealth?) {
    async let live = WorkspaceHealth.load(of: live, pool)
    guard let other = test else { return (try await live, nil) }
    async let test = WorkspaceHealth.load(of: other, pool)
    return (try await live, try await test)
  }
}

/// How one side of a business does, in numbers.
public struct WorkspaceHealth: Sendable, Equatable {
  /// When the ledger was verified last; nil: never.
  public let verifiedAt: Date?
  public let verificationProblems: Int
  public let openMismatches: Int
  /// Jobs whose last try failed and that are tried again.
  public let failingJobs: Int
  /// Bots whose webhook is slow or fails just now.
  public let webhookTroubles: Int

  public var isWell: Bool {
    verificationProblems + openMismatches + failingJobs + webhookTroubles == 0
  }

  fileprivate static func load(
    of workspace: Workspace, _ pool: Pool
  ) async throws -> WorkspaceHealth {
    let (id, scope) = (workspace.id, workspace.scope)
    let troubles = [Alert.Kind.webhookFailing, .webhookSlow].map(\.rawValue)
    let row = try await pool.query(
      """
      select v.verified_at, coalesce(v.problem_count, 0) as problems,
        (select count(*) from mismatches where workspace_id = \(id) and state = 'open')
          as mismatches,
        (select count(*) from jobs where workspace_id = \(id) and finished_at is null
          and last_error is not null) as failing,
        (select count(distinct subject) from alerts where workspace_id = \(id)
          and ended_at is null and alert_kind = any(\(troubles))) as webhooks
      from (select 1) one left join lateral (
        select verified_at, problem_count from ledger_verifications where workspace_id = \(id)
        order by verified_at desc limit 1) v on true
      """, in: scope)[0]
    return WorkspaceHealth(
      verifiedAt: try row.getIfPresent("verified_at"),
      verificationProblems: try row.get("problems"),
      openMismatches: try row.get("mismatches"), failingJobs: try row.get("failing"),
      webhookTroubles: try row.get("webhooks"))
  }
}
