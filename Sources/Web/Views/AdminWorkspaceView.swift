import Foundation

/// A request to go from a pilot to many bots.
struct ExpansionRow: Sendable, Equatable {
  enum State: String, Sendable, CaseIterable { case asked, approved, declined }

  var id: Int64
  var state: State
  var askedAt: Date
  var askedBy: String
  var body: String
  var decidedAt: Date?
  var decidedBy: String?
  var answer: String?
}

/// One business and what an admin may do about it.
struct AdminWorkspaceView: Sendable, Equatable {
  enum Form: String, Sendable, CaseIterable {
    case invitation, suspension, resumption, visit, approval, decline
  }

  struct Draft: Sendable, Equatable {
    var form: Form?
    var reason = ""
    var problems: [FormProblem] = []
    /// It was suspended, resumed or decided meanwhile.
    var isLate = false
  }

  struct Invitation: Sendable, Equatable {
    var madeBy: String
    var expiresAt: Date
  }

  struct VisitRow: Sendable, Equatable {
    var admin: String
    var beganAt: Date
    var endsAt: Date
    var reason: String
  }

  struct Bot: Sendable, Equatable {
    var username: String
    var environment: BotEnvironment
    var isConnected: Bool
  }

  struct Owner: Sendable, Equatable {
    var id: Int64
    var name: String
    var email: String
    var hasSecondFactor: Bool
  }

  var row: BusinessRow
  var suspendedAt: Date?
  var suspensionReason: String?
  /// The application that it came of, while that is kept.
  var application: Int64?
  var bots: [Bot] = []
  var owners: [Owner] = []
  /// A link of an admin's that nobody has used yet.
  var invitation: Invitation?
  /// The drills that speak for it.
  var run: DrillRunRow?
  var expansion: ExpansionRow?
  var visits: [VisitRow] = []
  /// Where the reader may look just now.
  var openVisit: (until: Date, liveSlug: String, testSlug: String?)?
  var draft = Draft()
  var history: [RuleChange] = []

  static func == (a: AdminWorkspaceView, b: AdminWorkspaceView) -> Bool {
    a.row == b.row && a.draft == b.draft && a.expansion == b.expansion
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    return page.adminPage(
      .adminWorkspace, title: row.name, place: .workspaces,
      trail: [(title: t["admin.nav_workspaces"], href: Links.admin(.workspaces))],
      [
        "late": draft.isLate ? .text(t["business.late"]) : .none,
        "business": .record(row.model(page)),
        "suspended": .optional(suspendedAt) {
          ["time": format.time($0), "reason": .text(suspensionReason ?? "")]
        },
        "application": .optional(application.map(Links.adminApplication)),
        "sides": .records(row.health) { $0.model(page) },
        "bots": bots.isEmpty ? .none : .record(["rows": .records(bots) { model($0, t) }]),
        "owners": owners.isEmpty ? .none : .record(["rows": .records(owners) { model($0, t) }]),
        "invitation": .optional(invitation) {
          ["by": .text($0.madeBy), "expires": ["time": format.time($0.expiresAt)]]
        },
        "run": .optional(run) { $0.model(page, slug: nil) },
        "expansion": .optional(expansion) { model($0, page) },
        "open_visit": .optional(openVisit) {
          [
            "words": .text(t("business.visit_open", ["time": format.exact($0.until)])),
            "live": .text(Links.overview($0.liveSlug)),
            "test": .optional($0.testSlug.map(Links.overview)),
          ]
        },
        "visits": visits.isEmpty
          ? .none : .record(["rows": .records(visits) { model($0, format) }]),
        "forms": .list(forms.map { .record(model($0, page)) }),
        "history": RuleWords(page: page).history(history),
      ])
  }

  /// Those that stand by themselves; an expansion request has its own beside it.
  private var forms: [Form] {
    [.invitation, .visit] + [row.stage == .suspended ? .resumption : .suspension]
  }

  private func model(_ bot: Bot, _ t: Strings) -> [String: TemplateValue] {
    [
      "username": .text("@" + bot.username),
      "environment": .text(t[.init("bot.environment_\(bot.environment.rawValue)")]),
      "gone": .flag(!bot.isConnected),
    ]
  }

  private func model(_ owner: Owner, _ t: Strings) -> [String: TemplateValue] {
    [
      "name": .text(owner.name), "email": .text(owner.email),
      "href": .text(Links.adminOperator(owner.id)),
      "factor": .text(t[owner.hasSecondFactor ? "team.factor_on" : "team.factor_off"]),
      "factor_class": .text(owner.hasSecondFactor ? "good" : "ended"),
    ]
  }

  private func model(_ visit: VisitRow, _ format: Formatting) -> [String: TemplateValue] {
    [
      "who": .text(visit.admin), "time": format.time(visit.beganAt),
      "reason": .text(visit.reason),
    ]
  }

  private func model(_ row: ExpansionRow, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "state": .text(t[.init("expansion.state_\(row.state.rawValue)")]),
      "state_class": .text(
        row.state == .asked ? "requested" : row.state == .approved ? "good" : "declined"),
      "asked": ["time": format.time(row.askedAt)], "by": .text(row.askedBy),
      "body": .optional(row.body.isEmpty ? nil : row.body),
      "answer": .optional(row.answer?.isEmpty == true ? nil : row.answer),
      "decided": .optional(row.decidedAt) {
        ["time": format.time($0), "by": .text(row.decidedBy ?? "")]
      },
      "forms": row.state == .asked
        ? .list([Form.approval, .decline].map { .record(model($0, page)) }) : .list([]),
    ]
  }

  private func model(_ form: Form, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let path = Links.adminWorkspace(row.id)
    let request = Links.expansionRequest(expansion?.id ?? 0)
    let action =
      switch form {
      case .invitation: path + "/invitations"
      case .visit: path + "/visits"
      case .suspension, .resumption: "\(path)/\(form.rawValue)"
      case .approval, .decline: "\(request)/\(form.rawValue)"
      }
    let isOwn = draft.form == form
    let isAnswer = form == .approval || form == .decline
    let fields =
      form == .invitation
      ? []
      : [
        FormField(
          id: "reason", label: t[.init("business.reason_\(form.rawValue)")],
          hint: t[.init("business.hint_\(form.rawValue)")], value: isOwn ? draft.reason : "",
          kind: .area(rows: 2, max: isAnswer ? 2000 : 500), prefix: form.rawValue + "-")
      ]
    let problems = isOwn ? draft.problems : []
    return [
      "title": .text(t[.init("business.do_\(form.rawValue)")]),
      "about": .text(t[.init("business.about_\(form.rawValue)")]),
      "action": .text(action), "open": .flag(isOwn),
      "summary": problems.summary(page, of: fields, prefix: form.rawValue + "-"),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
      "is_danger": .flag(form == .suspension || form == .decline),
    ]
  }
}
