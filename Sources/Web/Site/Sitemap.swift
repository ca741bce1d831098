/// What search engines are told: which pages there are, and which addresses are none of theirs.
struct Sitemap: Sendable {
  static let path = "/sitemap.xml"
  static let robotsPath = "/robots.txt"
  /// What belongs to people who are signed in or hold a private link, and to programs.
  static let closed = [
    "/account", "/admin", "/applications/", "/invitations/", "/login", "/resets/", "/telegram/",
    "/v1/", "/w/", "/workspaces",
  ]

  let xml: StaticBytes
  let robots: StaticBytes

  init(_ address: SiteAddress) throws {
    xml = try StaticBytes(
      contentType: "application/xml", body: Array(Self.document(address).utf8),
      cacheControl: Site.cacheControl)
    let lines =
      ["User-agent: *"] + Self.closed.map { "Disallow: \($0)" }
      + ["", "Sitemap: \(address.site)\(Self.path)", ""]
    robots = try StaticBytes(
      contentType: "text/plain; charset=utf-8", body: Array(lines.joined(separator: "\n").utf8),
      cacheControl: Site.cacheControl)
  }

  /// The address of every public page, in the order of menus: the same page at the same place in
  /// every language.
  static func paths(_ language: Language) -> [String] {
    SitePlace.allCases.map { $0.path(language) } + Docs.order.map { Links.docs($0, language) }
  }

  private static func document(_ address: SiteAddress) -> String {
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" \
      xmlns:xhtml="http://www.w3.org/1999/xhtml">

      """
    func location(_ path: String) -> String { HTML(escaping: address.site + path).text }
    for (english, portuguese) in zip(paths(.en), paths(.ptBR)) {
      let alternates = [("en", english), ("pt-BR", portuguese), ("x-default", english)].map {
        "<xhtml:link rel=\"alternate\" hreflang=\"\($0)\" href=\"\(location($1))\"/>"
      }.joined()
      for path in [english, portuguese] {
        text += "<url><loc>\(location(path))</loc>\(alternates)</url>\n"
      }
    }
    return text + "</urlset>\n"
  }
}
