import EStars
import Foundation

extension SubscriptionRow {
  init(_ subscription: Subscription) {
    self.init(
      id: subscription.id, plan: subscription.plan, planTitle: subscription.planTitle,
      state: SubscriptionState(rawValue: subscription.state.rawValue) ?? .expired,
      renewal: SubscriptionRenewal(rawValue: subscription.renewal.rawValue) ?? .none,
      wish: subscription.wish.flatMap { SubscriptionWish(rawValue: $0.rawValue) },
      stars: subscription.stars, periodEndsAt: subscription.periodEndsAt.unlessNever,
      endedAt: subscription.endedAt)
  }
}

extension SubscriptionView.Cycle {
  init(_ cycle: Subscription.Cycle, of subscription: Subscription) {
    self.init(
      startsAt: cycle.startsAt, endsAt: cycle.endsAt.unlessNever,
      credits: subscription.creditsPerCycle == nil ? nil : cycle.credits,
      carried: cycle.carriedCredits, refundedAt: cycle.refundedAt,
      payment: PaymentKey(subscription.botID, cycle.paymentID == nil ? nil : cycle.chargeID))
  }
}

extension SubscriptionView.Change {
  /// - Parameter titles: of plans, by their keys.
  init(_ change: Subscription.Change, of subscription: Subscription, _ titles: [String: String]) {
    func title(_ plan: String?) -> String? { plan.map { titles[$0] ?? $0 } }
    self.init(
      kind: Kind(rawValue: change.kind.rawValue) ?? .renew, by: change.by,
      fromPlan: title(change.fromPlan), toPlan: title(change.toPlan), reason: change.reason,
      payment: PaymentKey(subscription.botID, change.chargeID), at: change.at)
  }
}

extension SubscriptionsView.Standing {
  init(_ standing: PlanStanding, _ tiers: [Tier]) {
    self.init(
      plan: standing.plan, title: standing.title,
      tier: tiers.first { $0.key == standing.tier }?.title ?? standing.tier,
      trials: Int64(standing.trials), active: Int64(standing.active),
      renewing: Int64(standing.renewing), inGrace: Int64(standing.inGrace),
      monthlyStars: standing.monthlyStars)
  }
}

extension SubscriptionsView.Filter {
  var domain: Subscription.Filter {
    switch self {
    case .running: .running
    case .active: .state(.active)
    case .ending: .ending
    case .trial: .state(.trial)
    case .grace: .state(.grace)
    case .expired: .state(.expired)
    case .replaced: .state(.replaced)
    case .all: .all
    }
  }
}
