import Foundation

/// Where the site and the program behind it are reached; neither ends in a slash.
struct SiteAddress: Sendable, Equatable {
  /// What addresses for search engines and previews begin with.
  let site: String
  /// Before the path of what only the running program answers: signing in, forms. Empty where the
  /// program serves the site itself.
  let app: String

  init(publicURL: URL) { self.init(site: publicURL, app: nil) }

  init(site: URL, app: URL?) {
    func base(_ url: URL) -> String { url.absoluteString.trimmingCharacters(in: ["/"]) }
    self.site = base(site)
    self.app = app.map(base) ?? ""
  }
}

/// What all public pages are drawn with.
struct SiteShell: Sendable {
  /// A file that was drawn, under a name that carries its content's hash.
  struct Image: Sendable {
    let path: String
    let bytes: StaticBytes
  }

  let renderer: Renderer
  let address: SiteAddress
  /// What shows where a page of this language is linked.
  let images: [Language: Image]

  /// - Parameter root: the folder that holds `content/`.
  /// - Throws: `ContentError` naming the file and its line, or what Foundation throws for a missing
  ///   file.
  init(root: URL, address: SiteAddress, renderer: Renderer) throws {
    self.renderer = renderer
    self.address = address
    var images: [Language: Image] = [:]
    for language in Language.allCases {
      let file = SitePlace.home.file(language)
      let home = try ContentPage<LandingContent>(
        source: Data(contentsOf: root.appending(path: file)), file: file)
      let words = home.frontMatter.shareWords
      try home.lined {
        guard let character = ShareImage.missing(in: words) else { return }
        throw ContentError(
          file: file, key: "hero",
          message: "`hero` has a character that the share image cannot draw: \(character)")
      }
      let png = try ShareImage.png(words)
      let name = "share_" + language.contentFolder.replacing("-", with: "_")
      images[language] = Image(
        path: "/assets/\(name).\(StaticBytes.hash(png)).png",
        bytes: try StaticBytes(
          contentType: "image/png", body: png, cacheControl: Assets.immutable, compress: false))
    }
    self.images = images
  }
}

/// What stands around every public page: bar, footer, and what search engines read.
struct SiteFrame: Sendable {
  /// What the page is for those who only read its head.
  struct Head: Sendable {
    var title: String
    var description: String
    /// What it asks and answers.
    var questions: [SiteQuestion] = []
    /// An article, or a page of the site itself.
    var isArticle = false
    /// Whether search engines may show it; a private page has no other language either.
    var isPublic = true
  }

  let shell: SiteShell
  let language: Language
  /// The place in menus to mark.
  let place: SitePlace?
  /// This page's address in each language.
  let path: @Sendable (Language) -> String

  init(_ place: SitePlace, _ language: Language, _ shell: SiteShell) {
    self.init(place: place, path: { place.path($0) }, language, shell)
  }

  init(
    place: SitePlace?, path: @escaping @Sendable (Language) -> String, _ language: Language,
    _ shell: SiteShell
  ) {
    self.place = place
    self.path = path
    self.language = language
    self.shell = shell
  }

  var renderer: Renderer { shell.renderer }
  var address: SiteAddress { shell.address }
  var strings: Strings { renderer.strings(language) }

  /// The address of what only the running program answers, such as `/login`.
  func app(_ path: String) -> String { address.app + path }

  func link(_ place: SitePlace) -> String { place.path(language) }

  /// Draws a page inside the frame.
  func page(_ template: TemplateName, _ head: Head, _ values: [String: TemplateValue]) -> String {
    renderer.page(
      template, language: language,
      title: place == .home ? head.title : head.title + " · eStars",
      model(head).merging(values) { _, own in own })
  }

  private func model(_ head: Head) -> [String: TemplateValue] {
    let others = Language.allCases.filter { $0 != language }
    return [
      "heading": .text(head.title), "description": .text(head.description),
      "is_public": .flag(head.isPublic),
      "canonical": .text(address.site + path(language)),
      "alternates": head.isPublic ? alternates : .none,
      "og_type": .text(head.isArticle ? "article" : "website"),
      "og_locale": .text(language == .en ? "en_US" : "pt_BR"),
      "faq": head.questions.isEmpty ? .none : .html(structured(head.questions)),
      "og_image": .text(address.site + (shell.images[language]?.path ?? "")),
      "pilot_href": .text(Links.pilot(language)),
      "home": .text(link(.home)), "login": .text(app(Links.login)),
      "docs": .text(Links.docs(nil, language)), "open_api": .text(Links.openAPI),
      "in_docs": .flag(place == nil && head.isArticle),
      "others": .records(head.isPublic ? others : []) {
        ["language": .text($0.rawValue), "href": .text(path($0))]
      },
      "bar": .records(SitePlace.bar) { entry($0) },
      "foot": .records(SitePlace.Group.allCases) { group in
        [
          "group": .text(strings[.init("site.group_\(group.rawValue)")]),
          "places": .records(SitePlace.allCases.filter { $0.group == group }) { entry($0) },
        ]
      },
    ]
  }

  private func entry(_ place: SitePlace) -> [String: TemplateValue] {
    [
      "href": .text(link(place)), "label": .text(strings[.init("site.place_\(place)")]),
      "current": .flag(place == self.place),
    ]
  }

  private var alternates: TemplateValue {
    .records(Language.allCases.map { ($0.rawValue, $0) } + [("x-default", .en)]) {
      ["language": .text($0.0), "href": .text(address.site + path($0.1))]
    }
  }

  /// Questions and answers as schema.org has them, with links that lead here from anywhere. A `<` is
  /// written as an escape, so that no answer can end the element it stands in.
  private func structured(_ questions: [SiteQuestion]) -> HTML {
    let page: [String: Any] = [
      "@context": "https://schema.org", "@type": "FAQPage",
      "mainEntity": questions.map { item in
        [
          "@type": "Question", "name": item.question,
          "acceptedAnswer": [
            "@type": "Answer",
            "text": item.answer.html.text.replacing("href=\"/", with: "href=\"\(address.site)/"),
          ],
        ] as [String: Any]
      },
    ]
    let json = try? JSONSerialization.data(
      withJSONObject: page, options: [.sortedKeys, .withoutEscapingSlashes])
    return HTML(
      trusted: String(decoding: json ?? Data(), as: UTF8.self).replacing("<", with: "\\u003c")
        .replacing("&", with: "\\u0026"))
  }
}
