import Foundation
import Ledger
import Postgres

/// A payment of a plan: which subscription it is of, and for which time.
struct PlanSale: Sendable {
  /// nil: it begins one.
  let subscription: Subscription?
  /// A subscription that Telegram began from an invoice that was paid before.
  let isSecond: Bool
  let startsAt: Date
  let endsAt: Date

  init(
    _ charge: ReportedCharge, _ checkout: Checkout, _ known: [(Subscription, hasFirst: Bool)]
  ) {
    let period = Double(checkout.periodSeconds ?? Int(Subscription.monthSeconds))
    let told = charge.payment.subscriptionExpirationDate
      .map { Date(timeIntervalSince1970: Double($0)) }
    // A year is more than any period that Telegram has.
    let isSound = told.map { abs($0.timeIntervalSince(charge.paidAt)) < 366 * 86_400 } ?? false
    let end = isSound ? told ?? charge.paidAt : charge.paidAt.addingTimeInterval(period)
    endsAt = end
    startsAt = end.addingTimeInterval(-period)
    guard charge.payment.isFirstRecurring ?? false else {
      // Of two that came from one invoice it renews the one whose time it takes up.
      subscription = known.map(\.0).min {
        abs($0.periodEndsAt.timeIntervalSince(end.addingTimeInterval(-period)))
          < abs($1.periodEndsAt.timeIntervalSince(end.addingTimeInterval(-period)))
      }
      isSecond = false
      return
    }
    subscription = known.first { !$0.hasFirst }?.0
    isSecond = subscription == nil && !known.isEmpty
  }
}

/// What a subscription that begins means for those that the customer has.
private struct Takeover {
  /// Trials, and whatever the new plan is more than.
  var replaced: [Subscription] = []
  /// Paid to their end, and not renewed after it.
  var runningOut: [Subscription] = []

  init(_ plan: Plan, _ checkout: Checkout, _ running: [Subscription], isSecond: Bool) {
    for other in running {
      if other.isTrial {
        replaced.append(other)
      } else if other.isRecurring, !isSecond {
        let isMore = checkout.stars > other.stars
        let isOther = checkout.stars == other.stars && other.plan != plan.key
        if isMore || isOther || other.state == .grace {
          replaced.append(other)
        } else {
          runningOut.append(other)
        }
      }
    }
  }

  var upgradedFrom: Subscription? { replaced.first { !$0.isTrial } }

  func kind(_ plan: Plan) -> (Subscription.Change.Kind, from: String?) {
    if let old = upgradedFrom, old.plan != plan.key {
      return (old.stars > (plan.stars ?? 0) ? .downgrade : .upgrade, old.plan)
    }
    if let old = runningOut.first(where: { $0.plan != plan.key }) { return (.downgrade, old.plan) }
    return (.subscribe, (replaced.first ?? runningOut.first)?.plan)
  }

  func event(_ plan: Plan) -> Event.Kind {
    switch kind(plan).0 {
    case .upgrade: .subscriptionUpgraded
    case .downgrade: .subscriptionDowngraded
    default: .subscriptionStarted
    }
  }
}

extension Transaction {
  /// Looks up what a payment of a plan pays. Takes the customer's row.
  func planSale(
    _ charge: ReportedCharge, of checkout: Checkout, by customer: Customer, to bot: Bot,
    in scope: WorkspaceScope
  ) async throws -> PlanSale {
    try await lockCustomer(customer.id, in: scope)
    return PlanSale(
      charge, checkout,
      try await subscriptions(of: checkout.id, customer: customer.id, in: scope))
  }

  /// Subscriptions that a customer began by paying a checkout's invoice, newest first, and whether
  /// the first payment of each is known.
  func subscriptions(
    of checkout: Int64, customer: Int64, in scope: WorkspaceScope
  ) async throws -> [(Subscription, hasFirst: Bool)] {
    try await query(
      """
      with paid as (
        select subscription_id, is_first_recurring from payments
        where workspace_id = \(scope.workspaceID) and customer_id = \(customer)
          and checkout_id = \(checkout))
      select f.*, exists (select from paid y where y.subscription_id = f.subscription_id
        and y.is_first_recurring) as has_first
      from (\(Subscription.select(in: scope)) and s.customer_id = \(customer)
        and (s.checkout_id = \(checkout) or s.subscription_id in (
          select y.subscription_id from paid y))) f
      order by f.subscription_id desc
      """
    ).map { (try Subscription($0), try $0.get("has_first")) }
  }

  /// Books a payment of a plan: the subscription, its cycle, credits and access. It does not matter
  /// in which order the payments of a subscription, their refunds and Telegram's word about its
  /// renewal arrive.
  ///
  /// - Parameter isCredited: false where the Stars had gone back before.
  func payPlan(
    _ payment: Payment, _ charge: ReportedCharge, _ sale: PlanSale, _ checkout: Checkout,
    isCredited: Bool, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard let plan = try await plan(checkout.sku, in: scope) else {
      throw PaymentProblem(description: "a plan that was sold is not there")
    }
    let running = try await running(of: payment.customerID, in: scope)
    let takeover =
      sale.subscription == nil
      ? Takeover(plan, checkout, running, isSecond: sale.isSecond) : nil
    let subscription: Subscription
    if let known = sale.subscription {
      subscription = known
    } else {
      subscription = try await begin(plan, payment, checkout, sale, in: scope, at: at)
    }
    try await execute(
      """
      update payments set subscription_id = \(subscription.id), period_ends_at = \(sale.endsAt)
      where workspace_id = \(scope.workspaceID) and payment_id = \(payment.id)
      """)
    try await execute(
      """
      insert into subscription_cycles (workspace_id, subscription_id, cycle, charge_id, starts_at,
        ends_at, credits, refunded_at)
      values (\(scope.workspaceID), \(subscription.id), \(payment.chargeID), \(payment.chargeID),
        \(sale.startsAt), \(sale.endsAt), \(isCredited ? checkout.credits : 0),
        \(payment.refundedAt))
      on conflict do nothing
      """)
    if isCredited {
      try await creditCycle(
        payment, subscription, until: sale.endsAt, checkout, in: scope, at: at)
    }
    try await hearPayment(charge, subscription, in: scope, at: at)
    if let takeover {
      let (kind, from) = takeover.kind(plan)
      try await note(
        kind, of: subscription, by: "user", from: from, chargeID: payment.chargeID, in: scope,
        at: at)
    } else {
      try await note(
        .renew, of: subscription, by: "telegram", chargeID: payment.chargeID, in: scope, at: at)
    }
    try await settle(subscription.id, entitlements: plan.allEntitlements, in: scope, at: at)
    guard isCredited else {
      try await ask(.cancel, of: subscription.id, by: .refund, in: scope, at: at)
      try await carryOver(
        payment, subscription, cap: subscription.rolloverCapCredits, in: scope, at: at)
      return
    }
    var cap: Int64? = subscription.rolloverCapCredits
    if let takeover {
      try await replace(takeover, plan, in: scope, at: at)
      try await emit(takeover.event(plan), subscription.id, in: scope, at: at)
      if takeover.upgradedFrom != nil { cap = nil }
      // What runs out beside it keeps its credits until their own end.
      guard takeover.runningOut.isEmpty else { return }
    } else {
      try await emit(.subscriptionRenewed, subscription.id, in: scope, at: at)
      try await stopIfReplaced(subscription.id, payment, in: scope, at: at)
    }
    try await carryOver(payment, subscription, cap: cap, in: scope, at: at)
  }

  func running(
    of customer: Int64, in scope: WorkspaceScope
  ) async throws -> [Subscription] {
    try await query(
      """
      \(Subscription.select(in: scope)) and s.customer_id = \(customer)
        and s.state in ('trial', 'active', 'grace') order by s.subscription_id
      """
    ).map(Subscription.init)
  }

  private func begin(
    _ plan: Plan, _ payment: Payment, _ checkout: Checkout, _ sale: PlanSale,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    let isBuyers = !sale.isSecond && checkout.customerID == payment.customerID
    let id: Int64 = try await query(
      """
      insert into subscriptions (workspace_id, bot_id, customer_id, plan, checkout_id, state,
        renewal, stars, credit_unit, credits_per_cycle, rollover_cap_credits, grace_days,
        started_at, period_started_at, period_ends_at)
      values (\(scope.workspaceID), \(payment.botID), \(payment.customerID), \(plan.key),
        \(isBuyers ? checkout.id : nil), 'active', 'on', \(checkout.stars), \(checkout.creditUnit),
        \(checkout.credits), \(plan.rolloverCapCredits), \(plan.graceDays), \(sale.startsAt),
        \(sale.startsAt), \(sale.endsAt))
      returning subscription_id
      """)[0].get("subscription_id")
    guard let subscription = try await subscription(id, in: scope) else {
      throw PaymentProblem(description: "a subscription that began is not there")
    }
    return subscription
  }

  /// Ends what the new plan takes the place of, at once or with its period.
  private func replace(
    _ takeover: Takeover, _ plan: Plan, in scope: WorkspaceScope, at: Date
  ) async throws {
    for other in takeover.replaced {
      try await execute(
        """
        update subscriptions set state = 'replaced', ended_at = \(at)
        where workspace_id = \(scope.workspaceID) and subscription_id = \(other.id)
        """)
      try await note(
        .replace, of: other, by: "user", from: other.plan, to: plan.key, in: scope, at: at)
      try await ask(.cancel, of: other.id, by: .upgrade, in: scope, at: at)
      try await settle(other.id, in: scope, at: at)
    }
    for other in takeover.runningOut {
      try await execute(
        """
        update subscriptions set next_plan = \(plan.key)
        where workspace_id = \(scope.workspaceID) and subscription_id = \(other.id)
        """)
      try await ask(.cancel, of: other.id, by: .downgrade, in: scope, at: at)
    }
  }

  /// A plan that another one has replaced was renewed before Telegram had stopped it: the customer
  /// has the credits, and a person looks whether the Stars go back.
  private func stopIfReplaced(
    _ id: Int64, _ payment: Payment, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard try await subscription(id, in: scope)?.state == .replaced else { return }
    try await ask(.cancel, of: id, by: .upgrade, in: scope, at: at)
    guard payment.state == .credited else { return }
    _ = try await requestRefund(
      payment, source: .secondPayment, reason: .doublePayment, note: "",
      by: Actor(.system, "eStars"), in: scope, at: at)
  }
}
