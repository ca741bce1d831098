/// The form that starts a session. It carries no CSRF token: before login there is no cookie to abuse.
struct LoginView: Sendable, Equatable {
  enum Failure: Sendable, Equatable {
    case wrongCredentials
    case throttled(retryAfterSeconds: Int)
    /// Every place in the password queue is taken.
    case busy
    /// The form was sent from another site.
    case crossSite
    case signedOut
    /// A link set a new password or took the second factor off.
    case reset
  }

  var email = ""
  var failure: Failure?
  /// Where to go afterwards; a path of this site.
  var next: String?

  func render(with renderer: Renderer, language: Language) -> String {
    let strings = renderer.strings(language)
    return renderer.page(
      .login, language: language, title: strings["login.title"] + " · eStars",
      [
        "email": .text(email), "next": .optional(next), "action": .text(Links.login),
        "home": .text(SitePlace.home.path(language)),
        "notice": .optional(notice(strings)),
        "failure": .optional(message(strings)),
        "invalid": .flag(failure == .wrongCredentials),
      ])
  }

  private func notice(_ strings: Strings) -> String? {
    switch failure {
    case .signedOut: strings["login.signed_out"]
    case .reset: strings["login.reset"]
    default: nil
    }
  }

  private func message(_ strings: Strings) -> String? {
    switch failure {
    case nil, .signedOut, .reset: return nil
    case .wrongCredentials: return strings["login.wrong"]
    case .busy: return strings["login.busy"]
    case .crossSite: return strings["login.cross_site"]
    case .throttled(let seconds):
      let minutes = Int64(max(1, (seconds + 59) / 60))
      return strings("login.throttled", count: minutes, ["n": String(minutes)])
    }
  }
}
