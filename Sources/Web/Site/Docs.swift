import Foundation

/// The developer pages in every language, and the files of their examples: drawn once at boot.
struct Docs: Sendable {
  /// In reading order; nil is the first page, which has the folder's own address.
  static let order: [String?] = [
    nil, "quickstart", "concepts", "idempotency", "checkouts", "subscriptions", "holds", "webhooks",
    "events", "errors", "messages", "support", "reconciliation", "mini-apps", "sandbox",
  ]

  /// By path, such as `/pt-br/docs/holds` and `/docs/quickstart.py`.
  let pages: [String: StaticBytes]

  /// - Parameters:
  ///   - root: the folder that holds `content/`.
  ///   - publicURL: what addresses for search engines begin with.
  /// - Throws: `ContentError` naming the file, or what Foundation throws for a missing file.
  init(root: URL, publicURL: URL, renderer: Renderer) throws {
    let examples = try Self.examples(root)
    var pages: [String: StaticBytes] = [:]
    for (name, text) in examples {
      pages[Links.docs(name, .en)] = try StaticBytes(
        contentType: "text/plain; charset=utf-8", body: Array(text.utf8),
        cacheControl: SitePage.cacheControl)
    }
    for language in Language.allCases {
      let shelf = try Shelf(language, root: root, examples: examples, renderer: renderer)
      for (index, page) in Self.order.enumerated() {
        let html = shelf.draw(index, publicURL: publicURL, renderer)
        pages[Links.docs(page, language)] = try StaticBytes(
          contentType: "text/html; charset=utf-8", body: Array(html.utf8),
          cacheControl: SitePage.cacheControl)
      }
    }
    self.pages = pages
  }

  /// Programs that pages show from the file itself, by name.
  private static func examples(_ root: URL) throws -> [String: String] {
    let folder = root.appending(path: "content/examples")
    var examples: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".py") {
      examples[name] = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    return examples
  }
}

extension Docs {
  /// All pages of one language, read and not yet drawn.
  private struct Shelf {
    let language: Language
    let contents: [ContentPage<DocsContent>]

    init(
      _ language: Language, root: URL, examples: [String: String], renderer: Renderer
    ) throws {
      self.language = language
      contents = try Docs.order.map { page in
        let file = "content/\(language.contentFolder)/docs/\(page ?? "index").md"
        return try ContentPage<DocsContent>(
          source: Data(contentsOf: root.appending(path: file)), file: file
        ) { content, info, text in
          try Self.block(content, info, text, file: file, examples, renderer)
        }
      }
    }

    /// `table NAME` shows a table of the front matter, `python file=NAME` an example's file, and
    /// anything else the code that stands there.
    private static func block(
      _ content: DocsContent, _ info: String, _ text: String, file: String,
      _ examples: [String: String], _ renderer: Renderer
    ) throws -> HTML {
      let words = info.split(separator: " ").map(String.init)
      if words.first == "table" {
        guard let table = content.tables?[words.last ?? ""] else {
          throw ContentError(file: file, message: "front matter has no table for “\(info)”")
        }
        return HTML(trusted: renderer.templates.render(.docsTable, try table.model(file: file)))
      }
      var code = text
      if let name = words.first(where: { $0.hasPrefix("file=") })?.dropFirst(5) {
        guard let example = examples[String(name)] else {
          throw ContentError(file: file, message: "there is no content/examples/\(name)")
        }
        code = example
      }
      // The keyboard must be able to scroll what is too wide.
      return HTML(
        trusted:
          "<pre class=\"docs-code\" tabindex=\"0\"><code>\(HTML(escaping: code).text)</code></pre>\n"
      )
    }

    func draw(_ index: Int, publicURL: URL, _ renderer: Renderer) -> String {
      let page = Docs.order[index]
      let content = contents[index].frontMatter
      let base = publicURL.absoluteString.trimmingCharacters(in: ["/"])
      return renderer.page(
        .docs, language: language, title: content.title + " · eStars",
        [
          "heading": .text(content.title), "description": .text(content.description),
          "body": .html(contents[index].body.html),
          "home": .text(Links.home), "login": .text(Links.login),
          "docs": .text(Links.docs(nil, language)), "open_api": .text(Links.openAPI),
          "canonical": .text(base + Links.docs(page, language)),
          "alternates": .records(
            Language.allCases.map { ($0.rawValue, $0) } + [("x-default", .en)]
          ) { ["language": .text($0.0), "href": .text(base + Links.docs(page, $0.1))] },
          "others": .records(Language.allCases.filter { $0 != language }) {
            ["language": .text($0.rawValue), "href": .text(Links.docs(page, $0))]
          },
          "places": .records(Array(Docs.order.indices)) {
            [
              "href": .text(link($0)), "label": .text(contents[$0].frontMatter.short),
              "current": .flag($0 == index),
            ]
          },
          "sections": .records(contents[index].body.headings.filter { $0.level == 2 }) {
            ["id": .text($0.id), "label": .text($0.text)]
          },
          "has_sections": .flag(contents[index].body.headings.count { $0.level == 2 } > 1),
          "previous": turn(index - 1), "next": turn(index + 1),
        ])
    }

    private func link(_ index: Int) -> String { Links.docs(Docs.order[index], language) }

    private func turn(_ index: Int) -> TemplateValue {
      .optional(contents.indices.contains(index) ? index : nil) {
        ["href": .text(link($0)), "label": .text(contents[$0].frontMatter.short)]
      }
    }
  }
}
