import Foundation
import Ledger
import Postgres

/// When a customer who never bought gets credits for nothing, and how many a day there are.
public struct TrialPolicy: Sendable, Equatable {
  /// Credits of one grant.
  public var credits: Int64
  /// Credits for all customers together, in a day of the workspace's time zone.
  public var creditsPerDay: Int64
  /// What engagement, intent and the bonus of a paid source must reach together.
  public var minScore: Int
  /// Points for a customer who came through advertising that costs money.
  public var paidBonus: Int
  /// Traffic sources that count as paid, in small letters.
  public var paidSources: [String]

  public init(
    credits: Int64, creditsPerDay: Int64, minScore: Int, paidBonus: Int, paidSources: [String]
  ) {
    self.credits = credits
    self.creditsPerDay = creditsPerDay
    self.minScore = minScore
    self.paidBonus = paidBonus
    self.paidSources = paidSources
  }

  /// What every workspace begins with.
  public static let initial = TrialPolicy(
    credits: 1, creditsPerDay: 20, minScore: 12, paidBonus: 5,
    paidSources: ["yandex", "google", "facebook", "instagram", "tiktok", "telegram_ads"])

  static let columns: SQL = """
    trial_credits, trial_credits_per_day, trial_min_score, trial_paid_bonus, trial_paid_sources
    """

  init(_ row: Row) throws {
    credits = try row.get("trial_credits")
    creditsPerDay = try row.get("trial_credits_per_day")
    minScore = try row.get("trial_min_score")
    paidBonus = try row.get("trial_paid_bonus")
    paidSources = try row.get("trial_paid_sources")
  }

  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> TrialPolicy {
    try TrialPolicy(
      try await pool.query(
        "select \(columns) from workspaces where workspace_id = \(scope.workspaceID)", in: scope)[0]
    )
  }

  /// Credits given today, in the workspace's time zone.
  public static func givenToday(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int64 {
    try await pool.query(
      """
      select coalesce((
        select d.credits from trial_days d where d.workspace_id = w.workspace_id
          and d.day = (\(scope.now)::timestamptz at time zone w.time_zone)::date), 0)::bigint as given
      from workspaces w where w.workspace_id = \(scope.workspaceID)
      """, in: scope)[0].get("given")
  }

  public func isPaid(_ source: String) -> Bool { paidSources.contains(source.lowercased()) }
}
