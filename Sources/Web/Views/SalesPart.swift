import Foundation

/// Money: what was paid, what went back, and for what.
struct SalesPart: Sendable, Equatable {
  struct Sums: Sendable, Equatable {
    var payments: Int64 = 0
    var stars: Int64 = 0
    var refunds: Int64 = 0
    var starsRefunded: Int64 = 0

    var net: Int64 { stars - starsRefunded }
  }

  struct Product: Sendable, Equatable {
    /// nil: it is not one of ours.
    var title: String?
    var sku: String
    var isPlan: Bool
    var sums: Sums
    var fiat: Money
  }

  struct Seller: Sendable, Equatable {
    /// Without the @; nil: unknown.
    var username: String?
    var id: Int64
    var sums: Sums
    var fiat: Money
  }

  /// What a customer is worth.
  struct Lifetime: Sendable, Equatable {
    /// Since the beginning.
    var net: Int64
    /// Customers who ever bought.
    var buyers: Int64
    /// For each of them.
    var fiat: Money
  }

  var now: Sums
  var before: Sums
  var fiat: Money
  var lifetime: Lifetime
  var netPerDay: DayChart
  var products: [Product]
  var sellers: [Seller]

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let (t, format) = (page.strings, page.format)
    return AnalyticsView.Section(
      id: "sales", title: t["analytics.sales"], figures: figures(page),
      charts: [
        netPerDay.model(
          id: "net-by-day", title: t["analytics.net_by_day"], column: t["analytics.net"], page,
          say: format.stars)
      ],
      tables: [productTable(page), sellerTable(page)],
      more: (t["analytics.payments_more"], Links.payments(page.slug)))
  }

  private func figures(_ page: PageContext) -> [FigureCard] {
    let (t, format) = (page.strings, page.format)
    let average = now.payments == 0 ? nil : Self.half(now.stars, now.payments)
    let worth = lifetime.buyers == 0 ? nil : Self.half(lifetime.net, lifetime.buyers)
    return [
      FigureCard(
        t["analytics.net"], format.stars(now.net),
        t("analytics.net_note", ["fiat": format.money(fiat)]),
        change: page.change(now.net, from: before.net, say: format.stars), .stars),
      FigureCard(
        t["analytics.paid"], format.stars(now.stars),
        t(
          "analytics.paid_note", count: now.payments,
          ["n": format.number(now.payments), "each": average.map(format.stars) ?? "–"]),
        change: page.change(now.stars, from: before.stars, say: format.stars), .stars),
      FigureCard(
        t["analytics.refunded"], format.stars(now.starsRefunded),
        t(
          "analytics.refunded_note", count: now.refunds, ["n": format.number(now.refunds)]),
        change: page.change(now.starsRefunded, from: before.starsRefunded, say: format.stars),
        .back),
      FigureCard(
        t["analytics.refund_rate"], format.share(now.refunds, of: now.payments),
        t(
          "analytics.refund_rate_note",
          [
            "n": format.number(now.refunds), "payments": format.number(now.payments),
            "stars": format.share(now.starsRefunded, of: now.stars),
          ]), change: page.change(of: before.refunds, before.payments), .back),
      FigureCard(
        t["analytics.lifetime"], worth.map(format.stars) ?? "–",
        t(
          "analytics.lifetime_note",
          [
            "net": format.stars(lifetime.net), "n": format.number(lifetime.buyers),
            "fiat": format.money(lifetime.fiat),
          ]), .quiet),
    ]
  }

  /// Rounded half up.
  private static func half(_ whole: Int64, _ parts: Int64) -> Int64 {
    Int64((Double(whole) / Double(parts)).rounded(.toNearestOrAwayFromZero))
  }

  private func productTable(_ page: PageContext) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: "products", title: t["analytics.products"], note: t["analytics.products_note"],
      of: t["analytics.product"], columns: columns(page),
      rows: products.map { product in
        let href =
          product.sku.isEmpty
          ? nil : Links.with(Links.payments(page.slug), [("sku", product.sku)])
        return DataTable.Row(
          name: products.name(of: product, t), href: href,
          cells: cells(product.sums, product.fiat, format))
      })
  }

  private func sellerTable(_ page: PageContext) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: "sellers", title: t["analytics.sellers"], of: t["payment.bot"], columns: columns(page),
      rows: sellers.map { seller in
        DataTable.Row(
          name: seller.username.map { "@" + $0 } ?? "#\(seller.id)",
          href: Links.with(Links.payments(page.slug), [("bot", String(seller.id))]),
          cells: cells(seller.sums, seller.fiat, format))
      })
  }

  private func columns(_ page: PageContext) -> [DataTable.Column] {
    let t = page.strings
    return [
      .init(title: t["analytics.payments"]), .init(title: t["analytics.paid"], isExtra: true),
      .init(title: t["analytics.refunded"]), .init(title: t["analytics.fiat_net"], isExtra: true),
      .init(title: t["analytics.net"]),
    ]
  }

  private func cells(_ sums: Sums, _ fiat: Money, _ format: Formatting) -> [String] {
    [
      format.number(sums.payments), format.stars(sums.stars), format.stars(sums.starsRefunded),
      format.money(fiat), format.stars(sums.net),
    ]
  }
}

extension [SalesPart.Product] {
  /// A pack with a discount is called what its base is called: the key tells them apart.
  func name(of product: SalesPart.Product, _ t: Strings) -> String {
    guard let title = product.title else {
      return product.sku.isEmpty ? t["payment.no_pack"] : product.sku
    }
    let hasTwin = contains {
      $0.title == title && $0.isPlan == product.isPlan && $0.sku != product.sku
    }
    let name = hasTwin ? ProductLabel.named(title, product.sku) : title
    return product.isPlan ? t("analytics.a_plan", ["plan": name]) : name
  }
}
