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
  /// - Throws: `ContentError` naming the file, or what Foundation throws for a missing file.
  init(root: URL, shell: SiteShell) throws {
    let renderer = shell.renderer
    let examples = try Self.examples(root)
    var pages: [String: StaticBytes] = [:]
    for (name, text) in examples {
      pages[Links.docs(name, .en)] = try StaticBytes(
        contentType: "text/plain; charset=utf-8", body: Array(text.utf8),
        cacheControl: Site.cacheControl)
    }
    for language in Language.allCases {
      let shelf = try Shelf(language, root: root, examples: examples, renderer: renderer)
      for (index, page) in Self.order.enumerated() {
        pages[Links.docs(page, language)] = try Site.page(
          shelf.draw(index, shell))
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
      if let table = try (content.tables ?? [:]).drawn(info, file: file, renderer) { return table }
      let words = info.split(separator: " ").map(String.init)
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

    func draw(_ index: Int, _ shell: SiteShell) -> String {
      let page = Docs.order[index]
      let content = contents[index].frontMatter
      let headings = contents[index].body.headings.filter { $0.level == 2 }
      let frame = SiteFrame(
        place: nil, path: { Links.docs(page, $0) }, language, shell)
      return frame.page(
        .docs,
        SiteFrame.Head(title: content.title, description: content.description, isArticle: true),
        [
          "body": .html(contents[index].body.html),
          "places": .records(Array(Docs.order.indices)) {
            [
              "href": .text(link($0)), "label": .text(contents[$0].frontMatter.short),
              "current": .flag($0 == index),
            ]
          },
          "sections": .records(headings) { ["id": .text($0.id), "label": .text($0.text)] },
          "has_sections": .flag(headings.count > 1),
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
