import Foundation

/// Credits: given, used, over, and still owed.
struct CreditsPart: Sendable, Equatable {
  struct Sums: Sendable, Equatable {
    var issued: Int64 = 0
    var used: Int64 = 0
    var expired: Int64 = 0
    var takenBack: Int64 = 0
  }

  struct Source: Sendable, Equatable {
    /// nil: credits of no lot, which paid for a debt.
    var source: LotSource?
    var issued: Int64
    var used: Int64
  }

  /// Those to choose from.
  var units: [UnitLabel] = [.credits]
  /// The one that the part is about.
  var unit: UnitLabel = .credits
  var now: Sums
  var before: Sums
  var owed: Int64
  var owedBefore: Int64
  var held: Int64
  /// What the credits that are owed cost the operator, if all are used; nil: nobody said what one of
  /// this unit costs.
  var owedCost: Money?
  var usedPerDay: DayChart
  var owedPerDay: DayChart
  var sources: [Source]

  /// - Parameter href: Of this part, about a unit.
  func section(
    _ page: PageContext, href: (UnitLabel) -> String
  ) -> AnalyticsView.Section {
    let (t, format) = (page.strings, page.format)
    return AnalyticsView.Section(
      id: "credits",
      title: units.count > 1
        ? t("analytics.credits_of", ["unit": page.name(of: unit)]) : t["analytics.credits"],
      tabs: units.count > 1
        ? units.map { .init(title: page.name(of: $0), href: href($0), isCurrent: $0 == unit) } : [],
      figures: figures(page),
      charts: [
        usedPerDay.model(
          id: "used-by-day", title: t["analytics.used_by_day"], column: t["analytics.used"], page,
          say: format.number),
        owedPerDay.model(
          id: "owed-by-day", title: t["analytics.owed_by_day"], column: t["analytics.owed"], page,
          say: format.number),
      ],
      tables: [
        DataTable(
          id: "credit-sources", title: t["analytics.credit_sources"],
          note: t["analytics.credit_sources_note"], of: t["analytics.credit_source"],
          columns: [
            .init(title: t["analytics.issued"]), .init(title: t["analytics.used"]),
          ],
          rows: sources.map { source in
            DataTable.Row(
              name: source.source.map { t[.init("source.\($0.rawValue)")] } ?? t["analytics.debt"],
              cells: [format.number(source.issued), format.number(source.used)])
          })
      ])
  }

  private func figures(_ page: PageContext) -> [FigureCard] {
    let (t, format) = (page.strings, page.format)
    return [
      FigureCard(
        t["analytics.issued"], format.number(now.issued), t["analytics.issued_note"],
        change: page.change(now.issued, from: before.issued, say: format.number), .in),
      FigureCard(
        t["analytics.used"], format.number(now.used), t["analytics.used_note"],
        change: page.change(now.used, from: before.used, say: format.number), .use),
      FigureCard(
        t["analytics.expired"], format.number(now.expired),
        t("analytics.expired_note", ["n": format.number(now.takenBack)]),
        change: page.change(now.expired, from: before.expired, say: format.number), .quiet),
      FigureCard(
        t["analytics.owed"], format.number(owed),
        owedCost.map {
          t("analytics.owed_note", ["held": format.number(held), "cost": format.money($0)])
        } ?? t("analytics.owed_note_uncosted", ["held": format.number(held)]),
        change: page.change(owed, from: owedBefore, say: format.number), .stars),
    ]
  }
}
