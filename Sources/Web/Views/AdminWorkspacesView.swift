import Foundation

/// One business in the list of all.
struct BusinessRow: Sendable, Equatable {
  struct Drills: Sendable, Equatable {
    var finishedAt: Date
    var passed: Int64
    var failed: Int64
  }

  /// Of the live side.
  var id: Int64
  var name: String
  var slug: String
  var segment: BotSegment
  var stage: BusinessStage
  var createdAt: Date
  var bots: Int64
  var owners: Int64
  var drills: Drills?
  /// Of both sides: live and test.
  var health: [SideHealth] = []

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let isWell = health.allSatisfy(\.isWell)
    return [
      "href": .text(Links.adminWorkspace(id)), "name": .text(name), "slug": .text(slug),
      "segment": .text(t[.init("bot.segment_\(segment.rawValue)")]),
      "stage": .text(stage.words(t)), "stage_class": .text(stage.stateClass),
      "created": ["time": format.time(createdAt)],
      "bots": .text(format.number(bots)), "owners": .text(format.number(owners)),
      "drills": .optional(drills) {
        [
          "words": .text(
            t(
              $0.failed == 0 ? "business.drills_passed" : "business.drills_failed",
              [
                "n": format.number($0.passed), "all": format.number($0.passed + $0.failed),
              ])),
          "state_class": .text($0.failed == 0 ? "good" : "bad"),
          "time": format.time($0.finishedAt),
        ]
      },
      "health": .text(t[isWell ? "business.well" : "business.unwell"]),
      "health_class": .text(isWell ? "good" : "bad"),
    ]
  }
}

/// How one side of a business does, in numbers.
struct SideHealth: Sendable, Equatable {
  var side: Frame.Side
  /// nil: never.
  var verifiedAt: Date?
  var verificationProblems: Int64 = 0
  var openMismatches: Int64 = 0
  var failingJobs: Int64 = 0
  var webhookTroubles: Int64 = 0

  var isWell: Bool {
    verificationProblems + openMismatches + failingJobs + webhookTroubles == 0
  }

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "side": .text(t[.init("side.\(side.rawValue)")]),
      "verified": .optional(verifiedAt) { ["time": format.time($0)] },
      "rows": .records(
        [
          ("verification", verificationProblems), ("mismatches", openMismatches),
          ("jobs", failingJobs), ("webhooks", webhookTroubles),
        ] as [(String, Int64)]
      ) { name, count in
        [
          "label": .text(t[.init("business.health_\(name)")]),
          "count": .text(format.number(count)),
          "state_class": .text(count == 0 ? "good" : "bad"),
        ]
      },
    ]
  }
}

/// All businesses, newest first.
struct AdminWorkspacesView: Sendable, Equatable {
  static let stages: [BusinessStage] = [.approved, .pilot, .open, .suspended]

  var rows: [BusinessRow]
  /// nil: at any.
  var stage: BusinessStage?
  var query = ""
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.admin(.workspaces)
    let stages =
      [(value: "", label: t["audit_log.all"])]
      + Self.stages.map {
        (value: $0.rawValue, label: $0.words(t))
      }
    let fields = [
      FormField(
        id: "named", label: t["business.named"], value: query, kind: .text(max: 80)),
      FormField(
        id: "stage", label: t["business.stage"], value: stage?.rawValue ?? "",
        kind: .choice(stages)),
    ]
    return page.adminPage(
      .adminWorkspaces, title: t["admin.nav_workspaces"], place: .workspaces,
      [
        "path": .text(path),
        "fields": .list(fields.map { .record($0.model([], page)) }),
        "clear": stage == nil && query.isEmpty ? .none : .text(path),
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(
          path: path, query: [("named", query), ("stage", stage?.rawValue)]),
      ])
  }
}
