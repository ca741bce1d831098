/// A page for a request that was not carried out: what that means and how to go on.
struct ErrorView: Sendable, Equatable {
  /// HTTP status. One that has no words of its own is worded as 400 or 500.
  var status: Int
  /// The refusal's own name.
  var code = ""
  /// Stands in the log line of the same request.
  var requestID: String

  static let worded: Set<Int> = [
    400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503,
  ]

  /// Refusals that have words of their own.
  static let wordedCodes: Set<String> = ["erased"]

  func render(with renderer: Renderer, language: Language) -> String {
    let t = renderer.strings(language)
    let known = Self.worded.contains(status) ? status : (status < 500 ? 400 : 500)
    let key = Self.wordedCodes.contains(code) ? code : String(known)
    let title = t[.init("error.title_\(key)")]
    return renderer.page(
      .error, language: language, title: title + " · eStars",
      [
        "status": .text(String(status)),
        "heading": .text(title),
        "advice": .text(t[.init("error.advice_\(key)")]),
        "request_id": .text(requestID),
        "sign_in": status == 401 ? .text(Links.login) : .none,
        "home": .text(SitePlace.home.path(language)),
      ])
  }
}
