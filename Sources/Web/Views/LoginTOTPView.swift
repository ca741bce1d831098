/// The second step of signing in: a code of the app, or a recovery code.
struct LoginTOTPView: Sendable, Equatable {
  var csrf: String
  var problem: FormProblem.Kind?
  /// Where to go afterwards; a path of this site.
  var next: String?

  func render(with renderer: Renderer, language: Language) -> String {
    let page = PlainPage(renderer: renderer, language: language)
    let t = page.strings
    let problems = problem.map { [FormProblem(field: "code", kind: $0)] } ?? []
    let field = FormField(
      id: "code", label: t["totp.code"], hint: t["totp.code_hint"], value: "", kind: .code)
    return page.render(
      .loginTOTP, title: t["totp.sign_in"],
      [
        "action": .text(Links.loginTOTP), "csrf": .text(csrf), "next": .optional(next),
        "fields": .list([page.field(field, problems)]), "start_over": .text(Links.login),
      ])
  }
}
