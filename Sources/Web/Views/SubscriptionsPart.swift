import Foundation

/// What renews, what ended and what trials became.
struct SubscriptionsPart: Sendable, Equatable {
  struct Plan: Sendable, Equatable {
    var key: String
    var title: String
    var tier: String
    var active: Int64
    var monthlyStars: Int64
    var activeBefore: Int64
    var started: Int64
    var renewed: Int64
    var churned: Int64
    var trialsStarted: Int64
    var trialsConverted: Int64
  }

  /// Of the same days before: churned, active at their start, trials.
  struct Before: Sendable, Equatable {
    var churned: Int64 = 0
    var active: Int64 = 0
    var trialsStarted: Int64 = 0
    var trialsConverted: Int64 = 0
  }

  var plans: [Plan]
  var before: Before
  var monthlyStarsBefore: Int64
  var fiat: Money
  var monthlyPerDay: DayChart

  private func sum(_ value: (Plan) -> Int64) -> Int64 { plans.reduce(0) { $0 + value($1) } }

  /// In the order of the plans.
  private var tiers: [(tier: String, active: Int64)] {
    var sums: [(tier: String, active: Int64)] = []
    for plan in plans {
      if let index = sums.firstIndex(where: { $0.tier == plan.tier }) {
        sums[index].active += plan.active
      } else {
        sums.append((plan.tier, plan.active))
      }
    }
    return sums
  }

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let (t, format) = (page.strings, page.format)
    return AnalyticsView.Section(
      id: "subscriptions", title: t["nav.subscriptions"], figures: figures(page),
      charts: [
        monthlyPerDay.model(
          id: "mrr-by-day", title: t["analytics.mrr_by_day"], column: t["analytics.mrr"], page,
          say: format.stars)
      ],
      tables: [tierTable(page), planTable(page)],
      more: (t["analytics.subscriptions_more"], Links.subscriptions(page.slug)))
  }

  private func figures(_ page: PageContext) -> [FigureCard] {
    let (t, format) = (page.strings, page.format)
    let active = sum(\.active)
    let first = tiers.filter { $0.active > 0 }.max { $0.active < $1.active }
    let (churned, activeBefore) = (sum(\.churned), sum(\.activeBefore))
    let (trials, converted) = (sum(\.trialsStarted), sum(\.trialsConverted))
    return [
      FigureCard(
        t["analytics.mrr"], format.stars(sum(\.monthlyStars)),
        t("analytics.mrr_note", ["fiat": format.money(fiat)]),
        change: page.change(
          sum(\.monthlyStars), from: monthlyStarsBefore, say: format.stars), .stars),
      FigureCard(
        t["analytics.active"], format.number(active), t["analytics.active_note"],
        change: page.change(active, from: activeBefore, say: format.number), .in),
      FigureCard(
        t["analytics.popular"], first?.tier ?? "–",
        t(
          "analytics.popular_note",
          [
            "n": format.number(first?.active ?? 0),
            "share": format.share(first?.active ?? 0, of: active),
          ]), .use),
      FigureCard(
        t["analytics.churn"], format.share(churned, of: activeBefore),
        t(
          "analytics.churn_note",
          ["n": format.number(churned), "active": format.number(activeBefore)]),
        change: page.change(of: before.churned, before.active), .back),
      FigureCard(
        t["analytics.conversion"], format.share(converted, of: trials),
        t(
          "analytics.conversion_note",
          ["n": format.number(converted), "trials": format.number(trials)]),
        change: page.change(of: before.trialsConverted, before.trialsStarted), .use),
    ]
  }

  private func tierTable(_ page: PageContext) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: "tiers", title: t["analytics.by_tier"], of: t["subscription.tier"],
      columns: [.init(title: t["analytics.share"]), .init(title: t["analytics.active"])],
      rows: tiers.map { tier in
        DataTable.Row(
          name: tier.tier,
          cells: [format.share(tier.active, of: sum(\.active)), format.number(tier.active)])
      })
  }

  private func planTable(_ page: PageContext) -> DataTable {
    let (t, format) = (page.strings, page.format)
    return DataTable(
      id: "plans", title: t["analytics.by_plan"], note: t["analytics.by_plan_note"],
      of: t["subscription.plan"],
      columns: [
        .init(title: t["analytics.started"]), .init(title: t["analytics.renewed"], isExtra: true),
        .init(title: t["analytics.churned"]), .init(title: t["analytics.active"]),
        .init(title: t["analytics.mrr"]),
      ],
      rows: plans.map { plan in
        DataTable.Row(
          name: plan.title,
          href: Links.with(Links.subscriptions(page.slug), [("plan", plan.key)]),
          cells: [
            format.number(plan.started), format.number(plan.renewed), format.number(plan.churned),
            format.number(plan.active), format.stars(plan.monthlyStars),
          ])
      })
  }
}
