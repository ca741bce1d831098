import Foundation

/// The calculator in every language: its texts are read at boot, its figures follow what was typed.
struct MarginPages: Sendable {
  private let site: Site
  private let contents: [Language: ContentPage<MarginContent>]

  /// - Throws: `ContentError`
  init(root: URL, site: Site, renderer: Renderer) throws {
    self.site = site
    var contents: [Language: ContentPage<MarginContent>] = [:]
    for language in Language.allCases {
      contents[language] = try Site.read(
        MarginContent.self, SitePlace.margin.file(language), root: root, renderer)
    }
    self.contents = contents
  }

  /// - Returns: The page, and whether everything that was typed can be computed with.
  func draw(_ query: [String: String], _ language: Language) -> (html: String, isRight: Bool)? {
    guard let page = contents[language] else { return nil }
    var draft = page.frontMatter.draft
    draft.take(query)
    let view = MarginView(draft, on: page.frontMatter, in: language)
    let frame = site.frame(.margin, language)
    let head = SiteFrame.Head(
      title: page.frontMatter.title, description: page.frontMatter.description)
    return (
      frame.page(MarginContent.template, head, view.model(frame, page.body)),
      view.problems.isEmpty
    )
  }
}
