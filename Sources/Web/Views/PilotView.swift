import Foundation

/// How far a business is: its stage, the drills that speak for it, and its wish for more.
struct PilotView: Sendable, Equatable {
  enum Stage: String, Sendable, CaseIterable { case approved, pilot, open, suspended }

  /// Why drills cannot be run now.
  enum Obstacle: String, Sendable, CaseIterable {
    /// The reader does not belong to the test side, where drills run.
    case otherSide = "other_side"
    case sandbox
    case bot
    /// Nothing is sold meanwhile.
    case suspended
  }

  /// Why there is no sandbox bot though one was asked for.
  enum Trouble: String, Sendable, CaseIterable {
    case notReached = "not_reached"
    case refused
    case connection
  }

  struct Suspension: Sendable, Equatable {
    var at: Date
    var reason: String
  }

  var stage: Stage
  var suspension: Suspension?
  /// Of the test side; nil where the reader does not belong to it.
  var drillSlug: String?
  var obstacle: Obstacle?
  var trouble: Trouble?
  /// The newest run, under way or not.
  var run: DrillRunRow?
  /// Older ones.
  var history: [DrillRunRow] = []
  var paging = Paging()
  var mayRun = true
  /// Makes a sandbox bot where there is none.
  var mayStartBot = false
  var expansion: ExpansionPart

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.pilot(page.slug)
    return page.page(
      .pilot, title: t["nav.pilot"], place: .pilot,
      [
        "refresh": run?.isRunning == true ? "2" : .none,
        "stage": .text(t[.init("pilot.stage_\(stage.rawValue)")]),
        "stage_class": .text(stageClass),
        "stage_about": .text(t[.init("pilot.about_\(stage.rawValue)")]),
        "suspension": .optional(suspension) {
          ["reason": .text($0.reason), "time": page.format.time($0.at)]
        },
        "progress": .optional(run.flatMap { $0.isRunning ? $0 : nil }) {
          ["words": .text($0.progress(page)), "href": .text(path)]
        },
        "drills_hint": .text(
          t("pilot.drills_hint", ["n": page.format.number(DrillRunRow.purchases)])),
        "obstacle": .optional(obstacle) { obstacleModel($0, page) },
        "trouble": .optional(trouble.map { t[.init("pilot.trouble_\($0.rawValue)")] }),
        "run": .optional(run) { $0.model(page, slug: drillSlug) },
        "start": startForm(page),
        "history": history.isEmpty
          ? .none
          : .record(["rows": .records(history) { $0.model(page, slug: drillSlug) }]),
        "paging": paging.model(path: path),
        "expansion": expansion.model(page, stage: stage, drillSlug: drillSlug),
      ])
  }

  private var stageClass: String {
    switch stage {
    case .approved: "requested"
    case .pilot: "active"
    case .open: "good"
    case .suspended: "bad"
    }
  }

  private func obstacleModel(
    _ obstacle: Obstacle, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "said": .text(t[.init("pilot.obstacle_\(obstacle.rawValue)")]),
      "fix": .text(t[.init("pilot.fix_\(obstacle.rawValue)")]),
      "command": obstacle == .sandbox ? "estars sandbox" : .none,
      "form": obstacle == .bot && mayStartBot
        ? .optional(drillSlug) { ["action": .text(Links.sandboxBots($0))] } : .none,
    ]
  }

  private func startForm(_ page: PageContext) -> TemplateValue {
    guard let drillSlug, obstacle == nil, run?.isRunning != true else { return .none }
    guard mayRun else { return ["only": .text(page.strings["pilot.only_managers"])] }
    return [
      "action": .text(Links.drillRuns(drillSlug)), "only": .none,
      "verb": .text(page.strings[run == nil ? "pilot.run" : "pilot.run_again"]),
    ]
  }
}

/// A run of all drills.
struct DrillRunRow: Sendable, Equatable {
  enum State: String, Sendable, CaseIterable { case running, passed, failed }

  /// What the drills of one run pay for.
  static let purchases: Int64 = 22

  var id: Int64
  var state: State
  var bot: BotLabel
  var askedBy: String
  var askedAt: Date
  var finishedAt: Date?
  var drills: [DrillRow]

  var isRunning: Bool { state == .running }
  private var passed: Int64 { Int64(drills.count { $0.state == .passed }) }

  func progress(_ page: PageContext) -> String {
    let t = page.strings
    let over = drills.count { $0.state != .waiting && $0.state != .running }
    guard drills.contains(where: { $0.state != .waiting }) else { return t["pilot.waits"] }
    return t(
      "pilot.running",
      ["n": page.format.number(Int64(over)), "of": page.format.number(Int64(drills.count))])
  }

  func model(_ page: PageContext, slug: String?) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "number": .text(t("pilot.number", ["n": String(id)])),
      "href": .optional(slug.map { Links.drillRun($0, id) }),
      "result": .text(
        t(
          "pilot.result",
          ["n": format.number(passed), "of": format.number(Int64(drills.count))])),
      "run_state": .text(t[.init("pilot.state_\(state.rawValue)")]),
      "run_class": .text(
        state == .passed ? "good" : state == .failed ? "bad" : "requested"),
      "bot": .text("@" + bot.username), "by": .text(askedBy),
      "time": format.time(finishedAt ?? askedAt),
      "exact": .text(format.exact(finishedAt ?? askedAt)),
      "drills": .records(drills) { $0.model(page, slug: slug) },
    ]
  }
}

/// One run of the past, with all that it saw.
struct DrillRunView: Sendable, Equatable {
  var run: DrillRunRow

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let path = Links.drillRun(page.slug, run.id)
    return page.page(
      .drillRun, title: page.strings("pilot.number", ["n": String(run.id)]), place: .pilot,
      trail: [(title: page.strings["nav.pilot"], href: Links.pilot(page.slug))],
      [
        "refresh": run.isRunning ? "2" : .none,
        "progress": run.isRunning
          ? ["words": .text(run.progress(page)), "href": .text(path)] : .none,
        "run": .record(run.model(page, slug: page.slug)),
      ])
  }
}
