import Foundation
import Ledger
import Postgres

extension Subscription {
  /// A step that it took.
  public struct Change: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
      case trial, subscribe, renew, upgrade, downgrade, cancel, allow, reenable, fail, grace
      case expire, refund, replace
    }

    public let step: Int
    public let kind: Kind
    /// `user`, `telegram`, `job`, `bot`, or an operator's e-mail address.
    public let by: String
    public let fromPlan: String?
    public let toPlan: String?
    public let chargeID: String?
    /// A code, or an operator's words.
    public let reason: String
    public let at: Date

    init(_ row: Row) throws {
      step = try row.get("step")
      kind = Kind(rawValue: try row.get("kind")) ?? .renew
      by = try row.get("by")
      fromPlan = try row.getIfPresent("from_plan")
      toPlan = try row.getIfPresent("to_plan")
      chargeID = try row.getIfPresent("charge_id")
      reason = try row.get("reason")
      at = try row.get("at")
    }
  }

  /// A period and what came with it.
  public struct Cycle: Sendable, Equatable {
    public let chargeID: String?
    /// Of its charge.
    public let paymentID: Int64?
    public let startsAt: Date
    public let endsAt: Date
    public let credits: Int64
    /// Credits that came over from the cycles before.
    public let carriedCredits: Int64
    public let refundedAt: Date?

    init(_ row: Row) throws {
      chargeID = try row.getIfPresent("charge_id")
      paymentID = try row.getIfPresent("payment_id")
      startsAt = try row.get("starts_at")
      endsAt = try row.get("ends_at")
      credits = try row.get("credits")
      carriedCredits = try row.get("carried_credits")
      refundedAt = try row.getIfPresent("refunded_at")
    }
  }

  /// Every step it took, newest first.
  public func changes(
    limit: Int = 200, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Change] {
    try await pool.query(
      """
      select * from subscription_changes
      where workspace_id = \(scope.workspaceID) and subscription_id = \(id)
      order by step desc limit \(limit)
      """, in: scope
    ).map(Change.init)
  }

  /// Newest first.
  public func cycles(
    limit: Int = 200, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Cycle] {
    try await pool.query(
      """
      select c.*, p.payment_id from subscription_cycles c
      left join payments p on p.workspace_id = c.workspace_id and p.bot_id = \(botID)
        and p.charge_id = c.charge_id
      where c.workspace_id = \(scope.workspaceID) and c.subscription_id = \(id)
      order by c.starts_at desc, c.cycle desc limit \(limit)
      """, in: scope
    ).map(Cycle.init)
  }
}

/// What the running subscriptions of one plan come to.
public struct PlanStanding: Sendable, Equatable {
  public let plan: String
  public let title: String
  public let tier: String
  public let trials: Int
  public let active: Int
  public let inGrace: Int
  /// Of the active ones, those that Telegram renews: monthly recurring revenue counts them alone.
  public let renewing: Int
  /// Stars a month.
  public let monthlyStars: Int64

  /// Monthly recurring revenue: what the subscriptions that are active and renewed bring in 30 days.
  /// Trials, grace and those that are cancelled count nothing.
  public static func monthlyStars(_ standings: [PlanStanding]) -> Int64 {
    standings.reduce(0) { $0 + $1.monthlyStars }
  }

  /// Plans in force and plans that somebody still has, in the operator's order.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [PlanStanding] {
    try await pool.query(
      """
      select p.plan, p.title, p.tier, count(*) filter (where s.state = 'trial') as trials,
        count(*) filter (where s.state = 'active') as active,
        count(*) filter (where s.state = 'grace') as in_grace,
        count(*) filter (where s.state = 'active' and s.renewal = 'on') as renewing,
        coalesce(round(sum(s.stars * \(Subscription.monthSeconds)
            / extract(epoch from s.period_ends_at - s.period_started_at))
          filter (where s.state = 'active' and s.renewal = 'on')), 0)::bigint as monthly_stars
      from plans p
      left join subscriptions s on s.workspace_id = p.workspace_id and s.plan = p.plan
        and s.state in ('trial', 'active', 'grace')
      where p.workspace_id = \(scope.workspaceID)
      group by p.workspace_id, p.plan
      having p.withdrawn_at is null or count(s.subscription_id) > 0
      order by p.position, p.plan
      """, in: scope
    ).map { row in
      PlanStanding(
        plan: try row.get("plan"), title: try row.get("title"), tier: try row.get("tier"),
        trials: try row.get("trials"), active: try row.get("active"),
        inGrace: try row.get("in_grace"), renewing: try row.get("renewing"),
        monthlyStars: try row.get("monthly_stars"))
    }
  }
}

extension Subscription {
  /// Telegram's month, in seconds.
  public static let monthSeconds: Int64 = 2_592_000
}
