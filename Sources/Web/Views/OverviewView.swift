import Foundation

/// The workspace in one glance.
struct OverviewView: Sendable, Equatable {
  struct Verification: Sendable, Equatable {
    var at: Date
    var entries: Int64
    var problems: Int64
  }

  /// What moved in some days.
  struct Sums: Sendable, Equatable {
    var payments: Int64 = 0
    var stars: Int64 = 0
    /// Positive.
    var starsRefunded: Int64 = 0
    var creditsIssued: Int64 = 0
    /// Positive.
    var creditsUsed: Int64 = 0
    var creditsExpired: Int64 = 0

    var net: Int64 { stars - starsRefunded }
  }

  struct FirstSteps: Sendable, Equatable {
    var done: Int
    var all: Int
  }

  static let periods: [PeriodChoice] = [.today, .day, .week, .month]

  var period: PeriodChoice
  var standing: AnalyticsView.Standing
  var now: Sums
  /// Of as much time before.
  var before: Sums
  /// What the net Stars bring.
  var fiat: Money
  /// Credits that customers may still use.
  var owed: Int64
  var owedCost: Money
  var customers: Int64
  /// Customers who have bought at least once.
  var payingCustomers: Int64
  /// nil: nobody counted them for this time.
  var newcomers: Int64?
  /// The unit of all credits here, where the workspace has others as well.
  var unit: UnitLabel?
  /// Updates that could not be handled yet.
  var openInboxProblems: Int64
  /// Cases that a person is to decide.
  var waitingRefunds: Int64
  /// Support cases in which the next word is ours.
  var openCases: Int64
  var lastVerification: Verification?
  var netPerDay: DayChart
  var usedPerDay: DayChart
  var products: [SalesPart.Product]
  var recentPayments: [PaymentRow]
  var recentActivity: [StripRow]
  /// For an owner who has not gone through them: how many are done, of how many.
  var firstSteps: FirstSteps?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    return page.page(
      .overview, title: t["overview.title"], place: .overview,
      [
        "first_steps": .optional(firstSteps) { steps in
          [
            "href": .text(Links.onboarding(page.slug)),
            "progress": .text(
              t(
                "onboarding.progress", ["n": String(steps.done), "all": String(steps.all)])),
          ]
        },
        "tabs": .records(Self.periods) { choice in
          [
            "title": .text(t[choice.key]),
            "href": .text(
              Links.with(
                Links.overview(page.slug), [("period", choice == .week ? nil : choice.rawValue)])),
            "current": .flag(choice == period),
          ]
        },
        "compared": .text(t[compared]),
        "unit": .optional(unit) {
          [
            "words": .text(t("overview.unit", ["unit": page.name(of: $0)])),
            "href": .text(Links.analytics(page.slug) + "#credits"),
          ]
        },
        "standing": .record(standing.model(page)),
        "figures": .list(figures(page).map(\.model)),
        "health": .list([
          inbox(page), alerts(page), refunds(page), support(page), verification(page),
        ]),
        "charts": .list([
          .record(
            netPerDay.model(
              id: "net", title: t["overview.net_chart"], column: t["overview.stars"], page,
              say: format.stars)),
          .record(
            usedPerDay.model(
              id: "used", title: t["overview.used_chart"], column: t["overview.used"], page,
              say: format.number)),
        ]),
        "products": products.isEmpty ? .none : .record(productTable(page).model(page)),
        "analytics_href": .text(
          Links.with(
            Links.analytics(page.slug), [("period", period == .day ? "today" : period.rawValue)])),
        "payments": recentPayments.isEmpty
          ? .none
          : .record([
            "shows_customer": true, "is_compact": true,
            "rows": .records(recentPayments) { $0.model(page) },
          ]),
        "payments_href": .text(Links.payments(page.slug)),
        "activity": recentActivity.isEmpty
          ? .none : .record(["strip": page.strip(recentActivity)]),
      ])
  }

  private var compared: Strings.Key {
    switch period {
    case .today: "overview.compared_today"
    case .day: "overview.compared_day"
    case .month: "overview.compared_month"
    default: "overview.compared_week"
    }
  }

  private func figures(_ page: PageContext) -> [FigureCard] {
    let (t, format) = (page.strings, page.format)
    func counted(_ key: Strings.Key, _ count: Int64) -> String {
      t(key, count: count, ["n": format.number(count)])
    }
    return [
      FigureCard(
        t["overview.stars"], format.stars(now.net),
        t(
          "overview.stars_note",
          [
            "in": format.stars(now.stars), "back": format.stars(now.starsRefunded),
            "fiat": format.money(fiat),
          ]),
        change: page.change(now.net, from: before.net, say: format.stars), .stars),
      FigureCard(
        t["overview.payments_count"], format.number(now.payments), t["overview.payments_note"],
        change: page.change(now.payments, from: before.payments, say: format.number), .in),
      FigureCard(
        t["overview.used"], format.number(now.creditsUsed),
        counted("overview.used_note", now.creditsIssued) + ", "
          + counted("overview.used_expired", now.creditsExpired),
        change: page.change(now.creditsUsed, from: before.creditsUsed, say: format.number), .use),
      FigureCard(
        t["overview.unspent"], format.number(owed),
        t("overview.unspent_note", ["cost": format.money(owedCost)]), .quiet),
      FigureCard(
        t["overview.customers"], format.number(customers),
        [
          counted("overview.customers_note", payingCustomers),
          newcomers.map { counted("overview.customers_new", $0) },
        ].compactMap(\.self).joined(separator: "; "), .quiet),
    ]
  }

  private func productTable(_ page: PageContext) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: "products", title: t["overview.products"], of: t["analytics.product"],
      columns: [.init(title: t["analytics.payments"]), .init(title: t["overview.stars"])],
      rows: products.map { product in
        DataTable.Row(
          name: products.name(of: product, t),
          href: product.sku.isEmpty
            ? nil : Links.with(Links.payments(page.slug), [("sku", product.sku)]),
          cells: [format.number(product.sums.payments), format.stars(product.sums.net)])
      })
  }

  private func inbox(_ page: PageContext) -> TemplateValue {
    let t = page.strings
    let n = openInboxProblems
    return [
      "state": .text(n == 0 ? "good" : "bad"),
      "word": .text(n == 0 ? t["overview.inbox_clear"] : t["overview.inbox_open"]),
      "detail": .text(
        n == 0
          ? t["overview.inbox_clear_detail"]
          : t("overview.inbox_open_detail", count: n, ["n": page.format.number(n)])),
    ]
  }

  private func alerts(_ page: PageContext) -> TemplateValue {
    let t = page.strings
    let n = Int64(page.frame.openAlerts)
    return [
      "state": .text(n == 0 ? "good" : "bad"),
      "word": .text(
        n == 0
          ? t["overview.alerts_clear"]
          : t("overview.alerts_open", count: n, ["n": page.format.number(n)])),
      "href": n == 0 ? .none : .text(Links.alerts(page.slug)),
      "detail": .text(t[n == 0 ? "overview.alerts_clear_detail" : "overview.alerts_open_detail"]),
    ]
  }

  private func refunds(_ page: PageContext) -> TemplateValue {
    let t = page.strings
    let n = waitingRefunds
    return [
      "state": .text(n == 0 ? "good" : "requested"),
      "word": .text(
        n == 0
          ? t["overview.refunds_clear"]
          : t("overview.refunds_waiting", count: n, ["n": page.format.number(n)])),
      "href": n == 0 ? .none : .text(Links.refunds(page.slug)),
      "detail": .text(
        t[n == 0 ? "overview.refunds_clear_detail" : "overview.refunds_waiting_detail"]),
    ]
  }

  private func support(_ page: PageContext) -> TemplateValue {
    let t = page.strings
    let n = openCases
    return [
      "state": .text(n == 0 ? "good" : "requested"),
      "word": .text(
        n == 0
          ? t["overview.support_clear"]
          : t("overview.support_open", count: n, ["n": page.format.number(n)])),
      "href": n == 0 ? .none : .text(Links.supportCases(page.slug)),
      "detail": .text(t[n == 0 ? "overview.support_clear_detail" : "overview.support_open_detail"]),
    ]
  }

  private func verification(_ page: PageContext) -> TemplateValue {
    let (t, format) = (page.strings, page.format)
    guard let run = lastVerification else {
      return [
        "state": "unknown", "word": .text(t["overview.verify_never"]),
        "detail": .text(t["overview.verify_never_detail"]),
      ]
    }
    let healthy = run.problems == 0
    return [
      "state": .text(healthy ? "good" : "bad"),
      "word": .text(
        healthy
          ? t["overview.verify_good"]
          : t("overview.verify_bad", count: run.problems, ["n": format.number(run.problems)])),
      "detail": .text(
        t("overview.verify_entries", count: run.entries, ["n": format.number(run.entries)])),
      "time": format.time(run.at),
    ]
  }
}
