import Foundation

@testable import Web

extension Samples {
  private static func plan(
    _ key: String, _ title: String, _ kind: PlanDraft.Kind, stars: Int64?, credits: Int64?,
    rollover: Int64 = 0, trialDays: Int = 0, included: Int, stems: AllowanceRow
  ) -> PlanColumn {
    let features = ["Priority queue", "HD quality", "Commercial use", hostile]
    return PlanColumn(
      key: key, title: title, kind: kind, tier: title, stars: stars, credits: credits,
      rollover: rollover, trialDays: trialDays, trialCredits: trialDays == 0 ? 0 : 1,
      graceDays: kind == .recurring ? 7 : 1,
      features: features.enumerated().map { .init(title: $1, isIncluded: $0 < included) },
      bounds: [.init(action: "Stem separation", allowance: stems)])
  }

  static let plans: [PlanColumn] = [
    plan(
      "free", "Free", .free, stars: nil, credits: 50, included: 0,
      stems: .init(tier: "Free", perMonth: 3)),
    plan(
      "pro", "Pro", .recurring, stars: 2000, credits: 500, rollover: 250, trialDays: 7,
      included: 2, stems: .init(tier: "Pro", perMonth: 20, freeUnits: 5)),
    plan(
      "premium", hostile, .recurring, stars: 6000, credits: 2000, included: 3,
      stems: .init(tier: "Premium")),
    plan(
      "enterprise", longName, .custom, stars: nil, credits: nil, included: 4,
      stems: .init(tier: "Enterprise")),
  ]

  static let planOptions: [PlanView.Option] = [
    .init(key: "free", title: "Free"), .init(key: "pro", title: hostile),
  ]

  static let planHistory: [RuleChange] = [
    RuleChange(
      id: 12, at: ago(2 * hour), actor: "ana@estudio.example", action: "plan.edited",
      reason: hostile,
      facts: [
        .init(name: "stars", before: "1500", after: "2000"),
        .init(name: "tier", before: "free", after: "pro"),
        .init(name: "entitlements", before: nil, after: "hd_quality, gone"),
        .init(name: "credits_per_cycle", before: "unlimited", after: "500"),
        .init(name: "is_hidden", before: "yes", after: "no"),
        .init(name: "title_in:pt-br", before: nil, after: hostile),
      ]),
    RuleChange(
      id: 3, at: ago(40 * day), actor: hostile, action: "plan.created",
      facts: [.init(name: "plan_kind", before: nil, after: "recurring")]),
  ]

  static let plan: PlanView = {
    var draft = PlanDraft(
      key: "pro", title: "Pro", description: "500 credits a month.", kind: .recurring,
      tier: "pro", features: ["hd_quality"], stars: "2000", credits: "500", rollover: "250",
      trialDays: "7", trialCredits: "50", place: "2",
      names: [
        .init(language: "en"), .init(language: "pt-br", title: hostile, description: hostile),
      ], version: 12)
    draft.isHidden = true
    return PlanView(
      present: .init(key: "pro", title: "Pro", running: 1204), draft: draft, tiers: planOptions,
      features: [
        .init(key: "hd_quality", title: "HD quality"), .init(key: "api_access", title: hostile),
      ], mayEdit: true, history: planHistory, paging: Paging(nextCursor: "3", isFirst: true))
  }()
}

/// The pages of plans.
enum PlanPages {
  static let pages: [GoldenTests.Page] = [
    .init(name: "plans") {
      var withdrawn = Samples.plans[1]
      (withdrawn.key, withdrawn.isWithdrawn) = ("old", true)
      var plans = Samples.plans
      plans[1].isHidden = true
      return PlansView(plans: plans, withdrawn: [withdrawn], mayEdit: true)
        .render(with: $0, in: Samples.frame())
    },
    .init(name: "plans-pt") {
      PlansView(plans: Samples.plans, mayEdit: false).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "plans-none") {
      PlansView(plans: [], mayEdit: true).render(with: $0, in: Samples.frame())
    },
    .init(name: "plan") { Samples.plan.render(with: $0, in: Samples.frame()) },
    .init(name: "plan-refused-pt") {
      var view = Samples.plan
      view.draft.stars = Samples.hostile
      view.problems = [
        .init(field: "stars", kind: .whole(min: 1, max: 10_000)),
        .init(field: "features", kind: .ofEverybody), .init(field: "kind", kind: .oneFree),
        .init(field: "description:pt-br", kind: .missing),
        .init(field: "language", kind: .language),
      ]
      view.changedMeanwhile = [Samples.planHistory[0]]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "plan-new") {
      PlanView(
        draft: PlanDraft(names: [.init(language: "pt-br")]), tiers: Samples.planOptions,
        features: [], mayEdit: true
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "plan-withdrawn") {
      var view = Samples.plan
      view.present?.isWithdrawn = true
      view.draft.kind = .custom
      view.draft.credits = ""
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "plan-read-only") {
      var view = Samples.plan
      view.mayEdit = false
      view.column = Samples.plans[1]
      view.history = []
      return view.render(with: $0, in: Samples.frame())
    },
  ]
}
