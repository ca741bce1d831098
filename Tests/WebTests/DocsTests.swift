import EStars
import Foundation
import Testing

@testable import Web

/// The developer pages say what is true: about routes, codes, kinds and each other.
@Suite struct DocsTests {
  private static let address = URL(string: "https://estars.example")!
  private static let loaded = Result {
    try Docs(
      root: GoldenTests.root,
      shell: try SiteShell(
        root: GoldenTests.root, address: SiteAddress(publicURL: address),
        renderer: try GoldenTests.renderer()))
  }

  private static func page(_ name: String?, _ language: Language) throws -> String {
    let bytes = try #require(try loaded.get().pages[Links.docs(name, language)])
    return String(decoding: bytes.body, as: UTF8.self)
  }

  private static func description() throws -> [String: Any] {
    let json = try OpenAPI(root: GoldenTests.root).bytes.body
    return try #require(
      try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
  }

  /// Every operation by method and path, as routes write them.
  private static func operations() throws -> [String: [String: Any]] {
    var found: [String: [String: Any]] = [:]
    let paths = try #require(try description()["paths"] as? [String: [String: [String: Any]]])
    for (path, operations) in paths {
      let pattern = path.replacing(/\{([a-z_]+)\}/) { ":\($0.output.1)" }
      for (method, operation) in operations {
        found["\(method.uppercased()) \(pattern)"] = operation
      }
    }
    return found
  }

  @Test func theDescriptionAndTheRoutesAreTheSame() throws {
    var scopes: [String: String] = [:]
    for route in Route.all {
      if case .key(let scope, _) = route.door {
        scopes["\(route.method.rawValue) \(route.path)"] = scope.rawValue
      }
    }
    let operations = try Self.operations()
    #expect(operations.keys.sorted() == scopes.keys.sorted())
    for (name, operation) in operations {
      let text = operation["description"] as? String ?? ""
      #expect(text.hasPrefix("Scope `\(scopes[name] ?? "none")`."), "\(name)")
      let parameters = operation["parameters"] as? [[String: String]] ?? []
      let takesKey = parameters.contains { $0["$ref"]?.hasSuffix("/idempotencyKey") == true }
      let isWrite =
        name.hasPrefix("POST") && !["POST /v1/checks", "POST /v1/updates"].contains(name)
      #expect(takesKey == isWrite, "\(name)")
    }
  }

  /// What a page says in code: keys, kinds, calls. It must be the same in both languages.
  private static func terms(_ html: String) -> [String] {
    html.matches(of: /<th scope="row"><code>([^<]*)<\/code>/).map { String($0.output.1) }
  }

  @Test(arguments: Docs.order)
  func bothLanguagesSayTheSame(_ name: String?) throws {
    let (english, portuguese) = (try Self.page(name, .en), try Self.page(name, .ptBR))
    #expect(Self.terms(english) == Self.terms(portuguese))
    for tag in ["<h2", "<pre", "<li", "<tr"] {
      #expect(
        english.components(separatedBy: tag).count == portuguese.components(separatedBy: tag).count,
        "\(name ?? "index") differs in the number of \(tag)")
    }
    #expect(!portuguese.contains("href=\"/docs/") || portuguese.contains("href=\"/pt-br/docs/"))
    #expect(portuguese.contains("<html lang=\"pt-BR\">"))
  }

  @Test func everyKindOfEventIsExplained() throws {
    #expect(
      try Self.terms(Self.page("events", .en)).sorted()
        == Event.Kind.allCases.map(\.rawValue).sorted())
  }

  /// Codes that only pages for people answer with.
  private static let onPages: Set = [
    "sign_in", "cross_site", "csrf", "role", "elsewhere",
    // Told to Telegram alone.
    "handler_unavailable",
  ]

  @Test func everyCodeIsInTheTableOfErrors() throws {
    // Stands in Routes.swift, which is in none of these folders.
    var codes: Set = ["method_not_allowed"]
    for folder in ["API", "Serving", "Webhook"] {
      let url = GoldenTests.root.appending(path: "Sources/Web/\(folder)")
      for name in try FileManager.default.subpathsOfDirectory(atPath: url.path)
      where name.hasSuffix(".swift") {
        let source = try String(contentsOf: url.appending(path: name), encoding: .utf8)
        let found = source.matches(
          of: /Refusal\(\s*(?:\.[a-zA-Z]+|\.init\([^)]*\))\s*,\s*"([a-z_]+)"/)
        codes.formUnion(found.map { String($0.output.1) })
      }
    }
    #expect(codes.count > 20)
    let table = try Self.terms(Self.page("errors", .en))
    #expect(Set(table).symmetricDifference(codes.subtracting(Self.onPages)).sorted() == [])
    #expect(Set(table).count == table.count)
    // What every call may answer stands in no operation of its own.
    let general: Set = ["not_found", "method_not_allowed", "internal"]
    let description = String(
      decoding: try OpenAPI(root: GoldenTests.root).bytes.body, as: UTF8.self)
    for code in table where !general.contains(code) {
      #expect(description.contains("`\(code)`"), "\(code) is not in content/openapi.yaml")
    }
  }

  @Test func pagesSayWhereTheirOtherLanguageIs() throws {
    let html = try Self.page("holds", .ptBR)
    #expect(
      html.contains("<link rel=\"canonical\" href=\"https://estars.example/pt-br/docs/holds\">"))
    for (language, path) in [("en", ""), ("pt-BR", "/pt-br"), ("x-default", "")] {
      #expect(
        html.contains(
          "hreflang=\"\(language)\" href=\"https://estars.example\(path)/docs/holds\""))
    }
    #expect(html.contains("aria-current=\"page\">Reservas"))
  }

  @Test func examplesAreShownFromTheirFiles() throws {
    for (page, file) in [
      ("quickstart", "quickstart.py"), ("events", "verify_event.py"),
      ("mini-apps", "check_init_data.py"),
    ] {
      let source = try String(
        contentsOf: GoldenTests.root.appending(path: "content/examples/\(file)"), encoding: .utf8)
      for language in Language.allCases {
        #expect(try Self.page(page, language).contains(HTML(escaping: source).text))
      }
      #expect(try Self.loaded.get().pages["/docs/\(file)"]?.body == Array(source.utf8))
    }
  }

  @Test func theyAreServedLikeOtherPages() async throws {
    try await ServerFixture.with { fixture in
      let page = try await fixture.send(
        .get, "/pt-br/docs/events", headers: [.acceptEncoding: "gzip"])
      #expect(page.status == 200 && page.headers[.contentEncoding] == "gzip")
      let etag = try #require(page.headers[.eTag])
      let again = try await fixture.send(
        .get, "/pt-br/docs/events", headers: [.acceptEncoding: "gzip", .ifNoneMatch: etag])
      #expect(again.status == 304)
      let missing = try await fixture.send(.get, "/docs/none")
      #expect(missing.status == 404)
      let spec = try await fixture.send(.get, "/openapi.json")
      #expect(spec.status == 200 && spec.headers[.contentType] == "application/json")
    }
  }
}
