import Foundation
@_spi(Guard) import Ledger
import Postgres

/// One side (live or test) of an operator's business, with a ledger of its own.
public struct Workspace: Sendable, Equatable {
  public enum Side: String, Sendable { case live, test }
  public enum OutagePolicy: String, Sendable, CaseIterable { case accept, refuse }

  public let id: Int64
  public let slug: String
  public let name: String
  public let side: Side
  /// The other side of the same business.
  public let twinID: Int64?
  /// What most of its bots sell.
  public let segment: Bot.Segment
  public let timeZone: TimeZone
  public let locale: String
  /// Seconds added to the wall clock; 0 on a live side.
  public let clockOffsetSeconds: Int
  public let preCheckoutOutagePolicy: OutagePolicy
  public let stage: Stage
  /// nil unless the stage is ``Stage/suspended``.
  public let suspension: Suspension?

  /// Whether its owners have gone through the first steps, or put them away.
  public let isOnboarded: Bool

  /// The right to act here. Only guards (session, API key, webhook secret) and jobs may take it.
  @_spi(Guard) public var scope: WorkspaceScope {
    WorkspaceScope(workspaceID: id, clockOffsetSeconds: clockOffsetSeconds)
  }

  static let columns: SQL = """
    w.workspace_id, w.slug, w.name, w.side, w.twin_id, w.segment, w.time_zone, w.locale,
    w.clock_offset_seconds, w.pre_checkout_outage_policy, w.stage, w.suspended_from,
    w.suspended_at, w.suspension_reason, w.onboarded_at is not null as is_onboarded
    """

  init(_ row: Row) throws {
    id = try row.get("workspace_id")
    slug = try row.get("slug")
    name = try row.get("name")
    side = try row.get("side", as: String.self) == "live" ? .live : .test
    twinID = try row.getIfPresent("twin_id")
    segment = Bot.Segment(rawValue: try row.get("segment")) ?? .serviceBot
    timeZone = TimeZone(identifier: try row.get("time_zone")) ?? .gmt
    locale = try row.get("locale")
    clockOffsetSeconds = try row.get("clock_offset_seconds")
    preCheckoutOutagePolicy =
      OutagePolicy(rawValue: try row.get("pre_checkout_outage_policy")) ?? .accept
    stage = Stage(rawValue: try row.get("stage")) ?? .approved
    suspension = try Suspension(row)
    isOnboarded = try row.get("is_onboarded")
  }

  /// Sets how far a test side's clock is from ours. A live side has no clock of its own.
  public static func moveClock(
    ofTestSide slug: String, offsetSeconds: Int, _ pool: Pool
  ) async throws {
    try await pool.execute(
      """
      update workspaces set clock_offset_seconds = \(offsetSeconds)
      where slug = \(slug) and side = 'test'
      """)
  }

  public static func find(id: Int64, _ pool: Pool) async throws -> Workspace? {
    try await pool.query(
      "select \(columns) from workspaces w where w.workspace_id = \(id)"
    ).first.map(Workspace.init)
  }

  public static func find(slug: String, _ pool: Pool) async throws -> Workspace? {
    try await pool.query("select \(columns) from workspaces w where w.slug = \(slug)").first
      .map(Workspace.init)
  }

  /// Those of these numbers, by number.
  static func all(of ids: [Int64], _ pool: Pool) async throws -> [Int64: Workspace] {
    guard !ids.isEmpty else { return [:] }
    return try await pool.query(
      "select \(columns) from workspaces w where w.workspace_id = any(\(ids))"
    ).reduce(into: [:]) { $0[try $1.get("workspace_id", as: Int64.self)] = try Workspace($1) }
  }

  /// Every workspace, for jobs and for the memory that pre-checkout answers from.
  public static func all(_ pool: Pool) async throws -> [Workspace] {
    try await pool.query("select \(columns) from workspaces w order by w.workspace_id")
      .map(Workspace.init)
  }
}
