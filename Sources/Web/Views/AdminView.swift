import Foundation

/// What waits for an admin, and how the platform does.
struct AdminView: Sendable, Equatable {
  struct JobTrouble: Sendable, Equatable {
    /// The job's own name.
    var kind: String
    var late: Int64
    var failing: Int64
    var oldest: Date
  }

  struct System: Sendable, Equatable {
    var schema: String
    var schemaAt: Date
    var databaseMegabytes: Int64
    var databaseVersion: String
    var answerMilliseconds: Int64
    var jobs: [JobTrouble] = []
    /// nil: this process accepts none.
    var journalDebits: Int64?
  }

  struct Numbers: Sendable, Equatable {
    var received: Int64
    var asked: Int64
    var expansions: [Expansion] = []
    var stages: [BusinessStage: Int64] = [:]
    var admins: Int64
  }

  struct Expansion: Sendable, Equatable {
    var business: Int64
    var name: String
    var askedAt: Date
  }

  var numbers: Numbers
  var system: System

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let stages: [BusinessStage] = [.approved, .pilot, .open, .suspended]
    return page.adminPage(
      .admin, title: t["admin.name"], place: .home,
      [
        "figures": .records(figures(t)) { figure in
          [
            "label": .text(figure.label), "value": .text(format.number(figure.value)),
            "href": .text(figure.href),
          ]
        },
        "stages": .records(stages) { stage in
          [
            "label": .text(stage.words(t)), "state_class": .text(stage.stateClass),
            "value": .text(format.number(numbers.stages[stage] ?? 0)),
            "href": .text(
              Links.with(Links.admin(.workspaces), [("stage", stage.rawValue)])),
          ]
        },
        "expansions": numbers.expansions.isEmpty
          ? .none
          : .record([
            "rows": .records(numbers.expansions) {
              [
                "name": .text($0.name), "href": .text(Links.adminWorkspace($0.business)),
                "time": format.time($0.askedAt),
              ]
            }
          ]),
        "system": .list(system(page).map { .record($0) }),
        "jobs": system.jobs.isEmpty
          ? .none
          : .record([
            "rows": .records(system.jobs) { job in
              [
                "kind": .text(job.kind), "late": .text(format.number(job.late)),
                "failing": .text(format.number(job.failing)),
                "oldest": ["time": format.time(job.oldest)],
              ]
            }
          ]),
      ])
  }

  private func figures(_ t: Strings) -> [(label: String, value: Int64, href: String)] {
    let applications = Links.admin(.applications)
    return [
      (t["admin.received"], numbers.received, applications),
      (t["admin.asked"], numbers.asked, Links.with(applications, [("show", "asked")])),
      (
        t["admin.expansions"], Int64(numbers.expansions.count),
        Links.with(Links.admin(.workspaces), [("stage", "pilot")])
      ),
      (t["admin.admins"], numbers.admins, Links.admin(.operators)),
    ]
  }

  private func system(_ page: PageContext) -> [[String: TemplateValue]] {
    let (t, format) = (page.strings, page.format)
    let late = system.jobs.reduce(0) { $0 + $1.late }
    let failing = system.jobs.reduce(0) { $0 + $1.failing }
    let journal = system.journalDebits
    func row(_ name: String, _ value: String, isWell: Bool = true) -> [String: TemplateValue] {
      [
        "label": .text(t[.init("admin.system_\(name)")]), "value": .text(value),
        "state_class": .text(isWell ? "good" : "bad"),
      ]
    }
    return [
      row(
        "database",
        t(
          "admin.database",
          [
            "ms": format.number(system.answerMilliseconds), "version": system.databaseVersion,
            "mb": format.number(system.databaseMegabytes),
          ]), isWell: system.answerMilliseconds < 1000),
      row(
        "schema",
        t("admin.schema", ["name": system.schema, "time": format.exact(system.schemaAt)])),
      row("late", format.number(late), isWell: late == 0),
      row("failing", format.number(failing), isWell: failing == 0),
      row(
        "journal", journal.map(format.number) ?? t["admin.journal_none"],
        isWell: (journal ?? 0) == 0),
    ]
  }
}

/// What eStars keeps shut, for those who could not open it either.
struct AdminGatesView: Sendable, Equatable {
  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.adminPage(
      .adminGates, title: t["admin.nav_gates"], place: .gates,
      ["rows": .records(GatesView.Gate.allCases) { GatesView.model($0, t) }])
  }
}

/// The platform's own log.
struct AdminAuditView: Sendable, Equatable {
  var filter = AuditView.Filter()
  var problems: [FormProblem] = []
  var actors: [String] = []
  var actions: [String] = []
  var kinds: [String] = []
  var lines: [AuditView.Line]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let path = Links.admin(.audit)
    let fields = AuditView.fields(filter, actors: actors, actions: actions, kinds: kinds, page)
    let words = RuleWords(page: page)
    return page.adminPage(
      .adminAudit, title: page.strings["admin.nav_audit"], place: .audit,
      [
        "path": .text(path),
        "fields": .list(fields.map { .record($0.model(problems, page)) }),
        "clear": filter.isEmpty ? .none : .text(path),
        "results": lines.isEmpty
          ? .none : .record(["rows": .records(lines) { model($0, words, page.strings) }]),
        "paging": paging.model(path: path, query: filter.query),
      ])
  }

  private func model(
    _ line: AuditView.Line, _ words: RuleWords, _ t: Strings
  ) -> [String: TemplateValue] {
    var model = words.model(line.change)
    model["kind"] = .text(AuditView.kind(line.kind, t))
    model["subject"] = .text(line.subject)
    model["href"] = .optional(
      Int64(line.subject).flatMap { id in
        switch line.kind {
        case "application": Links.adminApplication(id)
        case "workspace": Links.adminWorkspace(id)
        case "invitation_code": Links.admin(.invitationCodes)
        default: nil
        }
      })
    return model
  }
}
