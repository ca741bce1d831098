import Foundation

@testable import Web

/// Figures that are hard on a page: none at all, losses, days below zero, and long names.
enum FigureSamples {
  static let pages: [GoldenTests.Page] = [
    .init(name: "analytics") { analytics.render(with: $0, in: Samples.frame()) },
    .init(name: "analytics-pt") { analytics.render(with: $0, in: Samples.frame(.ptBR)) },
    .init(name: "analytics-unit") { secondUnit.render(with: $0, in: Samples.frame()) },
    .init(name: "analytics-empty") { empty.render(with: $0, in: Samples.frame()) },
    .init(name: "payments-filtered-pt") { renderer in
      var view = Samples.paymentList
      view.filter = .init(
        period: .custom, from: "2026-11-01", to: "yesterday", state: .refunded, product: .plan,
        sku: Samples.hostile, botID: 77_001, customer: 8, text: Samples.longCharge)
      view.customer = Samples.mallory
      view.problem = .dates
      return view.render(with: renderer, in: Samples.frame(.ptBR))
    },
    .init(name: "payments-nobody") {
      PaymentsView(filter: .init(text: "42"), problem: .nobody, rows: [])
        .render(with: $0, in: Samples.frame())
    },
  ]

  static let days = (8...21).map { "2026-11-\($0 < 10 ? "0" : "")\($0)" }
  static let rates = "BRL"
  static func money(_ micros: Int64) -> Money { Money(micros: micros, currency: rates) }

  static let net = DayChart(
    days: days, values: [120, 75, 0, -175, 300, 75, 75, 0, 0, 500, 75, 150, 75, 225],
    before: [0, 0, 75, 75, 75, 150, 150, 75, 0, 0, 500, 0, -75, 75], ink: .stars)
  static let used = DayChart(
    days: days, values: [12, 40, 33, 0, 58, 71, 64, 90, 41, 37, 88, 120, 97, 65])

  private static let sales = SalesPart(
    now: .init(payments: 84, stars: 12_450, refunds: 3, starsRefunded: 175),
    before: .init(payments: 70, stars: 9_000, refunds: 0, starsRefunded: 0),
    fiat: money(861_850_000),
    lifetime: .init(net: 40_321, buyers: 222, fiat: money(12_750_000)), netPerDay: net,
    products: [
      .init(
        title: "Start", sku: "start", isPlan: false,
        sums: .init(payments: 60, stars: 4_500, refunds: 1, starsRefunded: 75),
        fiat: money(310_640_000)),
      .init(
        title: Samples.hostile, sku: "x", isPlan: true,
        sums: .init(payments: 1, stars: 100, refunds: 2, starsRefunded: 600),
        fiat: money(-35_104_999)),
      .init(
        title: nil, sku: "", isPlan: false, sums: .init(payments: 1, stars: 1), fiat: money(70)),
    ],
    sellers: [
      .init(
        username: "figurinhas_demo_bot", id: 77_001,
        sums: .init(payments: 84, stars: 12_450, refunds: 3, starsRefunded: 175),
        fiat: money(861_850_000)),
      .init(username: nil, id: 77_002, sums: .init(), fiat: money(0)),
    ])

  private static let usage = UsagePart(
    total: .init(
      name: "", uses: 900, units: 1_000, credits: 1_100, earned: money(10_000_000),
      cost: money(2_500_000)),
    before: .init(name: "", earned: money(0), cost: nil),
    actions: [
      .init(
        name: "Sticker", href: "/w/figurinhas-lab-test/actions/sticker", uses: 890, units: 980,
        credits: 980, earned: money(9_000_000), cost: money(500_000)),
      .init(
        name: Samples.hostile, uses: 10, units: 20, credits: 120, earned: money(1_000_000),
        cost: money(2_000_000)),
      .init(name: "Euro action", uses: 1, units: 0, credits: 0, earned: money(0), cost: nil),
    ],
    bots: [
      .init(
        name: "@figurinhas_demo_bot", href: "/w/figurinhas-lab-test/bots/77001", uses: 899,
        units: 999, credits: 1_099, earned: money(10_000_000), cost: money(2_500_000)),
      .init(name: "", uses: 1, units: 1, credits: 1, earned: money(0), cost: money(0)),
    ],
    segments: [
      .init(
        segment: .aiBot, row: .init(name: "", uses: 899, earned: money(1), cost: money(1))),
      .init(segment: nil, row: .init(name: "", uses: 1, earned: money(1), cost: money(1))),
    ], sources: [.init(name: "", uses: 900, earned: money(10_000_000), cost: money(2_500_000))])

  static let analytics = AnalyticsView(
    days: .init(
      period: .custom, first: "2026-11-08", last: "2026-11-21", firstBefore: "2026-10-25",
      lastBefore: "2026-11-07", includesToday: true, from: "2026-11-08", to: "2026-11-21"),
    standing: .init(isCurrent: true, countedUntil: Samples.ago(Samples.minute)), sales: sales,
    checkouts: .init(
      opened: 120, completed: 80, failed: 5, unpaid: 30, completedBefore: 60, failedBefore: 0,
      reasons: [
        .init(state: .rejected, reason: "too_many_purchases", checkouts: 3),
        .init(state: .failed, reason: "booking_failed", checkouts: 1),
        .init(state: .rejected, reason: "new_reason", checkouts: 1),
      ],
      carts: .init(carts: 31, recovered: 9, recoveredAfterReminder: 5, stars: 1_000),
      cartsBefore: .init(carts: 20, recovered: 2)),
    credits: .init(
      now: .init(issued: 2_310, used: 1_987, expired: 20, takenBack: 4),
      before: .init(issued: 2_000, used: 0), owed: 10_450, owedBefore: 10_147, held: 7,
      owedCost: money(1_881_000_000), usedPerDay: used,
      owedPerDay: DayChart(
        days: days, values: (0..<14).map { 10_147 + Int64($0) * 23 }, shape: .line, ink: .in),
      sources: [
        .init(source: .payment, issued: 2_000, used: 1_900),
        .init(source: nil, issued: 0, used: 87),
      ]), usage: usage,
    customers: .init(
      newcomers: 50, newcomersBefore: 100, firstPurchases: 9, firstPurchasesBefore: 0,
      sources: [
        .init(name: "", newcomers: 40, firstPurchases: 4, net: 300),
        .init(name: Samples.hostile, newcomers: 10, firstPurchases: 5, net: -75),
      ], topDays: 30, topsCountedAt: Samples.ago(Samples.hour),
      byNetStars: [.init(customer: Samples.maria, amount: 1_125)],
      byUse: [.init(customer: Samples.erased, amount: 99)],
      byLoss: [.init(customer: Samples.mallory, amount: 12_345_678)], currency: rates),
    subscriptions: .init(
      plans: [
        .init(
          key: "pro", title: "Pro", tier: "Pro", active: 20, monthlyStars: 10_000,
          activeBefore: 18, started: 4, renewed: 9, churned: 2, trialsStarted: 6,
          trialsConverted: 2),
        .init(
          key: "max", title: Samples.hostile, tier: "Max", active: 3, monthlyStars: 3_000,
          activeBefore: 2, started: 1, renewed: 0, churned: 0, trialsStarted: 0,
          trialsConverted: 0),
      ],
      before: .init(churned: 1, active: 20, trialsStarted: 3, trialsConverted: 1),
      monthlyStarsBefore: 11_000, fiat: money(900_000_000),
      monthlyPerDay: DayChart(
        days: days, values: (0..<14).map { 11_000 + Int64($0) * 150 }, shape: .line, ink: .stars)),
    support: .init(
      pressure: .init(
        cases: 3, overdue: 1, points: 12,
        byProduct: [
          .init(name: Samples.hostile, cases: 1, points: 9), .init(name: "", cases: 2, points: 3),
        ], bySegment: [.init(name: "ai_bot", cases: 3, points: 12)])))

  /// One day, of a unit that has no cost.
  private static let secondUnit: AnalyticsView = {
    var view = analytics
    view.days.period = .today
    view.credits.units = [.credits, .init(number: 2, name: Samples.hostile)]
    view.credits.unit = view.credits.units[1]
    view.credits.owedCost = nil
    let day = [days[13]]
    view.sales.netPerDay = DayChart(days: day, values: [-75], before: [0], ink: .stars)
    view.credits.usedPerDay = DayChart(days: day, values: [12], before: [40])
    view.credits.owedPerDay = DayChart(days: day, values: [10_450], shape: .line, ink: .in)
    return view
  }()

  static let empty = AnalyticsView(
    days: .init(
      period: .today, first: "2026-11-21", last: "2026-11-21", firstBefore: "2026-11-20",
      lastBefore: "2026-11-20", includesToday: true, isUnreadable: true),
    standing: .init(isCurrent: false, countedUntil: nil),
    sales: .init(
      now: .init(), before: .init(), fiat: money(0),
      lifetime: .init(net: 0, buyers: 0, fiat: money(0)),
      netPerDay: DayChart(days: ["2026-11-21"], values: [0], before: [0]), products: [],
      sellers: []),
    checkouts: .init(
      opened: 0, completed: 0, failed: 0, unpaid: 0, completedBefore: 0, failedBefore: 0,
      reasons: [], carts: .init(), cartsBefore: .init()),
    credits: .init(
      now: .init(), before: .init(), owed: 0, owedBefore: 0, held: 0, owedCost: money(0),
      usedPerDay: DayChart(days: [], values: []), owedPerDay: DayChart(days: [], values: []),
      sources: []),
    usage: .init(
      total: .init(name: "", earned: money(0), cost: money(0)),
      before: .init(name: "", earned: money(0), cost: money(0)), actions: [], bots: [],
      segments: [], sources: []),
    customers: .init(
      newcomers: 0, newcomersBefore: 0, firstPurchases: 0, firstPurchasesBefore: 0, sources: [],
      topDays: 0, topsCountedAt: nil, byNetStars: [], byUse: [], byLoss: [], currency: rates),
    subscriptions: .init(
      plans: [], before: .init(), monthlyStarsBefore: 0, fiat: money(0),
      monthlyPerDay: DayChart(days: ["2026-11-21"], values: [0], shape: .line)),
    support: .init(
      pressure: .init(cases: 0, overdue: 0, points: 0, byProduct: [], bySegment: [])))
}

extension Samples {
  static let paymentList = PaymentsView(
    bots: [.init(id: 77_001, username: "figurinhas_demo_bot")],
    rows: payments.map { row in
      var row = row
      row.fiat = FigureSamples.money(row.stars * 70_200)
      return row
    }, paging: Paging(nextCursor: "n", isFirst: false))

  static let overview = OverviewView(
    period: .week, standing: .init(isCurrent: true, countedUntil: ago(minute)),
    now: .init(
      payments: 84, stars: 12_450, starsRefunded: 175, creditsIssued: 2_310, creditsUsed: 1_987,
      creditsExpired: 20),
    before: .init(payments: 80, stars: 9_000, creditsUsed: 2_000),
    fiat: FigureSamples.money(861_850_000), owed: 10_450,
    owedCost: FigureSamples.money(1_881_000_000), customers: 1_204, payingCustomers: 1,
    newcomers: 12, openInboxProblems: 0, waitingRefunds: 3, openCases: 2,
    lastVerification: .init(at: ago(5 * hour), entries: 48_210, problems: 0),
    netPerDay: FigureSamples.net, usedPerDay: FigureSamples.used,
    products: [
      .init(
        title: "Start", sku: "start", isPlan: false,
        sums: .init(payments: 60, stars: 4_500), fiat: FigureSamples.money(1)),
      .init(
        title: hostile, sku: "pro", isPlan: true, sums: .init(payments: 1, stars: 100),
        fiat: FigureSamples.money(1)),
    ], recentPayments: payments, recentActivity: Array(strip.prefix(5)))

  static let emptyOverview = OverviewView(
    period: .today, standing: .init(isCurrent: false, countedUntil: ago(hour)), now: .init(),
    before: .init(), fiat: FigureSamples.money(0), owed: -3, owedCost: FigureSamples.money(0),
    customers: 0, payingCustomers: 0, newcomers: 0, openInboxProblems: 2, waitingRefunds: 0,
    openCases: 0, lastVerification: nil, netPerDay: DayChart(days: [], values: []),
    usedPerDay: DayChart(days: [], values: []), products: [], recentPayments: [],
    recentActivity: [])

  /// In which nobody counts products and newcomers.
  static let overviewOfHours: OverviewView = {
    var view = overview
    (view.period, view.products, view.newcomers) = (.day, [], nil)
    view.unit = .credits
    return view
  }()
}
