import Foundation

/// A page for visitors, drawn once at boot. It carries no cookie and depends on no request.
struct SitePage: Sendable {
  let path: String
  let bytes: StaticBytes

  /// A new release reaches a visitor within five minutes; until then no request is made at all.
  static let cacheControl = "public, max-age=300"

  /// The landing page from `content/en/index.md`.
  ///
  /// - Parameter root: the folder that holds `content/`.
  /// - Throws: `ContentError` naming the file and key, or what Foundation throws for a missing file.
  static func landing(root: URL, renderer: Renderer) throws -> SitePage {
    let file = "content/en/index.md"
    let page = try ContentPage<LandingContent>(
      source: Data(contentsOf: root.appending(path: file)), file: file)
    let content = page.frontMatter
    let html = renderer.page(
      .landing, language: .en, title: content.title, content.model(body: page.body))
    return SitePage(
      path: Links.home,
      bytes: try StaticBytes(
        contentType: "text/html; charset=utf-8", body: Array(html.utf8),
        cacheControl: cacheControl))
  }
}
