import EStars
import Foundation

extension PlanDraft {
  /// An empty form.
  init(_ names: RuleNames) {
    self.init(
      tier: names.tiers.first { !$0.isBase }?.key ?? names.tiers.first?.key ?? "",
      names: [NameDraft]([]))
  }

  /// - Parameter place: among the plans in force, from 1.
  init(_ plan: Plan, place: Int?, version: Int64) {
    self.init(
      key: plan.key, title: plan.title, description: plan.description, kind: Kind(plan.kind),
      tier: plan.tier, features: Set(plan.entitlements),
      stars: plan.stars.map(String.init) ?? "",
      credits: plan.creditsPerCycle.map(String.init) ?? "",
      rollover: String(plan.rolloverCapCredits), trialDays: String(plan.trialDays),
      trialCredits: String(plan.trialCredits), grace: String(plan.graceDays),
      isHidden: plan.isHidden, place: place.map(String.init) ?? "",
      names: [NameDraft](plan.names), version: version)
  }

  /// - Parameter present: the plan that is edited; nil: the form names it.
  init(_ form: [String: String], _ present: Plan?, _ names: RuleNames) {
    func typed(_ name: String) -> String {
      (form[name] ?? "").replacing("\0", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    }
    self.init(
      key: present?.key ?? typed("key"), title: typed("title"), description: typed("description"),
      kind: present.map { Kind($0.kind) } ?? Kind(rawValue: typed("kind")) ?? .recurring,
      tier: typed("tier"),
      features: Set(names.entitlements.map(\.key).filter { form["feature:\($0)"] != nil }),
      stars: typed("stars"), credits: typed("credits"), rollover: typed("rollover"),
      trialDays: typed("trial_days"), trialCredits: typed("trial_credits"), grace: typed("grace"),
      isHidden: form["hidden"] != nil, place: typed("place"),
      names: [NameDraft](present?.names ?? [], typed: typed),
      other: NameDraft(typed("language"), "other", typed: typed), reason: typed("reason"),
      version: form["version"].flatMap { Int64($0) } ?? 0)
  }

  /// The terms that the form describes; they mean nothing where there are problems.
  func terms(_ known: RuleNames, _ problems: inout [FormProblem]) -> PlanTerms {
    var found: [FormProblem] = []
    func whole(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.whole(text, range) { return value }
      found.append(
        FormProblem(field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      return range.lowerBound
    }
    found += [
      Typed.problem(with: title, in: "title", max: 32),
      Typed.problem(with: description, in: "description", max: 255),
    ].compactMap { $0 }
    // “new” is the address of the empty form.
    if !Typed.isKey(key, max: 32) || key == "new" {
      found.append(FormProblem(field: "key", kind: .key(max: 32)))
    }
    let base = known.tiers.first { $0.isBase }?.key
    if kind == .free, tier != base { found.append(FormProblem(field: "tier", kind: .ofEverybody)) }
    if kind == .free, !features.isEmpty {
      found.append(FormProblem(field: "features", kind: .ofEverybody))
    }
    let isUnlimited = kind == .custom && credits.isEmpty
    let isTried = kind == .recurring
    let days = isTried ? whole(trialDays, "trial_days", 0...60) : 0
    let terms = PlanTerms(
      title: title, description: description, tier: tier,
      stars: kind == .recurring ? whole(stars, "stars", 1...Limits.subscriptionStars) : nil,
      creditsPerCycle: isUnlimited ? nil : whole(credits, "credits", 0...Limits.priceCredits),
      rolloverCapCredits: whole(rollover, "rollover", 0...Limits.priceCredits),
      trialDays: Int(days),
      trialCredits: isTried
        ? whole(trialCredits, "trial_credits", 0...(days == 0 ? 0 : Limits.priceCredits)) : 0,
      graceDays: Int(whole(grace, "grace", 0...30)), isHidden: isHidden, entitlements: features,
      names: names.names(and: other, &found))
    if reason.unicodeScalars.count > Limits.noteCharacters {
      found.append(FormProblem(field: "reason", kind: .tooLong(max: Limits.noteCharacters)))
    }
    problems += found
    return terms
  }
}

extension PlanDraft.Kind {
  init(_ kind: Plan.Kind) {
    self =
      switch kind {
      case .free: .free
      case .recurring: .recurring
      case .custom: .custom
      }
  }
}

extension PlanColumn {
  /// Plans as columns that can be compared: the same lines for all of them.
  static func all(
    _ plans: [Plan], _ names: RuleNames, _ actions: [ActionRules]
  ) -> [PlanColumn] {
    let inForce = plans.filter { !$0.isWithdrawn }
    let ranks = Set(names.tiers.compactMap(\.entitlement))
    // What makes a tier is told by the tier, unless a plan of another tier has it.
    let features = names.entitlements.filter { feature in
      inForce.contains { $0.entitlements.contains(feature.key) }
        && (!ranks.contains(feature.key)
          || inForce.contains {
            $0.tierEntitlement != feature.key
              && $0.entitlements.contains(feature.key)
          })
    }
    let tiers = Set(inForce.map(\.tier))
    let bounded = actions.filter { action in
      action.withdrawnAt == nil && action.allowances.keys.contains(where: tiers.contains)
    }
    return plans.map { plan in
      let tier = names.tiers.first { $0.key == plan.tier }?.title ?? plan.tier
      return PlanColumn(
        key: plan.key, title: plan.title, kind: PlanDraft.Kind(plan.kind), tier: tier,
        stars: plan.stars, credits: plan.creditsPerCycle, rollover: plan.rolloverCapCredits,
        trialDays: plan.trialDays, trialCredits: plan.trialCredits, graceDays: plan.graceDays,
        isHidden: plan.isHidden, isWithdrawn: plan.isWithdrawn,
        features: features.map {
          Feature(title: $0.title, isIncluded: plan.allEntitlements.contains($0.key))
        },
        bounds: bounded.map {
          Bound(
            action: $0.title,
            allowance: AllowanceRow($0.allowances[plan.tier] ?? .init(), of: tier))
        })
    }
  }
}
