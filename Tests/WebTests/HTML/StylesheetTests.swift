import Foundation
import HTTPTypes
import Testing

@testable import Web

@Suite struct StylesheetTests {
  private static func css() throws -> String {
    let text = try String(
      contentsOf: GoldenTests.root.appending(path: "Public/app.css"), encoding: .utf8)
    return text.replacing(/(?s)\/\*.*?\*\//, with: "")
  }

  @Test func classesOfPagesAndStylesheetAreTheSame() throws {
    let renderer = try GoldenTests.renderer()
    var used: Set<String> = []
    for page in GoldenTests.pages {
      for match in try page.render(renderer).matches(of: /class="([^"]*)"/) {
        used.formUnion(match.output.1.split(separator: " ").map(String.init))
      }
    }
    let selectors = try Self.css().replacing(/\{[^{}]*\}/, with: "{}")
    let styled = Set(selectors.matches(of: /\.([a-zA-Z][\w-]*)/).map { String($0.output.1) })
    #expect(used.subtracting(styled).sorted() == [], "used in pages, not in the stylesheet")
    #expect(styled.subtracting(used).sorted() == [], "in the stylesheet, used by no page")
  }

  @Test func pagesCarryNoInlineStyleOrScript() throws {
    let renderer = try GoldenTests.renderer()
    for page in GoldenTests.pages {
      // What search engines read is an address, and nothing that a browser fetches.
      let html = try page.render(renderer)
        .replacing(/<link rel="(canonical|alternate)"[^>]*>/, with: "")
        // Data, which no browser runs.
        .replacing(/<script type="application\/ld\+json">/, with: "")
        // A source is a link that a reader may follow.
        .replacing("<a href=\"https://wiki.tribute.tg/", with: "<a href=\"")
      #expect(!html.contains("style="), "\(page.name)")
      let inline = html.matches(of: /<script(?![^>]* src=)|\son[a-z]+="/)
      #expect(inline.isEmpty, "\(page.name)")
      #expect(!html.contains("href=\"http") && !html.contains("src=\"http"), "\(page.name)")
    }
  }

  @Test func nothingIsFetchedFromElsewhere() throws {
    let css = try Self.css()
    #expect(!css.contains("url(") && !css.contains("@import"))
  }

  /// Colour tokens of one theme; the dark one overrides the light.
  private static func tokens(dark: Bool) throws -> [String: [Double]] {
    let css = try css()
    let blocks = css.matches(of: /:root\s*\{([^}]*)\}/).map { String($0.output.1) }
    #expect(blocks.count == 3, "light, dark, print")
    var tokens: [String: [Double]] = [:]
    for block in blocks.prefix(dark ? 2 : 1) {
      for match in block.matches(of: /--([\w-]+):\s*#([0-9a-f]{6});/) {
        let value = try #require(Int(match.output.2, radix: 16))
        tokens[String(match.output.1)] = [16, 8, 0].map { Double(value >> $0 & 0xff) / 255 }
      }
    }
    return tokens
  }

  /// WCAG 2.2 contrast ratio.
  private static func contrast(_ one: [Double], _ other: [Double]) -> Double {
    func luminance(_ colour: [Double]) -> Double {
      let linear = colour.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    let (a, b) = (luminance(one), luminance(other))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  @Test func contrastIsMeasuredRight() {
    #expect(abs(Self.contrast([0, 0, 0], [1, 1, 1]) - 21) < 0.001)
  }

  @Test(arguments: [false, true]) func textIsReadable(dark: Bool) throws {
    let tokens = try Self.tokens(dark: dark)
    let texts = ["ink", "quiet", "stars", "in", "use", "back"]
    let pairs =
      texts.flatMap { [($0, "paper"), ($0, "sheet")] } + [("paper", "ink"), ("paper", "quiet")]
    for (text, ground) in pairs {
      let ratio = Self.contrast(try #require(tokens[text]), try #require(tokens[ground]))
      #expect(ratio >= 4.5, "\(text) on \(ground), dark \(dark): \(ratio)")
    }
    for ground in ["paper", "sheet"] {
      let ratio = Self.contrast(try #require(tokens["edge"]), try #require(tokens[ground]))
      #expect(ratio >= 3, "borders of fields on \(ground), dark \(dark): \(ratio)")
    }
  }
}

/// The rules that a page carries itself.
@Suite struct CarriedStyleTests {
  private static func text(_ css: String, for html: String) throws -> String {
    try Stylesheet(css, file: "Public/a.css").rules(for: html)
  }

  @Test func onlyRulesThatCanApplyAreCarried() throws {
    let css = """
      /* .a { } */ :root { --x: 1px; }
      a:hover, .a > b , .b{ color : red; }
      .b:not(.c) i { margin: 0 }  .a:has(.b) { gap: 0; }
      @media (width > 1px) { .a { top: 0; } .b { left: 0; } }
      @media print { .b { left: 0; } }
      """
    #expect(
      try Self.text(css, for: "<p class=\"a x\">")
        == ":root{--x: 1px;}a:hover,.a > b{color : red;}@media (width > 1px){.a{top: 0;}}")
    #expect(try Self.text(css, for: "<p class=\"b\">").contains(".b:not(.c) i{margin: 0}"))
  }

  @Test(arguments: [
    ".a { top: 0;", ".a { .b { top: 0; } }", "@media print { .a {} ", ".a {} }", "a",
  ])
  func bracesMustMatch(_ css: String) {
    #expect(throws: ContentError.self) { try Self.text(css, for: "") }
  }

  @Test func aPolicyTakesExactlyWhatIsCarried() {
    let empty = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    #expect(
      ContentSecurity.policy(carrying: "")
        == ContentSecurity.policy() + "; style-src 'self' " + empty)
  }

  @Test func theHomePageCarriesItsRulesAndMayUseThem() async throws {
    try await ServerFixture.with { fixture in
      for path in ["/", "/pt-br"] {
        let page = try await fixture.send(.get, path)
        let style = try #require(page.body.firstMatch(of: /<style>([^<]*)<\/style>/)).output.1
        #expect(style.contains(".hero{") && style.contains("@media") && !style.contains(".talk"))
        #expect(!page.body.contains("rel=\"stylesheet\""))
        let policy = try #require(page.headers[.contentSecurityPolicy])
        #expect(policy == ContentSecurity.policy(carrying: String(style)))
        // What a browser has kept is judged by what comes with the 304.
        let etag = try #require(page.headers[.eTag])
        let same = try await fixture.send(.get, path, headers: [.ifNoneMatch: etag])
        #expect(same.status == 304 && same.headers[.contentSecurityPolicy] == policy)
      }
      let other = try await fixture.send(.get, "/faq")
      #expect(other.headers[.contentSecurityPolicy] == ContentSecurity.policy())
      #expect(!other.body.contains("<style>"))
    }
  }
}
