/// What eStars keeps shut, and why.
struct GatesView: Sendable, Equatable {
  enum Gate: String, Sendable, CaseIterable {
    case csvExport = "csv_export"
    case jsonExport = "json_export"
    case apiExport = "api_export"
    case shareLinks = "share_links"
    case scheduledReports = "scheduled_reports"
    case externalBI = "external_bi"
    case customerImport = "customer_import"
    case publicLaunch = "public_launch"
    case pricing
    case legalTexts = "legal_texts"
    case outreach
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .gates, title: t["nav.gates"], place: .gates,
      [
        "rows": .records(Gate.allCases) { Self.model($0, t) },
        "audit": .text(Links.audit(page.slug)),
      ])
  }

  static func model(_ gate: Gate, _ t: Strings) -> [String: TemplateValue] {
    [
      "name": .text(t[.init("gates.name_\(gate.rawValue)")]),
      "why": .text(t[.init("gates.why_\(gate.rawValue)")]),
    ]
  }
}
