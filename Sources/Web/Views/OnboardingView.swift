import Foundation

/// The first steps of a business, in their order. What is done shows by itself.
struct OnboardingView: Sendable, Equatable {
  enum Step: String, Sendable, CaseIterable {
    case secondFactor = "second_factor"
    case settings, rates, bot, packs, actions, key, drills
  }

  /// Somewhere to go, or something to do at once.
  struct Way: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
      case secondFactor = "second_factor"
      case settings, rates
      case otherRates = "other_rates"
      case sandboxBot = "sandbox_bot"
      case testBot = "test_bot"
      case liveBot = "live_bot"
      case bots, packs, allPacks = "all_packs", actions
      case allActions = "all_actions"
      case key, keys, docs, drills
    }

    var kind: Kind
    var href: String
    /// Whether it changes something, so that it is a button.
    var isForm = false
  }

  struct Row: Sendable, Equatable {
    var step: Step
    var isDone: Bool
    var ways: [Way] = []
    /// Numbers that its sentence tells, where it is done.
    var counts: [Int64] = []
  }

  var rows: [Row]
  var isPutAway: Bool
  /// Why there is no sandbox bot though one was asked for.
  var trouble: PilotView.Trouble?

  private var done: Int { rows.count(where: \.isDone) }
  private var next: Step? { rows.first { !$0.isDone }?.step }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let isFinished = next == nil
    return page.page(
      .onboarding, title: t["onboarding.title"], place: nil,
      [
        "progress": .text(
          t("onboarding.progress", ["n": String(done), "all": String(rows.count)])),
        "finished": .flag(isFinished),
        "trouble": .optional(trouble.map { t[.init("pilot.trouble_\($0.rawValue)")] }),
        "rows": .records(Array(rows.enumerated())) { model($1, number: $0 + 1, page) },
        "putting_away": isPutAway
          ? .none : .text(Links.onboarding(page.slug) + "/dismissal"),
      ])
  }

  private func model(
    _ row: Row, number: Int, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    let name = row.step.rawValue
    let state = row.isDone ? "done" : row.step == next ? "next" : "open"
    return [
      "id": .text(name.replacing("_", with: "-")),
      "name": .text("\(number). " + t[.init("onboarding.step_\(name)")]),
      "words": .text(words(row, page)),
      "state": .text(t[.init("onboarding.state_\(state)")]),
      "state_class": .text(
        row.isDone ? "good" : row.step == next ? "requested" : "unknown"),
      "ways": .records(Array(row.ways.enumerated())) { index, way in
        [
          // What there is to do now stands out.
          "first": .flag(row.step == next && index == 0),
          "href": .text(way.href), "words": .text(t[.init("onboarding.way_\(way.kind.rawValue)")]),
          "form": .flag(way.isForm),
        ]
      },
    ]
  }

  /// What the step is for or, once it is done, what is there.
  private func words(_ row: Row, _ page: PageContext) -> String {
    let name = row.step.rawValue
    guard row.isDone else { return page.strings[.init("onboarding.why_\(name)")] }
    let numbers = row.counts.map { page.format.number($0) }
    let values = Dictionary(
      uniqueKeysWithValues: zip(["n", "m"], numbers + ["", ""].prefix(max(0, 2 - numbers.count))))
    return page.strings(.init("onboarding.done_\(name)"), values)
  }
}

/// Packs or actions to begin with: which of them, with what they bring or allow.
struct TemplatesView: Sendable, Equatable {
  enum Kind: String, Sendable { case packs, actions }

  struct Row: Sendable, Equatable {
    var key: String
    var title: String
    /// On every side that it would be made on.
    var exists = false
    var isChosen = true
    var offer: Offer
  }

  enum Offer: Sendable, Equatable {
    case pack(emoji: String, figures: MarginFigures, PackRow.Audience)
    case action(price: Int64, perDay: Int64?, feature: Feature?)
  }

  /// What a feature does to an action.
  enum Feature: Sendable, Equatable {
    case required(String)
    case unmetered(String)
  }

  enum Problem: String, Sendable, CaseIterable {
    case none
    case tooMany = "too_many"
  }

  var kind: Kind
  var segment: BotSegment
  var rows: [Row]
  var rates: RatesLabel
  /// Made on both sides, live and test.
  var hasBothSides = true
  var problem: Problem?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.onboarding(page.slug) + "/\(kind.rawValue)"
    let problems = FormProblems(
      rows: problem.map {
        [.init(field: "templates", words: t[.init("onboarding.problem_\($0.rawValue)")])]
      } ?? [])
    let model: TemplateValue = .record([
      "rows": .records(rows) { row(of: $0, page) }
    ])
    return page.page(
      .onboardingTemplates, title: t[.init("onboarding.\(kind.rawValue)_title")], place: nil,
      trail: [(title: t["onboarding.title"], href: Links.onboarding(page.slug))],
      [
        "about": .text(t[.init("onboarding.\(kind.rawValue)_about")]),
        "tabs": .records(BotSegment.allCases) { choice in
          [
            "title": .text(t[.init("bot.segment_\(choice.rawValue)")]),
            "href": .text(Links.with(path, [("segment", choice.rawValue)])),
            "current": .flag(choice == segment),
          ]
        },
        "action": .text(path), "segment": .text(segment.rawValue),
        "summary": problems.model, "templates_problem": problems.words("templates"),
        "packs": kind == .packs ? model : .none,
        "actions": kind == .actions ? model : .none,
        "rates": .record(rates.model(page)),
        "button": rows.allSatisfy(\.exists)
          ? .none : .text(t[.init("onboarding.\(kind.rawValue)_make")]),
        "sides": .text(t[hasBothSides ? "onboarding.both_sides" : "onboarding.one_side"]),
      ])
  }

  private func row(of row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let shared: [String: TemplateValue] = [
      "key": .text(row.key), "name": .text(row.title), "exists": .flag(row.exists),
      "checked": .flag(row.isChosen && !row.exists),
    ]
    switch row.offer {
    case .pack(let emoji, let figures, let audience):
      return figures.model(rates.currency, page).merging([
        "emoji": .text(emoji), "credits": .text(page.format.number(figures.credits)),
        "bonus": .text(figures.bonus == 0 ? "–" : "+" + page.format.number(figures.bonus)),
        "audience": .text(t[.init("packs.audience_\(audience.rawValue)")]),
      ]) { $1 }.merging(shared) { $1 }
    case .action(let price, let perDay, let feature):
      let (words, name) =
        switch feature {
        case .required(let name): ("onboarding.feature_required", name)
        case .unmetered(let name): ("onboarding.feature_unmetered", name)
        case nil: ("", "")
        }
      return shared.merging([
        "price": .text(page.format.credits(price)),
        "limit": .text(
          perDay.map { t("onboarding.per_day", ["n": page.format.number($0)]) } ?? "–"),
        "feature": .text(
          feature == nil ? "–" : t(.init(words), ["feature": name])),
      ]) { $1 }
    }
  }
}

/// The first key of a bot, and what to do with it.
struct QuickstartView: Sendable, Equatable {
  /// What can be tried at once.
  struct Key: Sendable, Equatable {
    /// Shown this once.
    var text: String
    /// Address of the product.
    var url: String
    /// Key of an action in force.
    var action: String?
    /// Of a pack on sale.
    var sku: String?
  }

  struct Choice: Sendable, Equatable {
    var id: Int64
    /// Without the @.
    var username: String
  }

  /// Bots of the test side.
  var bots: [Choice]
  var key: Key?
  var problem = false

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.onboarding(page.slug)
    let problems: [FormProblem] = problem ? [FormProblem(field: "bot", kind: .gone)] : []
    let field = FormField(
      id: "bot", label: t["key.bot"], hint: t["onboarding.key_hint"],
      value: bots.first.map { String($0.id) } ?? "",
      kind: .choice(bots.map { (String($0.id), "@" + $0.username) }))
    return page.page(
      .quickstart, title: t["onboarding.key_title"], place: nil,
      trail: [(title: t["onboarding.title"], href: path)],
      [
        "key": .optional(key.map(Self.snippets)) { snippets in
          [
            "secret": .text(key?.text ?? ""),
            "snippets": .records(snippets) {
              ["words": .text(t[.init("onboarding.snippet_\($0.name)")]), "code": .text($0.code)]
            },
          ]
        },
        "form": key != nil || bots.isEmpty
          ? .none
          : .record([
            "action": .text(path + "/key"), "summary": problems.summary(page, of: [field]),
            "fields": .list([.record(field.model(problems, page))]),
          ]),
        "no_bots": .flag(key == nil && bots.isEmpty),
        "back": .text(path), "docs": .text(Links.docs("quickstart", frame.language)),
      ])
  }

  /// Commands for a shell, the key filled in.
  private static func snippets(_ key: Key) -> [(name: String, code: String)] {
    let call = """
      -H "Authorization: Bearer $ESTARS_KEY" \\
        -H 'Content-Type: application/json'
      """
    var all = [
      ("setup", "export ESTARS_URL=\(key.url)\nexport ESTARS_KEY=\(key.text)"),
      (
        "catalog",
        "curl -s \"$ESTARS_URL/v1/catalog?user=5001001\" \\\n"
          + "  -H \"Authorization: Bearer $ESTARS_KEY\""
      ),
    ]
    if let action = key.action {
      all.append(
        (
          "check",
          "curl -s \"$ESTARS_URL/v1/checks\" \(call) \\\n"
            + "  -d '{\"user\":5001001,\"action\":\"\(action)\"}'"
        ))
    }
    if let sku = key.sku {
      all.append(
        (
          "checkout",
          "curl -s \"$ESTARS_URL/v1/checkouts\" \(call) \\\n"
            + "  -H \"Idempotency-Key: first-$RANDOM\" \\\n"
            + "  -d '{\"user\":5001001,\"sku\":\"\(sku)\"}'"
        ))
    }
    return all
  }
}
