import Foundation
import Testing

@testable import Web

/// What every public page has, in every language.
@Suite struct SiteTests {
  static let loaded = Result {
    try Pages(resources: GoldenTests.root, publicURL: GoldenTests.address)
  }

  /// Every page that is drawn at boot by its address, developer pages included.
  static func pages() throws -> [String: String] {
    let pages = try loaded.get()
    var found: [String: String] = [:]
    for place in SitePlace.allCases where place.content != nil {
      for language in Language.allCases {
        found[place.path(language)] = String(
          decoding: pages.site.page(place, language).body, as: UTF8.self)
      }
    }
    for (path, bytes) in pages.docs.pages where bytes.contentType.hasPrefix("text/html") {
      found[path] = String(decoding: bytes.body, as: UTF8.self)
    }
    return found
  }

  private static func ids(_ html: String) -> [String] {
    html.matches(of: /\sid="([^"]*)"/).map { String($0.output.1) }
  }

  /// Pages of the site that a controller draws.
  private static let drawnOnRequest = SitePlace.allCases.filter { $0.content == nil }
    .flatMap { place in Language.allCases.map(place.path) }

  @Test func everyLinkAndEveryAnchorLeadsSomewhere() throws {
    let pages = try Self.pages()
    let files = try Self.loaded.get()
    let fixed = Set(Route.all.filter { $0.method == .get }.map(\.path).filter { !$0.contains(":") })
    let examples = Set(files.docs.pages.keys)
    for (path, html) in pages {
      for match in html.matches(of: /(?:href|action|src)="([^"#]*)(?:#([^"]*))?"/) {
        let target = String(match.output.1)
        // Addresses for search engines are looked at below.
        guard !target.hasPrefix("https://"), !target.hasPrefix("mailto:") else { continue }
        if target.hasPrefix("/assets/") {
          #expect(files.renderer.assets.files[target] != nil, "\(path) → \(target)")
          continue
        }
        let isThere =
          target.isEmpty || pages[target] != nil || fixed.contains(target)
          || examples.contains(target)
        #expect(isThere, "\(path) → \(target)")
        guard let anchor = match.output.2.map(String.init), !anchor.isEmpty else { continue }
        let page = target.isEmpty ? html : pages[target] ?? ""
        #expect(Self.ids(page).contains(anchor), "\(path) → \(target)#\(anchor)")
      }
    }
  }

  @Test func anIDStandsOnce() throws {
    for (path, html) in try Self.pages() {
      let ids = Self.ids(html)
      #expect(Set(ids).count == ids.count, "\(path)")
    }
  }

  @Test func headsSayWhatThePageIs() throws {
    let pages = try Self.pages()
    var titles: [String: String] = [:]
    for (path, html) in pages {
      let title = try #require(html.firstMatch(of: /<title>([^<]*)<\/title>/)).output.1
      let description = try #require(
        html.firstMatch(of: /<meta name="description" content="([^"]*)">/)
      ).output.1
      #expect((50...320).contains(description.count), "\(path): \(description.count) characters")
      let isPortuguese = path == "/pt-br" || path.hasPrefix("/pt-br/")
      let previous = titles.updateValue(path, forKey: "\(isPortuguese) \(title)")
      #expect(previous == nil, "\(path): \(title)")
      #expect(html.contains("<html lang=\"\(isPortuguese ? "pt-BR" : "en")\">"), "\(path)")
      #expect(
        html.contains("<link rel=\"canonical\" href=\"https://estars.example\(path)\">"), "\(path)")
      #expect(html.matches(of: /<h1[ >]/).count == 1, "\(path)")
      // Each alternate is a page that names this one among its own.
      let alternates = html.matches(
        of: /<link rel="alternate" hreflang="([^"]*)" href="https:\/\/estars.example([^"]*)">/)
      #expect(
        alternates.map { String($0.output.1) } == ["en", "pt-BR", "x-default"], "\(path)")
      for alternate in alternates {
        let other = try #require(pages[String(alternate.output.2)], "\(path)")
        #expect(other.contains("href=\"https://estars.example\(path)\""), "\(path)")
      }
      // The switch keeps the page.
      let other = isPortuguese ? "en" : "pt-BR"
      let target = try #require(alternates.first { $0.output.1 == other }).output.2
      #expect(
        html.contains("<a class=\"site-language\" href=\"\(target)\" hreflang=\"\(other)\""),
        "\(path)")
    }
  }

  /// What search engines are told is asked and answered is what the page shows.
  @Test func questionsAreToldAsTheyStand() throws {
    for (path, html) in try Self.pages() {
      let titles = html.matches(of: /class="question-title">([^<]*)</).map {
        String($0.output.1)
      }
      let data = html.firstMatch(of: /<script type="application\/ld\+json">([^<]*)</)?.output.1
      // The home page repeats some of them.
      #expect(path.hasSuffix("/faq") == (data != nil), "\(path)")
      guard let data else { continue }
      let json = try JSONSerialization.jsonObject(with: Data(data.utf8))
      let page = try #require(json as? [String: Any])
      #expect(page["@type"] as? String == "FAQPage")
      let items = try #require(page["mainEntity"] as? [[String: Any]])
      #expect(items.compactMap { $0["name"] as? String }.map { HTML(escaping: $0).text } == titles)
      for item in items {
        let answer = try #require((item["acceptedAnswer"] as? [String: Any])?["text"] as? String)
        #expect(!answer.isEmpty && !answer.contains("href=\"/"), "\(path): \(answer)")
      }
    }
  }

  @Test func noPublicPageNeedsAScript() throws {
    for (path, html) in try Self.pages() {
      #expect(html.matches(of: /<script(?! type="application\/ld\+json">)/).isEmpty, "\(path)")
    }
  }

  @Test func bothLanguagesHaveTheSameShape() throws {
    let pages = try Self.pages()
    for place in SitePlace.allCases where place.content != nil {
      let (one, other) = (
        try #require(pages[place.path(.en)]), try #require(pages[place.path(.ptBR)])
      )
      for tag in ["<h2", "<h3", "<li", "<tr", "<svg", "<details", "<dt", "<p", "<a "] {
        #expect(
          one.components(separatedBy: tag).count == other.components(separatedBy: tag).count,
          "\(place.path(.en)) differs in the number of \(tag)")
      }
    }
  }

  @Test func theSitemapNamesEveryPage() throws {
    let sitemap = String(decoding: try Self.loaded.get().sitemap.xml.body, as: UTF8.self)
    let named = Set(
      sitemap.matches(of: /<loc>https:\/\/estars.example([^<]*)<\/loc>/).map {
        String($0.output.1)
      })
    #expect(named == Set(try Self.pages().keys).union(Self.drawnOnRequest))
    let robots = String(decoding: try Self.loaded.get().sitemap.robots.body, as: UTF8.self)
    #expect(robots.contains("\nSitemap: https://estars.example/sitemap.xml\n"))
    for path in named {
      #expect(!Sitemap.closed.contains { path.hasPrefix($0) }, "\(path)")
    }
  }
}
