import Foundation

enum BusinessStage: String, Sendable, CaseIterable {
  case applied, approved, pilot, open, suspended

  func words(_ t: Strings) -> String { t[.init("stage.\(rawValue)")] }

  var stateClass: String {
    switch self {
    case .applied, .approved: "requested"
    case .pilot: "ending"
    case .open: "good"
    case .suspended: "bad"
    }
  }
}

/// The applications that wait, or those of one state.
struct AdminApplicationsView: Sendable, Equatable {
  enum Show: String, Sendable, CaseIterable {
    /// In the order in which they are to be read.
    case waiting
    case asked, approved, declined, all
  }

  struct Row: Sendable, Equatable {
    var id: Int64
    var bot: String
    var segment: BotSegment
    var stars: Int64
    var state: ApplicationState
    /// For whom its invitation code was made; nil: it has none.
    var code: String?
    var receivedAt: Date
    /// Something else has the same bot or contact.
    var hasDuplicates: Bool
  }

  var show = Show.waiting
  var rows: [Row]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.admin(.applications)
    func query(_ show: Show) -> [(name: String, value: String?)] {
      [("show", show == .waiting ? nil : show.rawValue)]
    }
    return page.adminPage(
      .adminApplications, title: t["admin.nav_applications"], place: .applications,
      [
        "filters": .records(Show.allCases) { choice in
          [
            "title": .text(t[.init("applications.show_\(choice.rawValue)")]),
            "href": .text(Links.with(path, query(choice))), "current": .flag(choice == show),
          ]
        },
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "paging": Paging(
          nextCursor: paging.nextCursor, isFirst: paging.isFirst, isAscending: show == .waiting
        ).model(path: path, query: query(show)),
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "href": .text(Links.adminApplication(row.id)), "bot": .text("@" + row.bot),
      "segment": .text(t[.init("bot.segment_\(row.segment.rawValue)")]),
      "stars": .text(page.format.stars(row.stars)),
      "state": .text(row.state.words(t)), "state_class": .text(row.state.model),
      "code": .optional(row.code), "duplicates": .flag(row.hasDuplicates),
      "received": ["time": page.format.time(row.receivedAt)],
    ]
  }
}

/// One application, what else is known, and what an admin may do about it.
struct AdminApplicationView: Sendable, Equatable {
  enum Form: String, Sendable, CaseIterable { case note, question, approval, decline, removal }

  /// What was typed into the forms; those that were not sent hold their proposals.
  struct Draft: Sendable, Equatable {
    var form: Form?
    var note = ""
    var question = ""
    var slug = ""
    var name = ""
    var approvalWords = ""
    var reason = ""
    var declineWords = ""
    var problems: [FormProblem] = []
    /// Somebody has decided meanwhile.
    var isLate = false
  }

  struct Duplicate: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable { case application, bot, person }

    var kind: Kind
    var name: String
    /// More about it, such as its state.
    var state: ApplicationState?
    var at: Date?
    var href: String?
  }

  var row: AdminApplicationsView.Row
  var facts: ApplicationFacts
  var language: Language
  var decidedAt: Date?
  var decidedBy: String?
  var decline: ApplicationDecline?
  /// The workspace that came of it.
  var workspace: (id: Int64, name: String)?
  var duplicates: [Duplicate] = []
  var talk: [ApplicationTalk] = []
  var draft = Draft()
  var history: [RuleChange] = []

  static func == (a: AdminApplicationView, b: AdminApplicationView) -> Bool {
    a.row == b.row && a.draft == b.draft && a.talk == b.talk
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.adminPage(
      .adminApplication, title: "@" + row.bot, place: .applications,
      trail: [(title: t["admin.nav_applications"], href: Links.admin(.applications))],
      [
        "late": draft.isLate ? .text(t["application.late"]) : .none,
        "state": .text(row.state.words(t)), "state_class": .text(row.state.model),
        "code": .optional(row.code),
        "received": ["time": page.format.time(row.receivedAt)],
        "language": .text(t[.init("application.language_\(language == .en ? "en" : "pt")")]),
        "decided": .optional(decidedAt) {
          ["time": page.format.time($0), "by": .text(decidedBy ?? "")]
        },
        "reason": .optional(decline.map { t[.init("rule.application_reason_\($0.rawValue)")] }),
        "workspace": .optional(workspace) {
          ["name": .text($0.name), "href": .text(Links.adminWorkspace($0.id))]
        },
        "facts": facts.model(t, page.format),
        "duplicates": duplicates.isEmpty
          ? .none : .record(["rows": .records(duplicates) { model($0, page) }]),
        "talk": talk.isEmpty
          ? .none : .record(["rows": .records(talk) { $0.model(t, page.format) }]),
        "forms": .list(forms.map { .record(model($0, page)) }),
        "history": RuleWords(page: page).history(history),
      ])
  }

  private var forms: [Form] {
    row.state.isOpen ? Form.allCases : [.note, .removal]
  }

  private func model(_ duplicate: Duplicate, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "kind": .text(t[.init("application.duplicate_\(duplicate.kind.rawValue)")]),
      "name": .text(duplicate.name), "href": .optional(duplicate.href),
      "state": .optional(duplicate.state?.words(t)),
      "at": .optional(duplicate.at) { ["time": page.format.time($0)] },
    ]
  }

  private func model(_ form: Form, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let fields = fields(form, t)
    let problems = draft.form == form ? draft.problems : []
    let noun = form == .note ? "notes" : form.rawValue
    return [
      "title": .text(t[.init("application.do_\(form.rawValue)")]),
      "about": .text(t[.init("application.about_\(form.rawValue)")]),
      "action": .text("\(Links.adminApplication(row.id))/\(noun)"),
      "open": .flag(draft.form == form),
      "summary": problems.summary(page, of: fields),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
      "is_danger": .flag(form == .decline || form == .removal),
      "confirm": form == .removal ? .text(t["application.confirm_removal"]) : .none,
    ]
  }

  private func fields(_ form: Form, _ t: Strings) -> [FormField] {
    func words(_ id: String, _ value: String) -> FormField {
      FormField(
        id: id, label: t[.init("application.field_\(id)")],
        hint: t[.init("application.hint_\(id)")], value: value, kind: .area(rows: 3, max: 2000))
    }
    switch form {
    case .note: return [words("note", draft.note)]
    case .question: return [words("question", draft.question)]
    case .approval:
      return [
        FormField(
          id: "name", label: t["application.field_name"], value: draft.name,
          kind: .text(max: 80)),
        FormField(
          id: "slug", label: t["application.field_slug"], hint: t["application.hint_slug"],
          value: draft.slug, kind: .text(max: 43)),
        words("approval_words", draft.approvalWords),
      ]
    case .decline:
      let choices =
        [(value: "", label: t["apply.choose"])]
        + ApplicationDecline.allCases.map {
          (value: $0.rawValue, label: t[.init("rule.application_reason_\($0.rawValue)")])
        }
      return [
        FormField(
          id: "reason", label: t["application.field_reason"],
          hint: t["application.hint_reason"], value: draft.reason, kind: .choice(choices)),
        words("decline_words", draft.declineWords),
      ]
    case .removal: return []
    }
  }
}
