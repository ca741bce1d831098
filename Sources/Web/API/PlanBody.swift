import EStars
import Foundation

/// A plan as the bot sells it, with what its tier may do.
struct PlanBody: Encodable {
  let plan: String
  let title: String
  let description: String
  /// `free`, `recurring` or `custom`.
  let kind: String
  let tier: String
  /// Every 30 days; absent where nothing is paid in Stars.
  let stars: Int64?
  /// Absent when it is as many as they like.
  let creditsPerCycle: Int64?
  /// Absent when this user cannot try it.
  let trialDays: Int?
  let entitlements: [String]
  let quotas: [Bound]

  /// What the plan's tier may do with an action; no line = no limit.
  struct Bound: Encodable {
    let action: String
    let perDay: Int?
    let perMonth: Int?
    let lifetime: Int?
    let freeUnits: Int?
    let freePeriod: String?

    init(_ action: String, _ allowance: ActionRules.Allowance) {
      self.action = action
      perDay = allowance.perDay
      perMonth = allowance.perMonth
      lifetime = allowance.lifetime
      freeUnits = allowance.freeUnits > 0 ? allowance.freeUnits : nil
      freePeriod = allowance.freeUnits > 0 ? allowance.freePeriod.rawValue : nil
    }
  }

  /// Plans that everybody may see, in the operator's order.
  static func all(
    for customer: Customer?, language: String?, _ call: BotCall
  ) async throws -> [PlanBody] {
    let (scope, pool) = (call.scope, call.platform.pool)
    let plans = try await Plan.all(in: scope, pool).filter { !$0.isWithdrawn && !$0.isHidden }
    guard !plans.isEmpty else { return [] }
    async let rules = ActionRules.all(in: scope, pool)
    var had: [Subscription] = []
    if let customer, plans.contains(where: \.hasTrial) {
      had = try await Subscription.of(customer: customer.id, in: scope, pool)
    }
    let mayTry = !had.contains { $0.state.isRunning }
    let actions = try await rules.filter { $0.withdrawnAt == nil }
    return plans.map { plan in
      PlanBody(
        plan: plan.key, title: plan.title(language), description: plan.description(language),
        kind: plan.kind.rawValue, tier: plan.tier, stars: plan.stars,
        creditsPerCycle: plan.creditsPerCycle,
        trialDays: plan.hasTrial && mayTry && !had.contains { $0.plan == plan.key }
          ? plan.trialDays : nil,
        entitlements: plan.allEntitlements,
        quotas: actions.compactMap { rule in
          rule.allowances[plan.tier].map { Bound(rule.key, $0) }
        })
    }
  }
}
