import Foundation

/// How hard open cases press, now.
struct SupportPart: Sendable, Equatable {
  var pressure: SupportCasesView.Pressure

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let (t, format) = (page.strings, page.format)
    let now = t["analytics.support_now"]
    return AnalyticsView.Section(
      id: "support", title: t["nav.support"],
      figures: [
        FigureCard(
          t["support.pressure"], format.number(pressure.points),
          now + " " + t["support.pressure_note"], .stars),
        FigureCard(
          t["support.open_cases"], format.number(pressure.cases),
          now + " " + t["support.open_cases_note"], .use),
        FigureCard(
          t["support.overdue"], format.number(pressure.overdue), t["analytics.overdue_note"],
          pressure.overdue > 0 ? .back : .quiet),
      ],
      tables: [
        table("pressure-products", "analytics.pressure_by_product", "support.by_product", page) {
          pressure.byProduct.map { ($0.name.isEmpty ? t["support.no_product"] : $0.name, $0) }
        },
        table("pressure-segments", "analytics.pressure_by_segment", "support.by_segment", page) {
          pressure.bySegment.map { (t[.init("bot.segment_\($0.name)")], $0) }
        },
      ], more: (t["analytics.support_more"], Links.supportCases(page.slug)))
  }

  private func table(
    _ id: String, _ title: Strings.Key, _ of: Strings.Key, _ page: PageContext,
    _ parts: () -> [(name: String, part: SupportCasesView.Pressure.Part)]
  ) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: id, title: t[title], of: t[of],
      columns: [.init(title: t["support.cases"]), .init(title: t["support.pressure"])],
      rows: parts().map {
        DataTable.Row(
          name: $0.name, cells: [format.number($0.part.cases), format.number($0.part.points)])
      })
  }
}
