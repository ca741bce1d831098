import EStars
import Foundation
import HTTPTypes

/// The first steps of a business.
enum OnboardingController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.onboardingPage()
  }
}

/// Nobody is reminded of the first steps any more.
enum OnboardingDismissalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await Onboarding.putAway(
      try await visit.ownedSides(), at: Date(), visit.platform.pool)
    return .seeOther(Done.putAway.on(Links.overview(visit.workspace.slug)))
  }
}

/// Packs to begin with, shown with what they bring before they are made.
enum OnboardingPacksController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let segment = visit.inbound.query["segment"].flatMap(Bot.Segment.init)
    return try await visit.page(
      try await visit.packTemplates(segment ?? visit.workspace.segment).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    let segment = form["segment"].flatMap(Bot.Segment.init) ?? visit.workspace.segment
    let chosen = PackTemplate.all(for: segment).filter { form["use_\($0.sku)"] != nil }
    var problem: TemplatesView.Problem? = chosen.isEmpty ? TemplatesView.Problem.none : nil
    if problem == nil {
      do {
        _ = try await Onboarding.sell(
          chosen, on: try await visit.ownedSides(), by: visit.actor, visit.platform.pool)
        return .seeOther(Done.packs.on(Links.onboarding(visit.workspace.slug)))
      } catch RuleRefusal.tooMany { problem = .tooMany }
    }
    var view = try await visit.packTemplates(segment)
    view.problem = problem
    view.choose(form)
    return try await visit.page(view.render, .unprocessableContent)
  }
}

/// Paid actions to begin with.
enum OnboardingActionsController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let segment = visit.inbound.query["segment"].flatMap(Bot.Segment.init)
    return try await visit.page(
      try await visit.actionTemplates(segment ?? visit.workspace.segment).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    let segment = form["segment"].flatMap(Bot.Segment.init) ?? visit.workspace.segment
    let chosen = ActionTemplate.all(for: segment).filter { form["use_\($0.key)"] != nil }
    var problem: TemplatesView.Problem? = chosen.isEmpty ? TemplatesView.Problem.none : nil
    if problem == nil {
      do {
        _ = try await Onboarding.charge(
          chosen, on: try await visit.ownedSides(), by: visit.actor, visit.platform.pool)
        return .seeOther(Done.actions.on(Links.onboarding(visit.workspace.slug)))
      } catch RuleRefusal.tooMany { problem = .tooMany }
    }
    var view = try await visit.actionTemplates(segment)
    view.problem = problem
    view.choose(form)
    return try await visit.page(view.render, .unprocessableContent)
  }
}

/// The first key of a bot of the test side, with commands to try it.
enum OnboardingKeyController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.livePage(QuickstartView(bots: try await visit.testBots().choices).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (test, bots, choices) = try await visit.testBots()
    var view = QuickstartView(bots: choices)
    let id = try visit.inbound.form()["bot"].flatMap { Int64($0) }
    guard let test, let bot = bots.first(where: { $0.id == id }) else {
      view.problem = true
      return try await visit.livePage(view.render, .unprocessableContent)
    }
    do {
      let made = try await Onboarding.makeKey(
        for: bot.id, of: test, by: visit.actor, visit.platform.pool)
      let url = visit.server.configuration.publicURL
      view.key = .init(
        text: made.text, url: "\(url.scheme ?? "https")://\(url.authority)",
        action: made.action, sku: made.sku)
      return try await visit.livePage(view.render, .created)
    } catch APIKey.ChangeProblem.notFound {
      // It was disconnected a moment ago.
      view.bots = try await visit.testBots().choices
      view.problem = true
      return try await visit.livePage(view.render, .unprocessableContent)
    }
  }
}

extension TemplatesView {
  /// What was ticked stays ticked.
  fileprivate mutating func choose(_ form: [String: String]) {
    for index in rows.indices { rows[index].isChosen = form["use_\(rows[index].key)"] != nil }
  }
}

extension Visit {
  /// The sides of the business that the reader owns, the one in the address first.
  func ownedSides() async throws -> [Workspace] {
    [workspace] + [try await ownedTwin()].compactMap(\.self)
  }

  func onboarding() async throws -> Onboarding {
    try await Onboarding.load(
      for: session.operator, on: try await ownedSides(), platform.pool)
  }

  func onboardingPage(
    trouble: PilotView.Trouble? = nil, _ status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let onboarding = try await onboarding()
    let view = OnboardingView(
      rows: Onboarding.Step.allCases.compactMap { row(of: $0, onboarding) },
      isPutAway: onboarding.putAwayAt != nil, trouble: trouble)
    return try await livePage(view.render, status)
  }

  private func row(of step: Onboarding.Step, _ onboarding: Onboarding) -> OnboardingView.Row? {
    guard let named = OnboardingView.Step(rawValue: step.rawValue) else { return nil }
    let (test, live) = (onboarding.side(.test), onboarding.side(.live))
    let counts: [Int64] =
      switch step {
      case .bot: [Int64(test?.bots ?? 0)]
      case .packs: [Int64(test?.packs ?? live?.packs ?? 0)]
      case .actions: [Int64(test?.actions ?? live?.actions ?? 0)]
      case .drills: [Int64(onboarding.drills?.passed ?? 0)]
      case .secondFactor, .settings, .rates, .key: []
      }
    return OnboardingView.Row(
      step: named, isDone: onboarding.isDone(step), ways: ways(of: step, onboarding),
      counts: counts)
  }

  private func ways(of step: Onboarding.Step, _ onboarding: Onboarding) -> [OnboardingView.Way] {
    let isDone = onboarding.isDone(step)
    let slug = workspace.slug
    let path = Links.onboarding(slug)
    let test = onboarding.side(.test)?.workspace.slug
    let live = onboarding.side(.live)?.workspace.slug
    func ways(_ ways: (OnboardingView.Way.Kind, String?)...) -> [OnboardingView.Way] {
      ways.compactMap { kind, href in href.map { .init(kind: kind, href: $0) } }
    }
    switch step {
    case .secondFactor: return ways((.secondFactor, Links.accountTOTP))
    case .settings: return ways((.settings, Links.settings(slug)))
    case .rates:
      let other = onboarding.sides.first { $0.workspace.id != workspace.id }
      let isOpen = other.map { !$0.hasRates } ?? false
      return ways(
        (.rates, Links.rates(slug)),
        (.otherRates, isOpen ? other.map { Links.rates($0.workspace.slug) } : nil))
    case .bot:
      let sandbox = test != nil && server.configuration.sandboxURL != nil && !isDone
      return
        (sandbox
        ? [.init(kind: .sandboxBot, href: path + "/sandbox-bot", isForm: true)] : [])
        + ways(
          (.testBot, isDone ? nil : test.map(Links.newBot)),
          (.bots, isDone ? test.map(Links.bots) : nil), (.liveBot, live.map(Links.newBot)))
    case .packs: return ways((.packs, path + "/packs"), (.allPacks, Links.packs(slug)))
    case .actions: return ways((.actions, path + "/actions"), (.allActions, Links.actions(slug)))
    case .key:
      return ways(
        (.key, isDone ? nil : path + "/key"), (.keys, isDone ? test.map(Links.keys) : nil),
        (.docs, Links.docs("quickstart", Language(operatorLocale: session.operator.locale))))
    case .drills: return ways((.drills, Links.pilot(slug)))
    }
  }

  fileprivate func packTemplates(_ segment: Bot.Segment) async throws -> TemplatesView {
    let sides = try await ownedSides()
    let known = try await Onboarding.skus(on: sides, platform.pool)
    let rates = try await Rates.of(scope, platform.pool)
    let rows = PackTemplate.all(for: segment).map { template in
      let rules = template.rules(workspace.locale)
      return TemplatesView.Row(
        key: rules.sku, title: rules.title,
        exists: known.contains(rules.sku),
        offer: .pack(
          emoji: rules.emoji, figures: MarginFigures.all(of: rules, at: rates)[0],
          .init(rules.audience)))
    }
    return TemplatesView(
      kind: .packs, segment: BotSegment(rawValue: segment.rawValue) ?? .aiBot, rows: rows,
      rates: RatesLabel(rates), hasBothSides: sides.count > 1)
  }

  fileprivate func actionTemplates(_ segment: Bot.Segment) async throws -> TemplatesView {
    let sides = try await ownedSides()
    let known = try await Onboarding.actions(on: sides, platform.pool)
    let rates = try await Rates.of(scope, platform.pool)
    let rows = ActionTemplate.all(for: segment).map { template in
      let rules = template.rules(workspace.locale, tier: "free", at: rates)
      let feature: TemplatesView.Feature? =
        rules.requiredEntitlement.map { .required($0.capitalizedFirst) }
        ?? rules.unmeteredEntitlement.map { .unmetered($0.capitalizedFirst) }
      return TemplatesView.Row(
        key: rules.key, title: rules.title,
        exists: known.contains(rules.key),
        offer: .action(
          price: rules.priceCredits,
          perDay: rules.allowances["free"]?.perDay.map { Int64($0) }, feature: feature))
    }
    return TemplatesView(
      kind: .actions, segment: BotSegment(rawValue: segment.rawValue) ?? .aiBot, rows: rows,
      rates: RatesLabel(rates), hasBothSides: sides.count > 1)
  }

  /// The test side, where the reader owns it, with the bots that a key can be made for.
  fileprivate func testBots() async throws -> (
    test: Workspace?, bots: [Bot], choices: [QuickstartView.Choice]
  ) {
    guard let test = try await ownedSides().first(where: { $0.side == .test }) else {
      return (nil, [], [])
    }
    let bots = try await Onboarding.bots(of: test, platform.pool)
    return (test, bots, bots.map { .init(id: $0.id, username: $0.username) })
  }
}

/// A bot of the sandbox at once: no token, no real Stars.
enum OnboardingSandboxBotController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    guard let test = try await visit.ownedSides().first(where: { $0.side == .test }),
      let sandbox = visit.server.configuration.sandboxURL
    else { throw Refusal.notFound }
    do {
      try await Onboarding.startSandboxBot(
        of: test, at: sandbox, visit.connections, by: visit.actor)
    } catch let problem as Bot.SandboxProblem {
      return try await visit.onboardingPage(trouble: .init(problem), .conflict)
    }
    return .seeOther(Done.sandboxBot.on(Links.onboarding(visit.workspace.slug)))
  }
}
