/// The front matter of a page that is read from top to bottom: security, privacy, terms.
struct ProseContent: SiteContent {
  static let template = TemplateName.prose

  var title: String
  var description: String
  /// Under the heading; the description when there is none.
  var lede: ProseText?
  /// That the text is a draft, and what that means for the reader.
  var draft: ProseText?
  /// The day the text was last changed, as readers read it.
  var updated: String?
  var tables: [String: DocsContent.Table]?

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    let sections = page.body.headings.filter { $0.level == 2 }
    return [
      "heading": .text(title),
      "lede": lede.map { .html($0.line) } ?? .text(description),
      "draft": draft.map { .html($0.line) } ?? .none,
      "updated": .optional(updated),
      "body": .html(page.body.html),
      "has_sections": .flag(sections.count > 2),
      "sections": .records(sections) { ["id": .text($0.id), "label": .text($0.text)] },
    ]
  }
}
