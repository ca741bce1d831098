import Foundation

/// The business in numbers over some days, beside the days before them.
struct AnalyticsView: Sendable, Equatable {
  /// What the page is about; all days are ISO days.
  struct Days: Sendable, Equatable {
    var period: PeriodChoice
    var first: String
    var last: String
    var firstBefore: String
    var lastBefore: String
    /// The last of them is not over.
    var includesToday: Bool
    /// As they were typed.
    var from = ""
    var to = ""
    /// What was typed is no day.
    var isUnreadable = false
  }

  /// How far the figures go.
  struct Standing: Sendable, Equatable {
    var isCurrent: Bool
    /// nil: they are being counted for the first time, or anew.
    var countedUntil: Date?
  }

  static let periods: [PeriodChoice] = [.today, .week, .month, .quarter]

  var days: Days
  var standing: Standing
  var sales: SalesPart
  var checkouts: CheckoutsPart
  var credits: CreditsPart
  var usage: UsagePart
  var customers: CustomersPart
  var subscriptions: SubscriptionsPart
  var support: SupportPart

  struct Tab {
    var title: String
    var href: String
    var isCurrent: Bool

    var model: TemplateValue {
      ["title": .text(title), "href": .text(href), "current": .flag(isCurrent)]
    }
  }

  /// One part of the page.
  struct Section {
    /// Of its heading, once on the page.
    var id: String
    var title: String
    /// What of it there is to choose.
    var tabs: [Tab] = []
    var figures: [FigureCard]
    var charts: [[String: TemplateValue]] = []
    var tables: [DataTable] = []
    /// Where its rows are.
    var more: (words: String, href: String)?
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.analytics(page.slug))
    let sections = [
      sales.section(page), checkouts.section(page), subscriptions.section(page),
      credits.section(page) { Links.with(path, query(days.period, of: $0)) + "#credits" },
      usage.section(page), customers.section(page),
      support.section(page),
    ]
    return page.page(
      .analytics, title: t["nav.analytics"], place: .analytics,
      [
        "tabs": .list(
          Self.periods.map {
            Tab(
              title: t[$0.key], href: Links.with(path, query($0, of: credits.unit)),
              isCurrent: $0 == days.period
            ).model
          }),
        "form": [
          "action": .text(path), "from": .text(days.from), "to": .text(days.to),
          "unit": .optional(Self.unit(credits.unit)),
          "open": .flag(days.period == .custom || days.isUnreadable),
          "problem": days.isUnreadable ? .text(t["analytics.unreadable"]) : .none,
        ],
        "range": .text(range(page)),
        "standing": .record(standing.model(page)),
        "places": .records(sections) { ["title": .text($0.title), "href": .text("#" + $0.id)] },
        "sections": .records(sections) { section in
          [
            "id": .text(section.id), "title": .text(section.title),
            "choice": section.tabs.isEmpty
              ? .none : .record(["tabs": .list(section.tabs.map(\.model))]),
            "figures": .list(section.figures.map(\.model)),
            "charts": .list(section.charts.map { .record($0) }),
            "tables": .records(section.tables) { $0.model(page) },
            "more": .optional(section.more) {
              ["words": .text($0.words), "href": .text($0.href)]
            },
          ]
        },
      ])
  }

  /// What an address keeps of the days and of the unit; what every page begins with is left out.
  private func query(
    _ choice: PeriodChoice, of unit: UnitLabel
  ) -> [(name: String, value: String?)] {
    let isCustom = choice == .custom
    return [
      ("period", choice == .month ? nil : choice.rawValue),
      ("from", isCustom ? days.from : nil), ("to", isCustom ? days.to : nil),
      ("unit", Self.unit(unit)),
    ]
  }

  private static func unit(_ unit: UnitLabel) -> String? {
    unit.number == 1 ? nil : String(unit.number)
  }

  private func range(_ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    let words = t(
      "analytics.range",
      [
        "days": format.days(days.first, days.last),
        "before": format.days(days.firstBefore, days.lastBefore),
      ])
    return days.includesToday ? words + " " + t["analytics.today_runs"] : words
  }
}

extension AnalyticsView.Standing {
  /// What the `standing` partial draws.
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "late": .flag(!isCurrent),
      "words": .text(t[isCurrent ? "chart.current" : "chart.counting"]),
      "time": isCurrent ? .none : countedUntil.map { page.format.time($0) } ?? .none,
    ]
  }
}
