import Foundation

/// Who came, who bought, and who stands on top.
struct CustomersPart: Sendable, Equatable {
  struct Source: Sendable, Equatable {
    /// Empty: nobody said.
    var name: String
    var newcomers: Int64
    var firstPurchases: Int64
    var net: Int64
  }

  struct Top: Sendable, Equatable {
    var customer: CustomerLabel
    var amount: Int64
  }

  var newcomers: Int64
  var newcomersBefore: Int64
  var firstPurchases: Int64
  var firstPurchasesBefore: Int64
  var sources: [Source]
  /// Days up to today that the tops are of; 0 = all time.
  var topDays: Int
  /// nil: not counted yet.
  var topsCountedAt: Date?
  var byNetStars: [Top]
  var byUse: [Top]
  /// Amounts in millionths of the currency.
  var byLoss: [Top]
  var currency: String

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let (t, format) = (page.strings, page.format)
    let figures = [
      FigureCard(
        t["analytics.newcomers"], format.number(newcomers), t["analytics.newcomers_note"],
        change: page.change(newcomers, from: newcomersBefore, say: format.number), .quiet),
      FigureCard(
        t["analytics.first_purchases"], format.number(firstPurchases),
        t["analytics.first_purchases_note"],
        change: page.change(firstPurchases, from: firstPurchasesBefore, say: format.number), .in),
    ]
    return AnalyticsView.Section(
      id: "customers", title: t["nav.customers"], figures: figures,
      tables: [
        top("top-stars", "analytics.top_net", "analytics.net", byNetStars, page, format.stars),
        top("top-use", "analytics.top_use", "analytics.used", byUse, page, format.number),
        top("top-loss", "analytics.top_loss", "analytics.loss", byLoss, page) {
          format.money(Money(micros: $0, currency: currency))
        },
        DataTable(
          id: "sources", title: t["analytics.newcomers_by_source"],
          note: t["analytics.sources_note"], of: t["analytics.source"],
          columns: [
            .init(title: t["analytics.newcomers"]), .init(title: t["analytics.first_purchases"]),
            .init(title: t["analytics.net"]),
          ],
          rows: sources.map { source in
            DataTable.Row(
              name: page.trafficSource(source.name),
              cells: [
                format.number(source.newcomers), format.number(source.firstPurchases),
                format.stars(source.net),
              ])
          }),
      ])
  }

  private func top(
    _ id: String, _ title: Strings.Key, _ column: Strings.Key, _ tops: [Top], _ page: PageContext,
    _ say: (Int64) -> String
  ) -> DataTable {
    let (t, format) = (page.strings, page.format)
    let span =
      topDays == 0
      ? t["analytics.top_ever"]
      : t("analytics.top_days", count: Int64(topDays), ["n": String(topDays)])
    let counted = topsCountedAt.map { t("analytics.top_counted", ["time": format.relative($0)]) }
    let loss = id == "top-loss" ? t["analytics.top_loss_note"] : nil
    return DataTable(
      id: id, title: t[title],
      note: [span, loss, counted].compactMap { $0 }.joined(separator: " "),
      of: t["payment.customer"], columns: [.init(title: t[column])],
      rows: tops.map { top in
        DataTable.Row(
          name: page.name(of: top.customer), href: Links.customer(page.slug, top.customer.id),
          cells: [say(top.amount)])
      })
  }
}
