import Foundation

enum BotMode: String, Sendable, CaseIterable {
  case forwarding, webhook, relay
}

enum BotEnvironment: String, Sendable, CaseIterable {
  case live, test, sandbox
}

enum BotSegment: String, Sendable, CaseIterable {
  case aiBot = "ai_bot"
  case serviceBot = "service_bot"
  case miniApp = "mini_app"
}

struct BotRow: Sendable, Equatable {
  var id: Int64
  var name: String
  /// Without the @.
  var username: String
  var environment: BotEnvironment
  var mode: BotMode
  var isConnected: Bool
  var createdAt: Date

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "href": .text(Links.bot(page.slug, id)),
      "name": .text(name), "username": .text("@" + username), "id": .text(String(id)),
      "environment": .text(t[.init("bot.environment_\(environment.rawValue)")]),
      "mode": isConnected ? .text(t[.init("bot.mode_\(mode.rawValue)")]) : .none,
      "state": .text(t[.init("bot.state_\(isConnected ? "connected" : "disconnected")")]),
      "state_class": .text(isConnected ? "active" : "revoked"),
      "created": .record(["time": page.format.time(createdAt)]),
    ]
  }
}

/// The bots of a workspace.
struct BotsView: Sendable, Equatable {
  var rows: [BotRow]
  var mayChange: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    return page.page(
      .bots, title: page.strings["nav.bots"], place: .bots,
      [
        "new": mayChange ? .text(Links.newBot(page.slug)) : .none,
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
      ])
  }
}

/// The form that adds a bot by its token. The token is not shown again, not even when it was wrong.
struct BotFormView: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable {
    case token, unknown, elsewhere
    case noAnswer = "no_answer"
    /// Not one of this side's.
    case environment
    /// A pilot has its one live bot already.
    case stage

    fileprivate var field: String { self == .environment ? "environment" : "token" }
  }

  /// Where the bot may live on this side.
  var environments: [BotEnvironment]
  var environment: BotEnvironment?
  var segment = BotSegment.aiBot
  var problem: Problem?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let problems = FormProblems(
      rows: problem.map { [.init(field: $0.field, words: t[.init("bot.problem_\($0.rawValue)")])] }
        ?? [])
    let chosen = environment ?? environments.last
    return page.page(
      .botNew, title: t["bot.add"], place: .bots,
      trail: [(title: t["nav.bots"], href: Links.bots(page.slug))],
      [
        "action": .text(Links.bots(page.slug)),
        "summary": problems.model, "token_problem": problems.words("token"),
        "environment_problem": problems.words("environment"),
        "pilot": problem == .stage ? .text(Links.pilot(page.slug)) : .none,
        "choice": environments.count > 1
          ? .record([
            "environments": .records(environments) {
              [
                "value": .text($0.rawValue),
                "label": .text(t[.init("bot.environment_\($0.rawValue)")]),
                "selected": .flag($0 == chosen),
              ]
            }
          ]) : .none,
        "only": environments.count == 1
          ? .optional(environments.first) { ["value": .text($0.rawValue)] } : .none,
        "segments": .records(BotSegment.allCases) {
          [
            "value": .text($0.rawValue), "label": .text(t[.init("bot.segment_\($0.rawValue)")]),
            "selected": .flag($0 == segment),
          ]
        },
      ])
  }
}
