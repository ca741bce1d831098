import HTTPTypes

extension Reply {
  /// It is nothing for an operator's browser.
  struct NoPage: Error {}

  /// What leaves by a door for operators is a page or a redirection to one, and nobody keeps it:
  /// whatever a handler made, data to take away does not pass.
  ///
  /// - Throws: ``NoPage``
  func asPage() throws -> Reply {
    let isPage = headers[.contentType] == "text/html; charset=utf-8"
    guard isPage || body.isEmpty && shared == nil, headers[.contentDisposition] == nil,
      headers[.cacheControl] == "no-store"
    else { throw NoPage() }
    return self
  }
}
