import Foundation
import Testing

@testable import Web

@Suite struct BootFilesTests {
  /// A copy of the product's own files that a test may break.
  private func withCopy(_ body: (URL) throws -> Void) throws {
    let copy = FileManager.default.temporaryDirectory.appending(path: "pages-\(UUID())")
    try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: copy) }
    for folder in ["Templates", "Public", "content"] {
      try FileManager.default.copyItem(
        at: GoldenTests.root.appending(path: folder), to: copy.appending(path: folder))
    }
    try body(copy)
  }

  private static let docsPage = "---\ntitle: x\nshort: x\ndescription: x\n---\n"

  private func complaint(at root: URL) -> String {
    do {
      _ = try Pages(resources: root, publicURL: URL(filePath: "/"))
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func theProductsOwnFilesAreFine() throws {
    try withCopy { #expect(complaint(at: $0) == "none") }
  }

  @Test(arguments: [
    ("Templates/error.mustache", "{{#open}}", "Templates/error.mustache: line 1"),
    ("Templates/dashboard/payments.mustache", "{{> partials/absent}}", "partials/absent"),
    ("Templates/dashboard/login.mustache", "{{t.login.absent}}", "lacks `login.absent`"),
    ("Templates/dashboard/login.mustache", "{{t.unit.credits}}", "`unit.credits` as plain text"),
    ("Templates/strings/pt-BR.yaml", "nav: {skip: Pular}", "pt-BR.yaml: lacks"),
    ("Public/notes.docx", "x", "Public/notes.docx: no content type"),
    ("content/en/index.md", "---\ntitle: x\n---\n", "content/en/index.md:2: front matter lacks"),
    (
      "content/pt-br/docs/holds.md", "---\ntitle: x\n---\n",
      "holds.md:2: front matter lacks `short`"
    ),
    (
      "content/en/docs/holds.md", docsPage + "```table none\n```\n",
      "content/en/docs/holds.md:6: front matter has no table"
    ),
    (
      "content/en/docs/holds.md", docsPage + "```python file=none.py\n```\n",
      "content/en/docs/holds.md:6: there is no content/examples/none.py"
    ),
    ("content/openapi.yaml", "a: [", "content/openapi.yaml: not valid YAML"),
    ("content/openapi.yaml", "a: 2026-11-21", "content/openapi.yaml: holds something"),
  ])
  func aBrokenFileIsNamed(_ file: String, _ text: String, _ expected: String) throws {
    try withCopy { root in
      try text.write(to: root.appending(path: file), atomically: true, encoding: .utf8)
      let complaint = complaint(at: root)
      #expect(complaint.contains(expected), "\(complaint)")
    }
  }

  @Test(arguments: [
    (
      "content/en/how-it-works.md", "steps: 5 }", "steps: 4 }",
      "how-it-works.md:10: front matter `parts`"
    ),
    (
      "content/pt-br/how-it-works.md", "from: 0,", "from: 3,",
      "how-it-works.md:6: front matter `diagram`"
    ),
    (
      "content/en/index.md", "After the Stars", "После Stars",
      "content/en/index.md:5: `hero` has a character"
    ),
    (
      "content/pt-br/index.md", "balance:", "rest:",
      "content/pt-br/index.md:5: front matter `hero.rows`"
    ),
    ("content/en/gates.md", "  pricing:", "  prices:", "content/en/gates.md:"),
  ])
  func aKeyThatDoesNotFitIsNamedWithItsLine(
    _ file: String, _ old: String, _ new: String, _ expected: String
  ) throws {
    try withCopy { root in
      let url = root.appending(path: file)
      let text = try String(contentsOf: url, encoding: .utf8)
      #expect(text.contains(old))
      try text.replacing(old, with: new).write(to: url, atomically: true, encoding: .utf8)
      let complaint = complaint(at: root)
      #expect(complaint.contains(expected), "\(complaint)")
      #expect(complaint.firstMatch(of: #/\.md:[0-9]+: /#) != nil, "\(complaint)")
    }
  }

  /// Texts of the site that do not fit what they are drawn with.
  @Test(arguments: [
    ("content/en/gates.md", "pricing: {", "prices: {", "`gates.prices` is not valid: there is no"),
    ("content/pt-br/gates.md", "closed: \"Fechada\"", "", "lacks `closed`"),
    ("content/en/compare/tribute.md", "manager: {", "managers: {", "lacks `manager`, which a row"),
    ("content/pt-br/margin.md", "cost: \"1,10\"", "cost: \"pouco\"", "`draft.cost` is not valid"),
    ("content/en/faq.md", "answer: \"Not yet.", "reply: \"Not yet.", "lacks `groups[0].items[0]"),
    ("content/en/privacy.md", "table kept", "table none", "front matter has no table for"),
    ("content/contact.md", "hello@", "hello at ", "`address` must be an e-mail address"),
  ])
  func aTextThatDoesNotFitIsNamed(
    _ file: String, _ good: String, _ bad: String, _ expected: String
  ) throws {
    try withCopy { root in
      let address = root.appending(path: file)
      let text = try String(contentsOf: address, encoding: .utf8)
      #expect(text.contains(good))
      try text.replacing(good, with: bad).write(to: address, atomically: true, encoding: .utf8)
      let complaint = complaint(at: root)
      let line = complaint.prefixMatch(of: #/([^:]*):([0-9]+): /#)
      #expect(line?.output.1 ?? "" == file && complaint.contains(expected), "\(complaint)")
    }
  }

  @Test func aMissingPageIsNamed() throws {
    try withCopy { root in
      try FileManager.default.removeItem(
        at: root.appending(path: "Templates/dashboard/customer.mustache"))
      #expect(complaint(at: root) == "Templates/dashboard/customer.mustache: is missing")
    }
  }

  @Test func aTemplateThatIsNotUTF8IsNamed() throws {
    try withCopy { root in
      try Data([0xc3, 0x28]).write(to: root.appending(path: "Templates/error.mustache"))
      #expect(complaint(at: root) == "Templates/error.mustache: is not valid UTF-8")
    }
  }

  @Test func placesMustAgreeBetweenLanguages() throws {
    try withCopy { root in
      let file = root.appending(path: "Templates/strings/pt-BR.yaml")
      let text = try String(contentsOf: file, encoding: .utf8)
      try text.replacing("saldo {n}", with: "saldo").write(
        to: file, atomically: true, encoding: .utf8)
      #expect(complaint(at: root).contains("`strip.balance` must have the same {places}"))
    }
  }
}

@Suite struct StaticBytesTests {
  private func sample(_ count: Int = 5_000) throws -> StaticBytes {
    try StaticBytes(
      contentType: "text/css", body: Array(repeating: UInt8(ascii: "a"), count: count),
      cacheControl: "no-cache")
  }

  @Test func theCompressedFormIsGzipOfTheBody() throws {
    let bytes = try sample()
    let gzip = try #require(bytes.gzip)
    #expect(gzip.count < 200 && gzip.starts(with: [0x1f, 0x8b]))
    // The last four bytes of a gzip member are the size of what was compressed.
    #expect(gzip.suffix(4) == [0x88, 0x13, 0, 0])
  }

  @Test func smallAndIncompressibleBodiesStayPlain() throws {
    #expect(try sample(10).gzip == nil)
    var generator = SystemRandomNumberGenerator()
    let noise = (0..<4_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    #expect(try Gzip.compress(noise) == nil)
  }

  @Test(
    arguments: [
      (nil, false), ("", false), ("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false),
      ("deflate", false), ("gzip; q=0.000", false), ("x-gzip", true), ("gzipped", false),
    ] as [(String?, Bool)])
  func theClientsWishIsRead(_ header: String?, _ compressed: Bool) throws {
    let representation = try sample().representation(acceptEncoding: header)
    #expect((representation.contentEncoding == "gzip") == compressed)
  }

  @Test func validatorsDifferBetweenFormsAndContents() throws {
    let bytes = try sample()
    let gzip = bytes.representation(acceptEncoding: "gzip")
    #expect(bytes.etag != gzip.etag)
    #expect(try bytes.etag != sample(5_001).etag)
    #expect(StaticBytes.matches(gzip, ifNoneMatch: "\"x\", W/\(gzip.etag)"))
    #expect(StaticBytes.matches(gzip, ifNoneMatch: "*"))
    #expect(!StaticBytes.matches(gzip, ifNoneMatch: bytes.etag))
    #expect(!StaticBytes.matches(gzip, ifNoneMatch: nil))
  }

  @Test func assetsLiveUnderTheirHash() throws {
    let assets = try GoldenTests.renderer().assets
    let css = assets.path("app.css")
    let file = try #require(assets.files[css])
    let hashed = css.wholeMatch(of: /\/assets\/app\.[0-9a-f]{12}\.css/) != nil
    #expect(hashed)
    #expect(file.cacheControl.contains("immutable") && file.gzip != nil)
    #expect(assets.files.keys.allSatisfy { !$0.contains("sandbox") })
  }
}
