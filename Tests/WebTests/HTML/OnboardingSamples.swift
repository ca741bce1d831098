import Foundation

@testable import Web

enum OnboardingSamples {
  private static let rates = RatesLabel(
    currency: "BRL", usdMicrosPer100Stars: 1_300_000, currencyMicrosPerUSD: 5_400_000,
    creditCostMicros: 150_000)

  private static let settings = SettingsView(
    draft: .init(
      name: Samples.hostile, locale: "pt-BR", timeZone: "America/Sao_Paulo", policy: "accept",
      version: 7), timeZones: ["America/Sao_Paulo", "Asia/Almaty", "UTC"], rates: rates,
    mayEdit: true, hasBothSides: true,
    history: [
      RuleChange(
        id: 7, at: Samples.ago(Samples.day), actor: "ana@estudio.example",
        action: "settings.edited",
        facts: [
          .init(name: "locale", before: "en", after: "pt-BR"),
          .init(name: "name", before: "Aurora", after: Samples.hostile),
          .init(name: "pre_checkout_policy", before: "refuse", after: "accept"),
          .init(name: "time_zone", before: "UTC", after: "America/Sao_Paulo"),
        ])
    ])

  private static let path = "/w/figurinhas-lab-test"

  private static let fresh: [OnboardingView.Row] = [
    .init(
      step: .secondFactor, isDone: false, ways: [.init(kind: .secondFactor, href: "/account/totp")]),
    .init(step: .settings, isDone: false, ways: [.init(kind: .settings, href: path + "/settings")]),
    .init(
      step: .rates, isDone: false,
      ways: [
        .init(kind: .rates, href: path + "/rates"),
        .init(kind: .otherRates, href: "/w/figurinhas-lab/rates"),
      ]),
    .init(
      step: .bot, isDone: false,
      ways: [
        .init(kind: .sandboxBot, href: path + "/onboarding/sandbox-bot", isForm: true),
        .init(kind: .testBot, href: path + "/bots/new"),
        .init(kind: .liveBot, href: "/w/figurinhas-lab/bots/new"),
      ]),
    .init(
      step: .packs, isDone: false,
      ways: [
        .init(kind: .packs, href: path + "/onboarding/packs"),
        .init(kind: .allPacks, href: path + "/packs"),
      ]),
    .init(
      step: .actions, isDone: false,
      ways: [
        .init(kind: .actions, href: path + "/onboarding/actions"),
        .init(kind: .allActions, href: path + "/actions"),
      ]),
    .init(
      step: .key, isDone: false,
      ways: [
        .init(kind: .key, href: path + "/onboarding/key"),
        .init(kind: .docs, href: "/docs/quickstart"),
      ]),
    .init(step: .drills, isDone: false, ways: [.init(kind: .drills, href: path + "/pilot")]),
  ]

  private static let finished = fresh.map { row in
    var row = row
    row.isDone = true
    row.counts = [.bot, .packs, .actions, .drills].contains(row.step) ? [1_234] : []
    if row.step == .bot { row.ways = [.init(kind: .bots, href: path + "/bots")] }
    if row.step == .key { row.ways = [.init(kind: .keys, href: path + "/keys")] }
    return row
  }

  private static let packs = TemplatesView(
    kind: .packs, segment: .aiBot,
    rows: [
      .init(
        key: "try", title: "Try", exists: true,
        offer: .pack(
          emoji: "🎁",
          figures: .init(
            stars: 49, credits: 5, bonus: 4, revenue: 3, cost: 1_350_000, margin: 122,
            starsPerCredit: 54), .firstPurchase)),
      .init(
        key: "max", title: Samples.hostile, isChosen: false,
        offer: .pack(
          emoji: "🚀",
          figures: .init(
            stars: 1125, credits: 2500, bonus: 0, revenue: 79, cost: 375_000_000, margin: -79,
            starsPerCredit: 5, isLoss: true), .everyone)),
    ], rates: rates)

  private static let actions = TemplatesView(
    kind: .actions, segment: .miniApp,
    rows: [
      .init(
        key: "boost", title: "Impulso", offer: .action(price: 1, perDay: 30, feature: nil)),
      .init(
        key: "hd_result", title: "Resultado em HD",
        offer: .action(price: 2, perDay: nil, feature: .unmetered("Premium"))),
      .init(
        key: "premium_screen", title: "Telas premium",
        offer: .action(price: 0, perDay: nil, feature: .required("Premium"))),
    ], rates: rates, hasBothSides: false, problem: TemplatesView.Problem.none)

  private static var suspended: Frame {
    var frame = Samples.frame()
    frame.workspace?.suspension = .init(at: Samples.ago(Samples.hour), reason: Samples.hostile)
    return frame
  }

  static let pages: [GoldenTests.Page] = [
    GoldenTests.Page(name: "settings") { settings.render(with: $0, in: suspended) },
    GoldenTests.Page(name: "settings-refused-pt") {
      var view = settings
      view.draft.name = ""
      view.problems = [
        .init(field: "name", kind: .name(max: 80)), .init(field: "time_zone", kind: .gone),
      ]
      view.hasBothSides = false
      view.changedMeanwhile = view.history
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    GoldenTests.Page(name: "settings-read-only") {
      var view = settings
      (view.mayEdit, view.history) = (false, [])
      return view.render(with: $0, in: Samples.frame())
    },
    GoldenTests.Page(name: "onboarding") {
      OnboardingView(rows: fresh, isPutAway: false).render(with: $0, in: Samples.frame())
    },
    GoldenTests.Page(name: "onboarding-half-pt") {
      OnboardingView(
        rows: Array(finished.prefix(3)) + Array(fresh.dropFirst(3)), isPutAway: false,
        trouble: .notReached
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    GoldenTests.Page(name: "onboarding-finished") {
      OnboardingView(rows: finished, isPutAway: true).render(with: $0, in: Samples.frame())
    },
    GoldenTests.Page(name: "onboarding-packs") { packs.render(with: $0, in: Samples.frame()) },
    GoldenTests.Page(name: "onboarding-packs-all-pt") {
      var view = packs
      for index in view.rows.indices { view.rows[index].exists = true }
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    GoldenTests.Page(name: "onboarding-actions-none-pt") {
      actions.render(with: $0, in: Samples.frame(.ptBR))
    },
    GoldenTests.Page(name: "quickstart-form") {
      QuickstartView(bots: [.init(id: 7, username: "shop_bot")], problem: true)
        .render(with: $0, in: Samples.frame())
    },
    GoldenTests.Page(name: "quickstart-no-bot-pt") {
      QuickstartView(bots: []).render(with: $0, in: Samples.frame(.ptBR))
    },
    GoldenTests.Page(name: "quickstart") {
      QuickstartView(
        bots: [.init(id: 7, username: "shop_bot")],
        key: .init(
          text: "esk_test_0123456789", url: "https://estars.example", action: "generation",
          sku: "start")
      ).render(with: $0, in: Samples.frame())
    },
    GoldenTests.Page(name: "overview-first-steps-pt") {
      var view = Samples.emptyOverview
      view.firstSteps = .init(done: 2, all: 8)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    GoldenTests.Page(name: "bot-new-pilot-pt") {
      BotFormView(environments: [.live], environment: .live, problem: .stage)
        .render(with: $0, in: Samples.frame(.ptBR, side: .live))
    },
  ]

  /// Words that are chosen by a value.
  static let words: [String] =
    OnboardingView.Step.allCases.flatMap { step in
      ["step", "why", "done"].map { "onboarding.\($0)_\(step.rawValue)" }
    } + OnboardingView.Way.Kind.allCases.map { "onboarding.way_\($0.rawValue)" }
    + TemplatesView.Problem.allCases.map { "onboarding.problem_\($0.rawValue)" }
    + ["done", "next", "open"].map { "onboarding.state_\($0)" }
    + ["packs", "actions"].flatMap { kind in
      ["title", "about", "make"].map { "onboarding.\(kind)_\($0)" }
    } + ["setup", "catalog", "check", "checkout"].map { "onboarding.snippet_\($0)" }
    + SettingsView.Policy.allCases.map { "settings.policy_\($0.rawValue)" }
    + ["en", "pt_br"].map { "settings.locale_\($0)" }
}
