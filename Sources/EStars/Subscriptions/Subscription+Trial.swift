import Foundation
import Ledger
import Postgres

/// A wish to try a plan.
public struct TrialStart: Sendable, Equatable {
  public let telegramID: Int64
  public let plan: String
  /// nil where a person asks, in the dashboard.
  public let idempotencyKey: String?

  public init(telegramID: Int64, plan: String, idempotencyKey: String?) {
    self.telegramID = telegramID
    self.plan = plan
    self.idempotencyKey = idempotencyKey
  }
}

extension Subscription {
  /// Begins the trial of a plan: its features and the trial's credits until the trial is over.
  /// Nobody is charged by it; whoever wants to stay pays a link.
  ///
  /// - Returns: `isReplay` when the key had begun it before.
  /// - Throws: ``SubscriptionRefusal``, ``Checkout/Refusal/keyReused``, ``Workspace/Suspended``
  public static func startTrial(
    _ start: TrialStart, with bot: Bot, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (subscription: Subscription, isReplay: Bool) {
    try await pool.transaction(in: scope) { tx in
      try await tx.startTrial(start, with: bot, by: actor, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  func startTrial(
    _ start: TrialStart, with bot: Bot, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> (subscription: Subscription, isReplay: Bool) {
    if let key = start.idempotencyKey {
      let fingerprint = Bytes.fingerprint([
        "subscription", String(bot.id), String(start.telegramID), start.plan,
      ])
      let claimed = try await claimKey(
        key, operation: "subscription", fingerprint: fingerprint, in: scope, at: at)
      if !claimed {
        guard let known = try await trial(start, in: scope) else {
          throw Checkout.Refusal.keyReused
        }
        return (known, true)
      }
    }
    try await refuseWhileSuspended(in: scope)
    guard let plan = try await plan(start.plan, in: scope), !plan.isWithdrawn else {
      throw SubscriptionRefusal.unknownPlan
    }
    guard plan.hasTrial else { throw SubscriptionRefusal.noTrial }
    let customer = try await customer(
      telegramID: start.telegramID, name: nil, in: scope, at: at)
    try await lockCustomer(customer.id, in: scope)
    let had = try await query(
      """
      select coalesce(bool_or(state in ('trial', 'active', 'grace')), false) as has_one,
        coalesce(bool_or(plan = \(plan.key)), false) as has_had
      from subscriptions
      where workspace_id = \(scope.workspaceID) and customer_id = \(customer.id)
      """)[0]
    guard try !had.get("has_one", as: Bool.self) else {
      throw SubscriptionRefusal.alreadySubscribed
    }
    guard try !had.get("has_had", as: Bool.self) else { throw SubscriptionRefusal.trialUsed }
    let subscription = try await beginTrial(plan, customer.id, bot, in: scope, at: at)
    try await note(
      .trial, of: subscription, by: actor.kind == .operator ? actor.name : "bot",
      in: scope, at: at)
    let settled = try await settle(
      subscription.id, entitlements: plan.allEntitlements, in: scope, at: at)
    try await audit(
      actor, "subscription.trial_started", "subscription", String(subscription.id),
      after: ["plan": plan.key, "days": String(plan.trialDays)], in: scope, at: at)
    try await emit(.subscriptionTrialStarted, subscription.id, in: scope, at: at)
    return (settled, false)
  }

  private func trial(
    _ start: TrialStart, in scope: WorkspaceScope
  ) async throws -> Subscription? {
    try await query(
      """
      \(Subscription.select(in: scope)) and s.plan = \(start.plan) and s.is_trial
        and s.customer_id = (select customer_id from customers
          where workspace_id = \(scope.workspaceID) and telegram_id = \(start.telegramID))
      """
    ).first.map(Subscription.init)
  }

  private func beginTrial(
    _ plan: Plan, _ customer: Int64, _ bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    let end = at.addingTimeInterval(Double(plan.trialDays) * 86_400)
    let id: Int64 = try await query(
      """
      insert into subscriptions (workspace_id, bot_id, customer_id, plan, is_trial, state, renewal,
        stars, credit_unit, credits_per_cycle, rollover_cap_credits, grace_days, started_at,
        period_started_at, period_ends_at)
      values (\(scope.workspaceID), \(bot.id), \(customer), \(plan.key), true, 'trial', 'none', 0,
        \(plan.creditUnit), \(plan.trialCredits), 0, \(plan.graceDays), \(at), \(at), \(end))
      returning subscription_id
      """)[0].get("subscription_id")
    try await execute(
      """
      insert into subscription_cycles (workspace_id, subscription_id, cycle, starts_at, ends_at,
        credits)
      values (\(scope.workspaceID), \(id), 'trial', \(at), \(end), \(plan.trialCredits))
      """)
    if plan.trialCredits > 0 {
      let answer = try await credit(
        Grant(
          plan.trialCredits, source: .trial,
          expiresAt: end.addingTimeInterval(Double(plan.graceDays) * 86_400),
          ref: "subscription:\(id)"),
        to: Account(customer, unit: plan.creditUnit), key: "subscription:\(id):trial", in: scope,
        at: at)
      // An account that is full takes nothing that nobody paid for; the features are tried anyway.
      guard [.applied, .lotLimit].contains(answer.status) else {
        throw PaymentProblem.posting("trial's", answer.status)
      }
    }
    guard let subscription = try await subscription(id, in: scope) else {
      throw PaymentProblem(description: "a trial that began is not there")
    }
    return subscription
  }
}
