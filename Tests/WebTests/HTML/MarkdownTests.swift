import Foundation
import Testing

@testable import Web

@Suite struct MarkdownTests {
  private func html(_ source: String) throws -> String {
    try Markdown(source, file: "test.md").html.text
  }

  @Test func rawHTMLIsDropped() throws {
    let text = try html("a <script>x()</script> b\n\n<div onclick=\"x\">c</div>\n")
    #expect(!text.contains("<script") && !text.contains("onclick") && !text.contains("<div"))
    #expect(text.contains("raw HTML omitted"))
  }

  @Test(arguments: [
    "javascript:x()", "JaVaScRiPt:x()", "vbscript:x", "data:text/html,x", "file:///x",
  ])
  func linksToScriptsAreDropped(_ target: String) throws {
    let text = try html("[a](\(target)) ![b](\(target)) <\(target)>")
    #expect(!text.lowercased().contains(target.lowercased() + "\""))
    #expect(text.contains("href=\"\""))
  }

  @Test func ordinaryLinksStay() throws {
    #expect(try html("[a](/login?a=1&b=2)").contains("<a href=\"/login?a=1&amp;b=2\">a</a>"))
  }

  @Test func headingsGetIDsFromTheirText() throws {
    let page = try Markdown(
      "# Créditos & *uso*\n\n## Twice\n\ntext\n\n## Twice\n\n### `code` <b>x</b>\n\n## 日本\n",
      file: "test.md")
    #expect(page.headings.map(\.id) == ["creditos-uso", "twice", "twice-2", "code-x", "section"])
    #expect(page.headings.map(\.level) == [1, 2, 2, 3, 2])
    #expect(page.html.text.contains("<h1 id=\"creditos-uso\">Créditos &amp; <em>uso</em></h1>"))
    #expect(page.html.text.contains("<h2 id=\"twice-2\">Twice</h2>"))
  }

  @Test func aHeadingInsideAQuoteKeepsItsPlainTag() throws {
    #expect(try html("> # Quoted\n") == "<blockquote>\n<h1>Quoted</h1>\n</blockquote>\n")
  }

  @Test func emptyAndHugeSources() throws {
    #expect(try html("") == "")
    #expect(throws: ContentError.self) {
      try Markdown(
        String(repeating: "a", count: ContentLimits.markdownBytes + 1), file: "test.md")
    }
  }

  @Test func deepNestingEnds() throws {
    let text = try html(String(repeating: "> ", count: 2_000) + "x")
    #expect(text.contains("<p>x</p>"))
  }

  @Test func nulBytesBecomeReplacementCharacters() throws {
    #expect(try html("a\0b").contains("a\u{fffd}b"))
  }
}

@Suite struct ContentPageTests {
  struct Sample: Decodable, Sendable {
    struct Row: Decodable, Sendable { var tone: Tone; var amount: Int }
    var title: String
    var rows: [Row]
  }

  private func complaint(_ source: String) -> String {
    complaint(Data(source.utf8))
  }

  private func complaint(_ source: Data) -> String {
    do {
      _ = try ContentPage<Sample>(source: source, file: "content/x.md")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func readsFrontMatterAndBody() throws {
    let page = try ContentPage<Sample>(
      source: Data("---\ntitle: T\nrows:\n  - {tone: in, amount: 3}\n---\n# Body\n---\n".utf8),
      file: "content/x.md")
    #expect(page.frontMatter.title == "T")
    #expect(page.frontMatter.rows.map(\.amount) == [3])
    #expect(page.body.html.text.contains("<h1 id=\"body\">"))
  }

  @Test(arguments: [
    ("# no front matter", 1, "must begin with front matter"),
    ("---\ntitle: T\n", 1, "must begin with front matter"),
    ("---\nrows: []\n---\n", 2, "lacks `title`"),
    ("---\n\ntitle: [a]\nrows: []\n---\n", 3, "`title` must be a single value"),
    ("---\ntitle: T\nrows: x\n---\n", 3, "`rows` must be a list"),
    (
      "---\ntitle: T\nrows:\n  - {tone: in, amount: 1}\n  - {tone: purple, amount: 1}\n---\n", 5,
      "`rows[1].tone`"
    ),
    ("---\ntitle: T\nrows:\n  - {tone: in}\n---\n", 4, "lacks `rows[0].amount`"),
    ("---\ntitle: \"T\n---\n", 2, "not valid YAML"),
    ("---\ntitle: T\nrows:\n  - a\n b: c\n---\n", 5, "not valid YAML"),
    ("---\ntitle: T\nrows: []\ntitle: U\n---\n", 2, "`title` twice"),
    (
      "---\ntitle: T\nrows:\n  - tone: in\n    amount: 1.5\n---\n", 5, "`rows[0].amount`"
    ),
  ])
  func saysWhatIsWrongAndWhere(_ source: String, _ line: Int, _ expected: String) {
    let text = complaint(source)
    #expect(text.hasPrefix("content/x.md:\(line): "), "\(text)")
    #expect(text.contains(expected), "\(text)")
  }

  @Test func refusesBytesThatAreNotUTF8() {
    #expect(complaint(Data([0x2d, 0xff, 0xfe])).contains("not valid UTF-8"))
  }
}
