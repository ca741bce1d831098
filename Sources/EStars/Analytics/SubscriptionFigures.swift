import Foundation
import Ledger
import Postgres

/// What the subscriptions of a plan came to.
public struct SubscriptionFigures: Sendable, Equatable {
  public let plan: String
  public let title: String
  public let tier: String
  /// At the end of the last day, or now. Trials are not active.
  public let active: Int64
  /// Stars that the renewed ones bring in 30 days.
  public let monthlyStars: Int64
  /// Active at the end of the day before the first one.
  public let activeBefore: Int64
  public let monthlyStarsBefore: Int64
  public let started: Int64
  public let renewed: Int64
  /// Ended, whatever ended them.
  public let churned: Int64
  public let trialsStarted: Int64
  /// Trials whose customers bought a plan for the first time.
  public let trialsConverted: Int64

  public init(
    plan: String, title: String, tier: String, active: Int64, monthlyStars: Int64,
    activeBefore: Int64, monthlyStarsBefore: Int64, started: Int64, renewed: Int64, churned: Int64,
    trialsStarted: Int64, trialsConverted: Int64
  ) {
    (self.plan, self.title, self.tier) = (plan, title, tier)
    (self.active, self.monthlyStars) = (active, monthlyStars)
    (self.activeBefore, self.monthlyStarsBefore) = (activeBefore, monthlyStarsBefore)
    (self.started, self.renewed, self.churned) = (started, renewed, churned)
    (self.trialsStarted, self.trialsConverted) = (trialsStarted, trialsConverted)
  }

  /// In the operator's order of plans; those that nobody ever had are left out.
  public static func byPlan(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [SubscriptionFigures] {
    func standing(_ day: Day) -> SQL {
      """
      select d.active, d.mrr_stars from subscription_days d
      where d.workspace_id = \(scope.workspaceID) and d.plan = p.plan
        and d.day <= \(day.description)::date
      order by d.day desc limit 1
      """
    }
    return try await pool.query(
      """
      select p.plan, p.title, p.tier, coalesce(n.active, 0) as active,
        coalesce(n.mrr_stars, 0) as mrr_stars, coalesce(b.active, 0) as active_before,
        coalesce(b.mrr_stars, 0) as mrr_stars_before, s.*
      from plans p
      left join lateral (\(standing(days.upperBound))) n on true
      left join lateral (\(standing(days.lowerBound.advanced(by: -1)))) b on true
      cross join lateral (
        select coalesce(sum(d.started), 0)::bigint as started,
          coalesce(sum(d.renewed), 0)::bigint as renewed,
          coalesce(sum(d.churned), 0)::bigint as churned,
          coalesce(sum(d.trials_started), 0)::bigint as trials_started,
          coalesce(sum(d.trials_converted), 0)::bigint as trials_converted
        from subscription_days d
        where d.workspace_id = \(scope.workspaceID) and d.plan = p.plan and \(days.covers("d.day"))
      ) s
      where p.workspace_id = \(scope.workspaceID) and (n.active is not null or s.trials_started > 0)
      order by p.position, p.plan
      """, in: scope
    ).map { row in
      SubscriptionFigures(
        plan: try row.get("plan"), title: try row.get("title"), tier: try row.get("tier"),
        active: try row.get("active"), monthlyStars: try row.get("mrr_stars"),
        activeBefore: try row.get("active_before"),
        monthlyStarsBefore: try row.get("mrr_stars_before"), started: try row.get("started"),
        renewed: try row.get("renewed"), churned: try row.get("churned"),
        trialsStarted: try row.get("trials_started"),
        trialsConverted: try row.get("trials_converted"))
    }
  }

  /// Monthly recurring revenue in Stars, at the end of each of the days.
  public static func monthlyStars(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64] {
    // A day has a row only where something changed on it.
    let rows = try await pool.query(
      """
      select d.plan, greatest(d.day, \(days.lowerBound.description)::date)::text as day, d.mrr_stars
      from subscription_days d
      where d.workspace_id = \(scope.workspaceID)
        and d.day <= \(days.upperBound.description)::date
        and d.day >= coalesce((
          select max(o.day) from subscription_days o
          where o.workspace_id = \(scope.workspaceID) and o.plan = d.plan
            and o.day <= \(days.lowerBound.description)::date), d.day)
      order by d.day
      """, in: scope)
    var changes: [Day: [(plan: String, stars: Int64)]] = [:]
    for row in rows {
      changes[try row.day("day"), default: []]
        .append((plan: try row.get("plan"), stars: try row.get("mrr_stars")))
    }
    var standing: [String: Int64] = [:]
    return days.map { day in
      for change in changes[day] ?? [] { standing[change.plan] = change.stars }
      return standing.values.reduce(0, +)
    }
  }
}
