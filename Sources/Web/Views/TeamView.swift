import Foundation

/// One person of a team.
struct MemberRow: Sendable, Equatable {
  var id: Int64
  var name: String
  var email: String
  var role: WorkspacesView.Role
  var hasSecondFactor: Bool
  var joinedAt: Date
  /// nil: not signed in at present.
  var lastSeenAt: Date?
  /// The reader.
  var isReader = false

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "name": .text(name), "email": .text(email), "you": .flag(isReader),
      "href": .text(Links.member(page.slug, id)),
      "role": .text(t[.init("role.\(role.rawValue)")]),
      "factor": .text(t[hasSecondFactor ? "team.factor_on" : "team.factor_off"]),
      "factor_class": .text(hasSecondFactor ? "good" : "ended"),
      "joined": ["time": page.format.time(joinedAt)],
      "seen": .optional(lastSeenAt) { ["time": page.format.time($0)] },
    ]
  }
}

/// Who works in a workspace, and who is invited.
struct TeamView: Sendable, Equatable {
  struct Invitation: Sendable, Equatable {
    var id: Int64
    var name: String
    var role: WorkspacesView.Role
    var madeBy: String
    var expiresAt: Date
  }

  struct Draft: Sendable, Equatable {
    var name = ""
    var role = WorkspacesView.Role.support
    var hasBothSides = true
    var problems: [FormProblem] = []
  }

  var members: [MemberRow]
  var invitations: [Invitation] = []
  /// nil: the reader may not invite.
  var draft: Draft?
  /// Whether the reader owns the other side of the business as well.
  var mayInviteToBoth = false

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .team, title: t["nav.team"], place: .team,
      [
        "members": .records(members) { $0.model(page) },
        "invitations": invitations.isEmpty
          ? .none : .record(["rows": .records(invitations) { model($0, page) }]),
        "form": .optional(draft) { form($0, page) },
        "roles": .records(WorkspacesView.Role.allCases) { role in
          [
            "name": .text(t[.init("role.\(role.rawValue)")]),
            "may": .text(t[.init("team.may_\(role.rawValue)")]),
          ]
        },
      ])
  }

  private func model(
    _ invitation: Invitation, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    let path = "\(Links.invitations(page.slug))/\(invitation.id)/revocation"
    return [
      "name": .text(invitation.name), "by": .text(invitation.madeBy),
      "role": .text(t[.init("role.\(invitation.role.rawValue)")]),
      "expires": ["time": page.format.time(invitation.expiresAt)],
      "revocation": draft == nil
        ? .none
        : .record([
          "action": .text(path), "label": .text("\(t["team.revoke"]): \(invitation.name)"),
        ]),
    ]
  }

  private func form(_ draft: Draft, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let fields = [
      FormField(
        id: "name", label: t["team.for_whom"], hint: t["team.for_whom_hint"], value: draft.name,
        kind: .text(max: 80)),
      .role(draft.role, page),
    ]
    return page.form(fields, draft.problems, to: Links.invitations(page.slug)).merging([
      "both": mayInviteToBoth ? .record(["checked": .flag(draft.hasBothSides)]) : .none
    ]) { _, own in own }
  }
}

extension FormField {
  fileprivate static func role(_ role: WorkspacesView.Role, _ page: PageContext) -> FormField {
    let t = page.strings
    let choices = WorkspacesView.Role.allCases.map {
      (value: $0.rawValue, label: t[.init("role.\($0.rawValue)")])
    }
    return FormField(
      id: "role", label: t["team.role"], value: role.rawValue, kind: .choice(choices))
  }
}

/// One member, and what an owner may do about them.
struct MemberView: Sendable, Equatable {
  enum Warning: String, Sendable, CaseIterable {
    case lastOwner = "last_owner"
    case unconfirmed
  }

  /// Which resets the reader may make.
  enum Resets: Sendable, Equatable {
    case none
    /// The person belongs to a workspace that is not the reader's, too.
    case notYours
    case offered
  }

  var member: MemberRow
  var mayEdit: Bool
  var ownsBothSides = false
  var resets = Resets.none
  var warning: Warning?
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.member(page.slug, member.id)
    let role = FormField.role(member.role, page)
    return page.page(
      .member, title: member.name, place: .team,
      trail: [(title: t["nav.team"], href: Links.team(page.slug))],
      [
        "member": .record(member.model(page)),
        "warning": .optional(warning.map { t[.init("team.warning_\($0.rawValue)")] }),
        "edit": mayEdit
          ? .record([
            "role": .record(page.form([role], [], to: path + "/role")),
            "both": .flag(ownsBothSides),
            "removal": .text(path + "/removal"),
            "removal_open": .flag(warning == .unconfirmed),
            "removal_words": .text(t("team.removal_about", ["name": member.name])),
          ]) : .none,
        "resets": resets == .offered
          ? .record([
            "action": .text(path + "/resets"),
            "kinds": .records(ResetView.Kind.allCases.filter(isPossible)) { kind in
              [
                "value": .text(kind.rawValue),
                "words": .text(t[.init("team.reset_\(kind.rawValue)")]),
              ]
            },
          ]) : .none,
        "resets_elsewhere": resets == .notYours ? .text(t["team.resets_elsewhere"]) : .none,
        "history": RuleWords(page: page).history(history),
      ])
  }

  private func isPossible(_ kind: ResetView.Kind) -> Bool {
    kind == .password || member.hasSecondFactor
  }
}
