import Foundation

/// What the credits were used for, what that cost, and what is left.
struct UsagePart: Sendable, Equatable {
  /// Uses of one action, bot, segment or source.
  struct Row: Sendable, Equatable {
    var name: String
    /// Where it leads.
    var href: String?
    var uses: Int64 = 0
    var units: Int64 = 0
    var credits: Int64 = 0
    /// What was paid for the credits.
    var earned: Money
    /// nil: it cannot be told in the workspace's currency.
    var cost: Money?

    /// What is left of what was paid.
    var margin: Money? {
      cost.map { Money(micros: earned.micros - $0.micros, currency: earned.currency) }
    }
    var perUnit: Money? {
      guard let margin, units > 0 else { return nil }
      return Money(micros: margin.micros / units, currency: margin.currency)
    }
  }

  struct Segment: Sendable, Equatable {
    /// nil: no bot had a part in it.
    var segment: BotSegment?
    var row: Row
  }

  var total: Row
  var before: Row
  var actions: [Row]
  var bots: [Row]
  var segments: [Segment]
  var sources: [Row]

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let t = page.strings
    let inSegments = segments.map { part in
      var row = part.row
      row.name =
        part.segment.map { t[.init("bot.segment_\($0.rawValue)")] } ?? t["analytics.no_bot"]
      return row
    }
    return AnalyticsView.Section(
      id: "usage", title: t["analytics.usage"], figures: figures(page),
      tables: [
        table("actions", "analytics.by_action", "analytics.action", actions, page, perUnit: true),
        table("segments", "analytics.by_segment", "analytics.segment", inSegments, page),
        table("bots", "analytics.by_bot", "payment.bot", named(bots, t["analytics.no_bot"]), page),
        table(
          "usage-sources", "analytics.by_source", "analytics.source",
          sources.map { row in
            var row = row
            row.name = page.trafficSource(row.name)
            return row
          }, page),
      ])
  }

  /// What nobody has a name for.
  private func named(_ rows: [Row], _ unnamed: String) -> [Row] {
    rows.map { row in
      var row = row
      if row.name.isEmpty { row.name = unnamed }
      return row
    }
  }

  private func figures(_ page: PageContext) -> [FigureCard] {
    let (t, format) = (page.strings, page.format)
    func money(_ money: Money?) -> String { money.map(format.money) ?? "–" }
    return [
      FigureCard(
        t["analytics.uses"], format.number(total.uses), t["analytics.uses_note"],
        change: page.change(total.uses, from: before.uses, say: format.number), .use),
      FigureCard(
        t["analytics.earned"], money(total.earned), t["analytics.earned_note"],
        change: t("chart.was", ["before": money(before.earned)]), .in),
      FigureCard(
        t["analytics.cost"], money(total.cost), t["analytics.cost_note"],
        change: t("chart.was", ["before": money(before.cost)]), .back),
      FigureCard(
        t["analytics.margin"], money(total.margin), t["analytics.margin_note"],
        change: t("chart.was", ["before": money(before.margin)]), .stars),
    ]
  }

  private func table(
    _ id: String, _ title: Strings.Key, _ of: Strings.Key, _ rows: [Row], _ page: PageContext,
    perUnit: Bool = false
  ) -> DataTable {
    let (t, format) = (page.strings, page.format)
    func money(_ money: Money?) -> String { money.map(format.money) ?? "–" }
    var columns: [DataTable.Column] = [
      .init(title: t["analytics.uses"]), .init(title: t["analytics.used"]),
      .init(title: t["analytics.earned"], isExtra: true),
      .init(title: t["analytics.cost"], isExtra: true),
    ]
    if perUnit { columns.append(.init(title: t["analytics.per_unit"])) }
    columns.append(.init(title: t["analytics.margin"]))
    return DataTable(
      id: id, title: t[title], of: t[of], columns: columns,
      rows: rows.map { row in
        var cells = [
          format.number(row.uses), format.number(row.credits), money(row.earned), money(row.cost),
        ]
        if perUnit { cells.append(money(row.perUnit)) }
        cells.append(money(row.margin))
        return DataTable.Row(name: row.name, href: row.href, cells: cells)
      })
  }
}

extension PageContext {
  /// Where somebody came from: empty where nobody said, `other` beyond those that are told apart.
  func trafficSource(_ name: String) -> String {
    switch name {
    case "": strings["analytics.no_source"]
    case "other": strings["analytics.other_source"]
    default: name
    }
  }
}
