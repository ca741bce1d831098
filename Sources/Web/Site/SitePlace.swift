/// A page of the site: its slug is the file in `content/<language>` and its address in each language.
/// The order is that of menus and of the sitemap.
enum SitePlace: String, Sendable, CaseIterable {
  case home = ""
  case howItWorks = "how-it-works"
  case compareTribute = "compare/tribute"
  case margin
  case faq
  case pilot
  case gates
  case security
  case privacy
  case terms

  /// What the page's front matter holds, for a page that is drawn at boot; nil for one whose
  /// controller draws it, since it answers to what was sent.
  var content: (any SiteContent.Type)? {
    switch self {
    case .home: LandingContent.self
    case .howItWorks: HowItWorksContent.self
    case .compareTribute: CompareContent.self
    case .margin: MarginContent.self
    case .faq: FAQContent.self
    case .gates: GatesContent.self
    case .security, .privacy, .terms: ProseContent.self
    case .pilot: nil
    }
  }

  enum Group: String, Sendable, CaseIterable { case product, trust }

  /// The part of the footer that lists it; the home page is behind the name.
  var group: Group? {
    switch self {
    case .home: nil
    case .howItWorks, .compareTribute, .margin, .faq, .pilot: .product
    case .gates, .security, .privacy, .terms: .trust
    }
  }

  /// What the bar at the top has room for.
  static let bar: [SitePlace] = [.howItWorks, .compareTribute, .margin, .faq]

  /// Such as `/pt-br/how-it-works`.
  func path(_ language: Language) -> String {
    guard self == .home else { return "\(language.sitePrefix)/\(rawValue)" }
    return language.sitePrefix.isEmpty ? "/" : language.sitePrefix
  }

  /// Such as `content/pt-br/index.md`.
  func file(_ language: Language) -> String {
    "content/\(language.contentFolder)/\(self == .home ? "index" : rawValue).md"
  }

  /// The calculator follows what is typed; every other page is the same for everybody.
  private func door(_ language: Language) -> Route.Door {
    self == .margin
      ? .anyone { server, inbound in MarginController.show(server, inbound, language) }
      : .page { $0.site.page(self, language) }
  }

  /// The addresses of all pages that are drawn at boot.
  static let routes: [Route] = allCases.filter { $0.content != nil }.flatMap { place in
    Language.allCases.map { language in
      Route(.get, place.path(language), place.door(language))
    }
  }
}
