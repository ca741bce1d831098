import Foundation

/// Somebody with an account, as admins see them.
struct OperatorRow: Sendable, Equatable {
  struct Place: Sendable, Equatable {
    var name: String
    /// Of the business.
    var id: Int64
    var role: WorkspacesView.Role
  }

  var id: Int64
  var name: String
  var email: String
  var isAdmin: Bool
  var hasSecondFactor: Bool
  var createdAt: Date
  /// nil: not signed in at present.
  var lastSeenAt: Date?
  var places: [Place] = []

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "href": .text(Links.adminOperator(id)), "name": .text(name), "email": .text(email),
      "admin": .flag(isAdmin),
      "factor": .text(t[hasSecondFactor ? "team.factor_on" : "team.factor_off"]),
      "factor_class": .text(hasSecondFactor ? "good" : "ended"),
      "created": ["time": page.format.time(createdAt)],
      "seen": .optional(lastSeenAt) { ["time": page.format.time($0)] },
      "places": .records(places) {
        [
          "name": .text($0.name), "href": .text(Links.adminWorkspace($0.id)),
          "role": .text(t[.init("role.\($0.role.rawValue)")]),
        ]
      },
    ]
  }
}

/// Everybody with an account, admins first.
struct AdminOperatorsView: Sendable, Equatable {
  var rows: [OperatorRow]
  var query = ""
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.admin(.operators)
    let field = FormField(
      id: "named", label: t["operators.named"], value: query, kind: .text(max: 100))
    return page.adminPage(
      .adminOperators, title: t["admin.nav_operators"], place: .operators,
      [
        "path": .text(path), "fields": .list([.record(field.model([], page))]),
        "clear": query.isEmpty ? .none : .text(path),
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: path, query: [("named", query)]),
      ])
  }
}

struct AdminOperatorView: Sendable, Equatable {
  var row: OperatorRow
  /// It is an admin's account, which the command line alone resets.
  var isTooHigh = false
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let kinds = ResetView.Kind.allCases.filter { $0 == .password || row.hasSecondFactor }
    return page.adminPage(
      .adminOperator, title: row.name, place: .operators,
      trail: [(title: t["admin.nav_operators"], href: Links.admin(.operators))],
      [
        "refused": isTooHigh ? .text(t["operators.admins_only_by_shell"]) : .none,
        "person": .record(row.model(page)),
        "resets": row.isAdmin
          ? .none
          : .record([
            "action": .text(Links.adminOperator(row.id) + "/resets"),
            "kinds": .records(kinds) {
              [
                "value": .text($0.rawValue),
                "words": .text(t[.init("team.reset_\($0.rawValue)")]),
              ]
            },
          ]),
        "by_shell": row.isAdmin ? .text(t["operators.admins_only_by_shell"]) : .none,
        "history": RuleWords(page: page).history(history),
      ])
  }
}
