/// The page behind a link that resets a password or takes a second factor off.
struct ResetView: Sendable, Equatable {
  enum Kind: String, Sendable, CaseIterable { case password, totp }

  var token: String
  var kind: Kind
  var email: String
  var problems: [FormProblem] = []

  func render(with renderer: Renderer, language: Language) -> String {
    let page = PlainPage(renderer: renderer, language: language)
    let t = page.strings
    let fields =
      kind == .password
      ? [
        FormField(
          id: "password", label: t["account.new_password"], hint: t["account.password_hint"],
          value: "", kind: .password(isNew: true)),
        FormField(
          id: "again", label: t["account.again"], value: "", kind: .password(isNew: true)),
      ]
      : [
        FormField(
          id: "password", label: t["login.password"], hint: t["reset.password_hint"], value: "",
          kind: .password(isNew: false))
      ]
    return page.render(
      .reset, title: t[.init("reset.title_\(kind.rawValue)")],
      [
        "about": .text(t(.init("reset.about_\(kind.rawValue)"), ["email": email])),
        "action": .text(Links.reset(token)), "email": .text(email),
        "summary": page.summary(problems, of: fields),
        "fields": .list(fields.map { page.field($0, problems) }),
        "submit": .text(t[.init("reset.do_\(kind.rawValue)")]),
      ])
  }
}
