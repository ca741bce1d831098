/// The page behind a link into a team.
struct InvitationView: Sendable, Equatable {
  /// Somebody who is signed in already.
  struct Known: Sendable, Equatable {
    var email: String
    var csrf: String
  }

  /// What was typed for a new account.
  struct Draft: Sendable, Equatable {
    var email = ""
    var name = ""
    var problems: [FormProblem] = []
  }

  var token: String
  var workspace: String
  var role: String
  var invitedBy: String
  var known: Known?
  var draft = Draft()

  func render(with renderer: Renderer, language: Language) -> String {
    let page = PlainPage(renderer: renderer, language: language)
    let t = page.strings
    let path = Links.invitation(token)
    return page.render(
      .invitation, title: t("invitation.title", ["workspace": workspace]),
      [
        "about": .text(
          t("invitation.about", ["who": invitedBy, "role": t[.init("role.\(role)")]])),
        "action": .text(path),
        "known": .optional(known) {
          [
            "csrf": .text($0.csrf),
            "words": .text(t("invitation.signed_in_as", ["email": $0.email])),
          ]
        },
        "newcomer": known == nil ? .record(form(page, path)) : .none,
      ])
  }

  private func form(_ page: PlainPage, _ path: String) -> [String: TemplateValue] {
    let t = page.strings
    let fields = [
      FormField(
        id: "name", label: t["account.name"], hint: t["account.name_hint"], value: draft.name,
        kind: .text(max: 80)),
      FormField(id: "email", label: t["login.email"], value: draft.email, kind: .email),
      FormField(
        id: "password", label: t["account.new_password"], hint: t["account.password_hint"],
        value: "", kind: .password(isNew: true)),
      FormField(
        id: "again", label: t["account.again"], value: "", kind: .password(isNew: true)),
    ]
    return [
      "summary": page.summary(draft.problems, of: fields),
      "fields": .list(fields.map { page.field($0, draft.problems) }),
      "sign_in": .text(Links.with(Links.login, [("next", path)])),
    ]
  }
}

/// A link that was used, revoked or whose time is over: the three look alike.
struct LinkGoneView: Sendable, Equatable {
  enum Kind: String, Sendable, CaseIterable { case invitation, reset }

  var kind: Kind

  func render(with renderer: Renderer, language: Language) -> String {
    let page = PlainPage(renderer: renderer, language: language)
    let t = page.strings
    return page.render(
      .linkGone, title: t["link_gone.title"],
      [
        "about": .text(t[.init("link_gone.\(kind.rawValue)")]), "sign_in": .text(Links.login),
      ])
  }
}
