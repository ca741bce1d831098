import Foundation

/// How hard open cases press, now.
struct SupportPart: Sendable, Equatable {
  var pressure: SupportCasesView.Pressure

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let t = page.strings
    return AnalyticsView.Section(
      id: "support", title: t["nav.support"],
      figures: pressure.figures(page, when: t["analytics.support_now"] + " ", promise: nil),
      tables: pressure.tables(page),
      more: (t["analytics.support_more"], Links.supportCases(page.slug)))
  }
}

extension SupportCasesView.Pressure {
  /// - Parameters:
  ///   - when: Words before what the numbers count, where other numbers stand beside them.
  ///   - promise: How soon buyers are to be answered, in words; nil: it stands elsewhere.
  func figures(_ page: PageContext, when: String = "", promise: String?) -> [FigureCard] {
    let (t, format) = (page.strings, page.format)
    return [
      FigureCard(
        t["support.open_cases"], format.number(cases), when + t["support.open_cases_note"], .use),
      FigureCard(
        t["support.overdue"], format.number(overdue),
        promise.map { t("support.overdue_note", ["time": $0]) } ?? t["analytics.overdue_note"],
        overdue > 0 ? .back : .quiet),
      FigureCard(
        t["support.pressure"], format.number(points), when + t["support.pressure_note"], .stars),
    ]
  }

  /// - Parameter limit: Rows of each; nil: all.
  func tables(_ page: PageContext, limit: Int? = nil) -> [DataTable] {
    let t = page.strings
    return [
      table(
        "pressure-products", t["analytics.pressure_by_product"], of: t["support.by_product"],
        byProduct.map { ($0.name.isEmpty ? t["support.no_product"] : $0.name, $0) }, limit, page),
      table(
        "pressure-segments", t["analytics.pressure_by_segment"], of: t["support.by_segment"],
        bySegment.map { (t[.init("bot.segment_\($0.name)")], $0) }, limit, page),
    ]
  }

  private func table(
    _ id: String, _ title: String, of: String, _ parts: [(name: String, part: Part)],
    _ limit: Int?, _ page: PageContext
  ) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: id, title: title, of: of,
      columns: [.init(title: t["support.cases"]), .init(title: t["support.pressure"])],
      rows: parts.prefix(limit ?? parts.count).map {
        DataTable.Row(
          name: $0.name, cells: [format.number($0.part.cases), format.number($0.part.points)])
      })
  }
}
