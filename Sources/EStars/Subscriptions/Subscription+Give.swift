import Foundation
import Ledger
import Postgres

/// A custom plan that an operator gives.
public struct PlanGift: Sendable, Equatable {
  public let plan: String
  public let customerID: Int64
  /// nil = without an end.
  public let until: Date?
  public let reason: String

  public init(plan: String, customerID: Int64, until: Date?, reason: String) {
    self.plan = plan
    self.customerID = customerID
    self.until = until
    self.reason = reason
  }
}

extension Subscription {
  /// Gives a customer a custom plan, in the place of the one that the customer may have.
  ///
  /// - Parameter bot: Which tells its customer.
  /// - Throws: ``SubscriptionRefusal``
  public static func give(
    _ gift: PlanGift, with bot: Bot, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Subscription {
    try await pool.transaction(in: scope) { tx in
      try await tx.give(gift, with: bot, by: actor, in: scope, at: scope.now)
    }
  }

  /// Ends a custom plan now.
  ///
  /// - Throws: ``SubscriptionRefusal``
  public static func withdraw(
    _ id: Int64, reason: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Subscription {
    try await pool.transaction(in: scope) { tx in
      guard let subscription = try await tx.lockSubscription(id, in: scope) else {
        throw SubscriptionRefusal.notFound
      }
      guard subscription.planKind == .custom else { throw SubscriptionRefusal.notCustom }
      guard subscription.state.isRunning else { return subscription }
      try await tx.endGift(
        subscription, .expired, .expire, reason: reason, by: actor, in: scope, at: scope.now)
      try await tx.emit(.subscriptionExpired, id, in: scope, at: scope.now)
      return try await tx.subscription(id, in: scope) ?? subscription
    }
  }
}

extension Transaction {
  func give(
    _ gift: PlanGift, with bot: Bot, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    guard let plan = try await plan(gift.plan, in: scope), !plan.isWithdrawn else {
      throw SubscriptionRefusal.unknownPlan
    }
    guard plan.kind == .custom else { throw SubscriptionRefusal.notCustom }
    guard gift.until.map({ $0 > at }) ?? true else { throw SubscriptionRefusal.pastEnd }
    try await lockCustomer(gift.customerID, in: scope)
    let others = try await query(
      """
      \(Subscription.select(in: scope)) and s.customer_id = \(gift.customerID)
        and s.state in ('active', 'grace') and p.kind = 'custom'
      """
    ).map(Subscription.init)
    let id = try await query(
      """
      insert into subscriptions (workspace_id, bot_id, customer_id, plan, state, renewal, stars,
        credit_unit, credits_per_cycle, rollover_cap_credits, grace_days, started_at,
        period_started_at, period_ends_at)
      select \(scope.workspaceID)::bigint, \(bot.id)::bigint, customer_id, \(plan.key), 'active',
        'none', 0, \(plan.creditUnit)::smallint, \(plan.creditsPerCycle)::bigint,
        \(plan.rolloverCapCredits)::bigint, \(plan.graceDays)::int, \(at)::timestamptz,
        \(at)::timestamptz, \(gift.until ?? .distantFuture)::timestamptz
      from customers
      where workspace_id = \(scope.workspaceID) and customer_id = \(gift.customerID)
      returning subscription_id
      """
    ).first?.get("subscription_id", as: Int64.self)
    guard let id, let subscription = try await subscription(id, in: scope) else {
      throw SubscriptionRefusal.notFound
    }
    try await note(
      .subscribe, of: subscription, by: actor.name, from: others.first?.plan,
      reason: gift.reason, in: scope, at: at)
    let settled = try await settle(
      id, entitlements: plan.allEntitlements, in: scope, at: at)
    try await giveCycle(settled, in: scope, at: at)
    for other in others {
      try await endGift(
        other, .replaced, .replace, reason: gift.reason, by: actor, in: scope, at: at)
    }
    try await audit(
      actor, "subscription.given", "subscription", String(id),
      after: ["plan": plan.key, "until": gift.until?.formatted(.iso8601) ?? ""],
      reason: gift.reason.isEmpty ? nil : gift.reason, in: scope, at: at)
    try await emit(.subscriptionStarted, id, in: scope, at: at)
    return settled
  }

  fileprivate func endGift(
    _ subscription: Subscription, _ state: Subscription.State, _ kind: Subscription.Change.Kind,
    reason: String, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      update subscriptions set state = \(state.rawValue), ended_at = \(at),
        period_ends_at = greatest(least(period_ends_at, \(at)),
          period_started_at + interval '1 second')
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
      """)
    try await note(
      kind, of: subscription, by: actor.name, reason: reason, in: scope, at: at)
    try await writeAccess(subscription, nil, until: nil, in: scope, at: at)
    try await writeUnlimited(subscription.customerID, in: scope)
    guard kind == .expire else { return }
    try await audit(
      actor, "subscription.withdrawn", "subscription", String(subscription.id),
      before: ["plan": subscription.plan], reason: reason.isEmpty ? nil : reason, in: scope, at: at)
  }

  /// The credits of a custom plan's present cycle: 30 days each, from its first day on. What may be
  /// carried is a lot of its own that lives a cycle longer; credits that expire sooner are used
  /// first, so that what is left of it is what is left of the cycle, up to the cap.
  func giveCycle(
    _ subscription: Subscription, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard let credits = subscription.creditsPerCycle, subscription.state == .active else { return }
    let length = Double(Subscription.monthSeconds)
    // The database keeps microseconds, so that the beginning may seem to be a little ahead.
    let number = max(0, Int64(at.timeIntervalSince(subscription.startedAt) / length))
    let start = subscription.startedAt.addingTimeInterval(Double(number) * length)
    let end = min(start.addingTimeInterval(length), subscription.periodEndsAt)
    guard end > at else { return }
    let isNew = try await execute(
      """
      insert into subscription_cycles (workspace_id, subscription_id, cycle, starts_at, ends_at,
        credits)
      values (\(scope.workspaceID), \(subscription.id), \(String(number + 1)), \(start), \(end),
        \(credits))
      on conflict do nothing
      """)
    guard isNew == 1 else { return }
    try await creditWithRollover(
      credits, cap: subscription.rolloverCapCredits, until: end,
      longerUntil: end.addingTimeInterval(length),
      to: Account(subscription.customerID, unit: subscription.creditUnit),
      key: "subscription:\(subscription.id):\(number + 1)", in: scope, at: at)
  }

  /// Credits that nobody paid for, of which the last ones to be used live longer.
  func creditWithRollover(
    _ credits: Int64, cap: Int64, until: Date, longerUntil: Date, to account: Account,
    key: String, in scope: WorkspaceScope, at: Date
  ) async throws {
    let longer = min(cap, credits)
    for (amount, end, suffix) in [
      (credits - longer, until, ""), (longer, longerUntil, ":rollover"),
    ]
    where amount > 0 {
      let answer = try await credit(
        Grant(amount, source: .subscription, expiresAt: end, ref: key), to: account,
        key: key + suffix, in: scope, at: at)
      // An account that is full takes nothing that nobody paid for.
      guard [.applied, .replayed, .lotLimit].contains(answer.status) else {
        throw PaymentProblem.posting("plan's", answer.status)
      }
    }
  }
}
