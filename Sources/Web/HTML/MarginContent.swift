/// The front matter of `content/<language>/margin.md`.
struct MarginContent: SiteContent {
  static let template = TemplateName.siteMargin

  struct Packs: Decodable, Sendable {
    struct Row: Decodable, Sendable {
      var title: String
      /// Who may buy it, where not everybody may.
      var condition: String?
      var stars: Int64
      var credits: Int64
      var bonus: Int64
    }

    var heading: String
    var about: String
    var rows: [Row]
  }

  var title: String
  var description: String
  var lede: String
  /// What stands in the form before anybody has typed.
  var draft: MarginDraft
  var packs: Packs

  func model(_ page: SiteContext) throws -> [String: TemplateValue] {
    MarginView(draft, on: self, in: page.frame.language).model(page.frame, page.body)
  }
}
