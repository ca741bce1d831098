import Foundation

/// The public pages in every language, drawn once at boot: they carry no cookie and depend on no
/// request.
struct Site: Sendable {
  /// A new release reaches a visitor within five minutes; until then no request is made at all.
  static let cacheControl = "public, max-age=300"

  let shell: SiteShell
  /// By place, a page a language.
  private let pages: [SitePlace: [Language: StaticBytes]]
  private let home: StaticBytes

  /// - Parameter root: the folder that holds `content/`.
  /// - Throws: `ContentError` naming the file and its line, or what Foundation throws for a missing
  ///   file.
  init(root: URL, shell: SiteShell) throws {
    self.shell = shell
    let stylesheet = try Self.stylesheet(root)
    var pages: [SitePlace: [Language: StaticBytes]] = [:]
    for place in SitePlace.allCases {
      guard let kind = place.content else { continue }
      for language in Language.allCases {
        let frame = SiteFrame(place, language, shell)
        let html = try Self.draw(kind, root: root, file: place.file(language), frame)
        pages[place, default: [:]][language] =
          place == .home
          ? try Self.arrival(html, stylesheet, shell.renderer.assets) : try Self.page(html)
      }
    }
    self.pages = pages
    guard let home = pages[.home]?[.en] else {
      throw ContentError(file: SitePlace.home.file(.en), message: "is missing")
    }
    self.home = home
  }

  static func page(_ html: String) throws -> StaticBytes {
    try StaticBytes(
      contentType: "text/html; charset=utf-8", body: Array(html.utf8), cacheControl: cacheControl)
  }

  private static func stylesheet(_ root: URL) throws -> Stylesheet {
    let file = "Public/app.css"
    let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
    return try Stylesheet(text, file: file)
  }

  /// The page where people arrive who have nothing of ours yet: it carries its rules itself, so that
  /// nobody far away waits for a second answer before anything is seen.
  private static func arrival(
    _ html: String, _ stylesheet: Stylesheet, _ assets: Assets
  ) throws -> StaticBytes {
    let style = stylesheet.rules(for: html)
    let link = "<link rel=\"stylesheet\" href=\"\(assets.path("app.css"))\">"
    let body = html.replacing(link, with: "<style>\(style)</style>")
    return try StaticBytes(
      contentType: "text/html; charset=utf-8", body: Array(body.utf8), cacheControl: cacheControl,
      policy: ContentSecurity.policy(carrying: style))
  }

  private static func draw<Content: SiteContent>(
    _ kind: Content.Type, root: URL, file: String, _ frame: SiteFrame
  ) throws -> String {
    let page = try read(kind, file, root: root, frame.renderer)
    let content = page.frontMatter
    let head = SiteFrame.Head(
      title: content.title, description: content.description, questions: content.questions)
    let context = SiteContext(frame: frame, file: file, body: page.body)
    return frame.page(Content.template, head, try page.lined { try content.model(context) })
  }

  /// A page's file, with the address to write to where it stands for one.
  ///
  /// - Throws: `ContentError`
  static func read<Content: SiteContent>(
    _ kind: Content.Type, _ file: String, root: URL, _ renderer: Renderer
  ) throws -> ContentPage<Content> {
    let source = try Data(contentsOf: root.appending(path: file))
    return try ContentPage(source: try Contact.read(root).fill(source), file: file) {
      content, info, _ in
      try (content.tables ?? [:]).drawn(info, file: file, renderer)
    }
  }

  /// Every place that is drawn at boot has its page in every language.
  func page(_ place: SitePlace, _ language: Language) -> StaticBytes {
    pages[place]?[language] ?? home
  }

  /// What a page that is drawn for a request stands in.
  func frame(_ place: SitePlace, _ language: Language) -> SiteFrame {
    SiteFrame(place, language, shell)
  }

  /// A share image by its path.
  func image(_ path: String) -> StaticBytes? {
    shell.images.values.first { $0.path == path }?.bytes
  }
}
