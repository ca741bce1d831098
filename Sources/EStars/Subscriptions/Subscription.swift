import Foundation
import Ledger
import Postgres

/// A customer's way through a plan: tried, paid, renewed, ended. It keeps the plan as it was sold;
/// every step it took is a ``Change``, every period it was paid for a ``Cycle``.
public struct Subscription: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    /// Nothing was paid.
    case trial
    /// In a paid period, or in one that an operator gave.
    case active
    /// After one; access goes on for ``Subscription/graceDays``.
    case grace
    case expired
    /// By an upgrade, by a downgrade whose time has come, or a trial by what was bought.
    case replaced

    /// Its customer has what the plan gives.
    public var isRunning: Bool { [.trial, .active, .grace].contains(self) }
  }

  public enum Renewal: String, Sendable, CaseIterable {
    /// Telegram renews it.
    case on
    /// It does not, as it told us or confirmed to us.
    case off
    /// Off; we stopped it once and let the customer switch it on again.
    case allowed
    /// There were too few Stars. Telegram may still renew it.
    case failed
    /// There is nothing to renew: trials and custom plans.
    case none
  }

  /// What Telegram is asked and has not confirmed.
  public enum Wish: String, Sendable { case cancel, allow }

  /// Who or what ended the renewal.
  public enum Cause: String, Sendable { case user, `operator`, bot, upgrade, downgrade, refund }

  public let id: Int64
  public let botID: Int64
  public let customerID: Int64
  /// The plan's key, as it is in checkouts and in the API.
  public let plan: String
  public let planTitle: String
  public let planKind: Plan.Kind
  public let tier: String
  public let checkoutID: Int64?
  public let isTrial: Bool
  public let state: State
  public let renewal: Renewal
  public let renewalEndedBy: Cause?
  public let wish: Wish?
  /// A ``Cause``, or the operator's e-mail address.
  public let wishBy: String?
  public let wishAt: Date?
  /// Why Telegram did not do what it was asked last: its words, or a code of ours after `estars:`.
  public let renewalError: String?
  /// Price of a cycle; 0 = nothing is paid.
  public let stars: Int64
  public let creditUnit: Int16
  /// nil = as many as they like.
  public let creditsPerCycle: Int64?
  public let rolloverCapCredits: Int64
  public let graceDays: Int
  /// Telegram knows a subscription by its first charge.
  public let firstChargeID: String?
  public let startedAt: Date
  public let periodStartedAt: Date
  /// `Date.distantFuture` = a custom plan without an end.
  public let periodEndsAt: Date
  public let endedAt: Date?
  /// A downgrade that waits for the end of the period and for its buyer to pay.
  public let nextPlan: String?
  let lastUpdateID: Int64?
  let lastUpdateAt: Date?

  /// Until when the customer has what the plan gives, if nothing else is paid.
  public var accessEndsAt: Date {
    if let endedAt { return endedAt }
    guard periodEndsAt < .distantFuture else { return .distantFuture }
    return periodEndsAt.addingTimeInterval(Double(graceDays) * 86_400)
  }

  /// Whether Telegram holds it, so that it can be renewed, stopped and switched on again.
  public var isRecurring: Bool { planKind == .recurring && !isTrial }

  /// We had Telegram stop it, and only we can let it go on.
  var isStoppedByUs: Bool {
    renewal == .off && renewalEndedBy != nil && renewalEndedBy != .user
  }

  init(_ row: Row) throws {
    id = try row.get("subscription_id")
    botID = try row.get("bot_id")
    customerID = try row.get("customer_id")
    plan = try row.get("plan")
    planTitle = try row.get("plan_title")
    planKind = Plan.Kind(rawValue: try row.get("plan_kind")) ?? .custom
    tier = try row.get("tier")
    checkoutID = try row.getIfPresent("checkout_id")
    isTrial = try row.get("is_trial")
    state = State(rawValue: try row.get("state")) ?? .expired
    renewal = Renewal(rawValue: try row.get("renewal")) ?? .none
    renewalEndedBy = try row.getIfPresent("renewal_ended_by", as: String.self)
      .flatMap(Cause.init(rawValue:))
    wish = try row.getIfPresent("renewal_wish", as: String.self).flatMap(Wish.init(rawValue:))
    wishBy = try row.getIfPresent("renewal_wish_by")
    wishAt = try row.getIfPresent("renewal_wish_at")
    renewalError = try row.getIfPresent("renewal_error")
    stars = try row.get("stars")
    creditUnit = try row.get("credit_unit")
    creditsPerCycle = try row.getIfPresent("credits_per_cycle")
    rolloverCapCredits = try row.get("rollover_cap_credits")
    graceDays = try row.get("grace_days")
    firstChargeID = try row.getIfPresent("first_charge_id")
    startedAt = try row.get("started_at")
    periodStartedAt = try row.get("period_started_at")
    periodEndsAt = try row.get("period_ends_at")
    endedAt = try row.getIfPresent("ended_at")
    nextPlan = try row.getIfPresent("next_plan")
    lastUpdateID = try row.getIfPresent("last_update_id")
    lastUpdateAt = try row.getIfPresent("last_update_at")
  }

  /// Of `subscriptions s`, to be narrowed with `and`.
  static func select(in scope: WorkspaceScope) -> SQL {
    """
    select s.*, p.title as plan_title, p.kind as plan_kind, p.tier
    from subscriptions s join plans p using (workspace_id, plan)
    where s.workspace_id = \(scope.workspaceID)
    """
  }
}

extension Subscription {
  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Subscription? {
    try await pool.query("\(select(in: scope)) and s.subscription_id = \(id)", in: scope).first
      .map(Subscription.init)
  }

  /// A customer's subscriptions, newest first.
  public static func of(
    customer id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Subscription] {
    try await pool.query(
      "\(select(in: scope)) and s.customer_id = \(id) order by s.subscription_id desc limit 100",
      in: scope
    ).map(Subscription.init)
  }

  /// The one that a customer is said to have: of those that run the one of the highest tier, then
  /// the one that lasts longest; nil for everybody else, who has the free plan, if any.
  ///
  /// - Parameter plan: Only of this plan.
  public static func current(
    of customer: Int64, plan: String? = nil, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Subscription? {
    let narrowed: SQL = plan.map { "and s.plan = \($0)" } ?? ""
    return try await pool.query(
      """
      \(select(in: scope)) and s.customer_id = \(customer)
        and s.state in ('trial', 'active', 'grace') \(narrowed)
      order by \(currentFirst) limit 1
      """, in: scope
    ).first.map(Subscription.init)
  }

  /// The order in which ``current(of:plan:in:_:)`` looks.
  static let currentFirst: SQL = """
    (select t.position from tiers t where t.workspace_id = p.workspace_id and t.tier = p.tier) desc,
    s.state = 'grace', s.period_ends_at desc, s.subscription_id desc
    """

  /// Which of them a list shows.
  public enum Filter: Sendable, Equatable {
    case all
    case running
    case state(State)
    /// Paid, and not renewed when the period ends.
    case ending
  }

  /// Newest first.
  ///
  /// - Parameter before: Only those with a lower number.
  public static func list(
    _ filter: Filter = .all, plan: String? = nil, before: Int64? = nil,
    limit: Int = Limits.pageSize, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Subscription] {
    let condition: SQL =
      switch filter {
      case .all: "true"
      case .running: "s.state in ('trial', 'active', 'grace')"
      case .state(let state): "s.state = \(state.rawValue)"
      case .ending: "s.state = 'active' and s.renewal in ('off', 'allowed', 'failed')"
      }
    let narrowed: SQL = plan.map { "and s.plan = \($0)" } ?? ""
    return try await pool.query(
      """
      \(select(in: scope)) and \(condition) \(narrowed) and s.subscription_id < \(before ?? .max)
      order by s.subscription_id desc limit \(limit)
      """, in: scope
    ).map(Subscription.init)
  }
}
