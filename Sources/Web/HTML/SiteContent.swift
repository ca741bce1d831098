/// The front matter of one kind of page of the site.
protocol SiteContent: Decodable, Sendable {
  static var template: TemplateName { get }
  var title: String { get }
  /// For search engines and previews: one or two sentences.
  var description: String { get }
  /// What the page asks and answers, for search engines; most pages have none.
  var questions: [SiteQuestion] { get }
  /// For fences in the text; see ``DocsContent/Table``.
  var tables: [String: DocsContent.Table]? { get }

  /// What its template draws.
  ///
  /// - Throws: `ContentError`
  func model(_ page: SiteContext) throws -> [String: TemplateValue]
}

extension SiteContent {
  var questions: [SiteQuestion] { [] }
  var tables: [String: DocsContent.Table]? { nil }
}

/// What a page of the site is drawn from beside its own front matter.
struct SiteContext: Sendable {
  let frame: SiteFrame
  /// To name in errors.
  let file: String
  /// The file's Markdown.
  let body: Markdown
}

struct SiteQuestion: Decodable, Sendable {
  var question: String
  var answer: ProseText
}

/// A piece of Markdown inside front matter: links and emphasis in a sentence, or some paragraphs.
struct ProseText: Decodable, Sendable {
  private let markdown: Markdown
  let source: String

  init(_ source: String) throws {
    self.source = source
    markdown = try Markdown(source, file: "front matter")
  }

  init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Paragraphs and lists.
  var html: HTML { markdown.html }

  /// Without the paragraph around it, for a sentence that stands inside something else.
  var line: HTML {
    HTML(
      trusted: String(
        markdown.html.text.replacing("</p>\n<p>", with: "<br>").replacing("<p>", with: "")
          .replacing("</p>\n", with: "")))
  }
}
