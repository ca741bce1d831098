import Foundation

/// Codes that shorten the queue.
struct InvitationCodesView: Sendable, Equatable {
  enum State: String, Sendable, CaseIterable {
    case open
    case usedUp = "used_up"
    case over, revoked
  }

  struct Row: Sendable, Equatable {
    var id: Int64
    var name: String
    var madeBy: String
    var madeAt: Date
    var expiresAt: Date
    var uses: Int64
    var maxUses: Int64
    var state: State
  }

  struct Draft: Sendable, Equatable {
    var name = ""
    var uses = "1"
    var days = "30"
    var problems: [FormProblem] = []
  }

  var rows: [Row]
  var draft = Draft()
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.admin(.invitationCodes)
    let fields = [
      FormField(
        id: "name", label: t["team.for_whom"], hint: t["invitation_codes.name_hint"],
        value: draft.name, kind: .text(max: 80)),
      FormField(
        id: "uses", label: t["invitation_codes.uses"], value: draft.uses,
        kind: .text(max: 4, isNumber: true)),
      FormField(
        id: "days", label: t["invitation_codes.days"], value: draft.days,
        kind: .text(max: 3, isNumber: true)),
    ]
    return page.adminPage(
      .invitationCodes, title: t["admin.nav_invitation_codes"], place: .invitationCodes,
      page.form(fields, draft.problems, to: path).merging([
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "paging": paging.model(path: path),
      ]) { _, own in own })
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let path = "\(Links.admin(.invitationCodes))/\(row.id)/revocation"
    return [
      "name": .text(row.name), "by": .text(row.madeBy),
      "made": ["time": page.format.time(row.madeAt)],
      "expires": ["time": page.format.time(row.expiresAt)],
      "used": .text(
        t(
          "invitation_codes.used",
          ["n": page.format.number(row.uses), "max": page.format.number(row.maxUses)])),
      "state": .text(t[.init("invitation_codes.state_\(row.state.rawValue)")]),
      "state_class": .text(row.state == .open ? "good" : "ended"),
      "revocation": row.state == .open
        ? .record([
          "action": .text(path), "label": .text("\(t["team.revoke"]): \(row.name)"),
        ]) : .none,
    ]
  }
}
