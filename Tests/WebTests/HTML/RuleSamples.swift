import Foundation

@testable import Web

extension Samples {
  static let allowances: [AllowanceRow] = [
    AllowanceRow(tier: "Free", perMonth: 3),
    AllowanceRow(tier: hostile, perDay: 1_000, lifetime: 9, freeUnits: 5, freePeriod: .day),
    AllowanceRow(tier: "Premium"),
  ]

  static let actions: [ActionRow] = [
    ActionRow(
      key: "stem_separation", title: "Stem separation", price: 2, unitCost: "0.45 BRL",
      brings: .init(least: 90, most: 150), unmetered: "Stem separation", allowances: allowances),
    ActionRow(
      key: "hd_export", title: hostile, price: 0, unitCost: nil, brings: nil,
      required: hostile, allowances: [AllowanceRow(tier: "Free")]),
    ActionRow(
      key: "old", title: longName, price: 1_000_000, unitCost: "1000.50 USD",
      brings: .init(least: 45, most: 45), allowances: [AllowanceRow(tier: "Free")],
      isWithdrawn: true),
  ]

  static let ruleHistory: [RuleChange] = [
    RuleChange(
      id: 9, at: ago(2 * hour), actor: "ana@estudio.example", action: "action.edited",
      reason: hostile,
      facts: [
        .init(name: "price_credits", before: "1", after: "1000"),
        .init(name: "required_entitlement", before: nil, after: "hd_quality"),
        .init(name: "unit_cost", before: "0.10 BRL", after: "0.45 BRL"),
        .init(name: "outage_policy", before: "closed", after: "open"),
        .init(name: "units_per_month:pro", before: "20", after: nil),
        .init(name: "free_period:gone", before: "day", after: "lifetime"),
        .init(name: "title", before: "Stems", after: hostile),
        .init(name: "of_a_later_release", before: "a", after: "b"),
      ]),
    RuleChange(
      id: 3, at: ago(40 * day), actor: hostile, action: "action.created", subject: "stems",
      facts: []),
  ]

  static let ruleDraft = ActionDraft(
    key: "stem_separation", title: "Stem separation", price: "2", unitCost: "0.45",
    unmetered: "stem_separation",
    tiers: [
      .init(key: "free", title: "Free", perMonth: "3"),
      .init(key: "pro", title: hostile, perDay: "1000", free: "5", period: .day),
    ], version: 9)

  static let features: [ActionView.Option] = [
    .init(key: "hd_quality", title: "HD quality"), .init(key: "stem_separation", title: hostile),
  ]

  static let action = ActionView(
    row: actions[0], draft: ruleDraft, entitlements: features, mayEdit: true,
    history: ruleHistory, paging: Paging(nextCursor: "3", isFirst: true))

  static let refusedAction: ActionView = {
    var view = action
    view.draft.price = hostile
    view.draft.tiers[1].perDay = "-1"
    view.draft.isOpenInOutage = true
    view.problems = [
      .init(field: "price", kind: .whole(min: 0, max: 1_000_000_000)),
      .init(field: "day:pro", kind: .whole(min: 0, max: 1_000_000_000)),
      .init(field: "cost", kind: .cost), .init(field: "currency", kind: .currency),
      .init(field: "required", kind: .gone), .init(field: "reason", kind: .tooLong(max: 500)),
    ]
    view.changedMeanwhile = [ruleHistory[0]]
    return view
  }()

  static let tiers = TiersView(
    rows: [
      .init(key: "free", title: "Free", place: 0),
      .init(key: "pro", title: hostile, entitlement: "hd_quality", place: 1),
    ], entitlements: [.init(key: "hd_quality", title: "HD quality")], mayEdit: true,
    history: ruleHistory)

  static let entitlements = EntitlementsView(
    rows: [
      .init(key: "hd_quality", title: "HD quality", packs: ["Pro", "Max"], uses: ["HD export"]),
      .init(key: "beta", title: hostile, packs: [], uses: []),
    ], mayEdit: true, history: ruleHistory)

  static let paywall = PaywallView(
    language: "pt-br", languages: ["en", "pt-br", "es", "ru", "de"],
    texts: [
      .init(
        state: .waitFirstPurchase, body: "Bem-vindo.\n" + hostile, isOwn: true),
      .init(
        state: .waitBuyCredit, body: "Seus créditos acabaram.", isOwn: false, borrowedFrom: "en"),
    ],
    packs: [
      .init(title: "Try", stars: 49, isFirstPurchaseOnly: true),
      .init(title: hostile, stars: 1_125, isFirstPurchaseOnly: false),
    ], mayEdit: true, history: ruleHistory)

  static let trials = TrialsView(
    givenToday: 17, perDay: 20,
    draft: .init(
      credits: "1", perDay: "20", minScore: "12", bonus: "5", sources: "yandex\ngoogle",
      version: 4), mayEdit: true,
    rows: TrialsView.Outcome.allCases.enumerated().map { index, outcome in
      .init(
        customer: [ana, mallory, maria, fox, erased][index % 5], at: ago(Double(index + 1) * hour),
        outcome: outcome, credits: outcome == .granted ? 1 : 0, engagement: 10 - index, intent: 7,
        source: ["", "yandex", hostile][index % 3], isPaidSource: index == 1, score: 17 - index,
        minScore: 12, balance: Int64(index), held: outcome == .hasCredits ? 3 : 0,
        givenToday: 16, dailyLimit: 20)
    }, paging: Paging(nextCursor: "11", isFirst: true), history: ruleHistory)
}

/// The pages of rules, of the paywall and of trial credits.
enum RulePages {
  static let pages: [GoldenTests.Page] = [
    .init(name: "actions") {
      ActionsView(rows: Samples.actions, mayEdit: true).render(with: $0, in: Samples.frame())
    },
    .init(name: "actions-pt") {
      ActionsView(rows: Samples.actions, mayEdit: false).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "actions-none") {
      ActionsView(rows: [], mayEdit: true).render(with: $0, in: Samples.frame())
    },
    .init(name: "action") { Samples.action.render(with: $0, in: Samples.frame()) },
    .init(name: "action-pt") { Samples.action.render(with: $0, in: Samples.frame(.ptBR)) },
    .init(name: "action-refused") { Samples.refusedAction.render(with: $0, in: Samples.frame()) },
    .init(name: "action-read-only") {
      var view = Samples.action
      view.mayEdit = false
      view.history = []
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "action-new") {
      ActionView(
        row: nil, draft: ActionDraft(tiers: [.init(key: "free", title: "Free")]),
        problems: [
          .init(field: "title", kind: .missing), .init(field: "key", kind: .key(max: 48)),
        ], entitlements: [], mayEdit: true
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "action-withdrawn") {
      var view = Samples.action
      view.row = Samples.actions[2]
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "tiers") { Samples.tiers.render(with: $0, in: Samples.frame()) },
    .init(name: "tiers-refused-pt") {
      var view = Samples.tiers
      view.inUse = Samples.hostile
      view.draft = .init(
        tier: "pro", title: "", entitlement: "hd_quality", place: "x",
        problems: [
          .init(field: "title", kind: .missing),
          .init(field: "place", kind: .whole(min: 1, max: 10)),
          .init(field: "entitlement", kind: .taken),
        ])
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "tiers-read-only") {
      var view = Samples.tiers
      view.mayEdit = false
      view.history = []
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "entitlements") { Samples.entitlements.render(with: $0, in: Samples.frame()) },
    .init(name: "entitlements-none-pt") {
      var view = EntitlementsView(rows: [], mayEdit: true)
      view.draft = .init(
        key: "x", title: "X",
        problems: [
          .init(field: "key", kind: .taken), .init(field: "key", kind: .tooMany(max: 100)),
        ])
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "paywall") { Samples.paywall.render(with: $0, in: Samples.frame()) },
    .init(name: "paywall-refused-pt") {
      var view = Samples.paywall
      view.texts[0].typed = ""
      view.texts[0].problems = [.init(field: "body", kind: .missing)]
      view.badLanguage = Samples.hostile
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "paywall-read-only") {
      var view = Samples.paywall
      view.mayEdit = false
      view.history = []
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "trials") { Samples.trials.render(with: $0, in: Samples.frame()) },
    .init(name: "trials-refused-pt") {
      var view = Samples.trials
      view.isOpen = true
      view.draft.credits = "0"
      view.draft.problems = [
        .init(field: "credits", kind: .whole(min: 1, max: 1000)),
        .init(field: "sources", kind: .source),
      ]
      view.changedMeanwhile = [Samples.ruleHistory[0]]
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "trials-none") {
      var view = Samples.trials
      view.mayEdit = false
      view.rows = []
      view.history = []
      return view.render(with: $0, in: Samples.frame())
    },
  ]
}
