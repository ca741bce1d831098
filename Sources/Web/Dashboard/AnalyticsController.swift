import EStars
import Foundation

/// The business in numbers.
enum AnalyticsController {
  private static let products = 20
  private static let tops = 10

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let standing = try await Rollup(visit.platform).catchUp(in: visit.scope)
    let (period, days) = visit.analyticsDays()
    let rates = try await Rates.of(visit.scope, visit.platform.pool)
    let bots = try await Bot.all(in: visit.scope, visit.platform.pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    async let sales = Self.sales(period, visit, rates, bots)
    async let checkouts = Self.checkouts(period, visit)
    async let credits = Self.credits(period, visit, rates)
    async let usage = Self.usage(period, visit, rates, bots, catalog)
    async let customers = Self.customers(period, visit, rates)
    async let subscriptions = Self.subscriptions(period, visit, rates)
    async let support = SupportPressure.load(in: visit.scope, visit.platform.pool)
    let view = AnalyticsView(
      days: days, standing: .init(standing), sales: try await sales,
      checkouts: try await checkouts, credits: try await credits, usage: try await usage,
      customers: try await customers, subscriptions: try await subscriptions,
      support: .init(pressure: .init(try await support, catalog)))
    return try await visit.page(view.render)
  }

  private static func sales(
    _ period: Period, _ visit: Visit, _ rates: Rates, _ bots: [Bot]
  ) async throws -> SalesPart {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let now = try await SalesFigures.total(period.days, in: scope, pool)
    let before = try await SalesFigures.total(period.before, in: scope, pool)
    let ever = try await SalesFigures.total(nil, in: scope, pool)
    let daily = try await SalesFigures.byDay(
      period.before.lowerBound...period.days.upperBound, in: scope, pool)
    let products = try await SalesFigures.byProduct(
      period.days, limit: Self.products, in: scope, pool)
    let sellers = try await SalesFigures.byBot(period.days, in: scope, pool)
    let names = Dictionary(uniqueKeysWithValues: bots.map { ($0.id, $0.username) })
    return SalesPart(
      now: .init(now), before: .init(before), fiat: Money(rates.micros(stars: now.net), rates),
      lifetime: .init(
        net: ever.net, buyers: ever.firstPurchases,
        fiat: Money(
          ever.firstPurchases == 0 ? 0 : rates.micros(stars: ever.net) / ever.firstPurchases,
          rates)),
      netPerDay: period.chart(ink: .stars) { daily[$0]?.net ?? 0 },
      products: products.map { SalesPart.Product($0, rates) },
      sellers: sellers.sorted { ($1.value.net, $0.key) < ($0.value.net, $1.key) }.map {
        .init(
          username: names[$0.key], id: $0.key, sums: .init($0.value),
          fiat: Money(rates.micros(stars: $0.value.net), rates))
      })
  }

  private static func checkouts(_ period: Period, _ visit: Visit) async throws -> CheckoutsPart {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let now = try await CheckoutFigures.load(period.days, in: scope, pool)
    let before = try await CheckoutFigures.load(period.before, in: scope, pool)
    let zone = visit.workspace.timeZone
    let start = period.moments(in: zone)
    let carts = try await CartRecovery.load(noticed: start, in: scope, pool)
    let cartsBefore = try await CartRecovery.load(
      noticed: period.before.lowerBound.start(in: zone)..<start.lowerBound, in: scope, pool)
    return CheckoutsPart(
      opened: now.opened, completed: now.completed, failed: now.failed, unpaid: now.unpaid,
      completedBefore: before.completed, failedBefore: before.failed,
      reasons: now.failures.map {
        .init(state: CheckoutState($0.state), reason: $0.reason, checkouts: $0.checkouts)
      }, carts: .init(carts), cartsBefore: .init(cartsBefore))
  }

  private static func credits(
    _ period: Period, _ visit: Visit, _ rates: Rates
  ) async throws -> CreditsPart {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let units = try await CreditUnit.all(in: scope, pool)
    let asked = visit.inbound.query["unit"].flatMap { Int16($0) }
    let unit = units.first { $0.number == asked }?.number ?? 1
    let now = try await CreditFigures.total(period.days, unit: unit, in: scope, pool)
    let before = try await CreditFigures.total(period.before, unit: unit, in: scope, pool)
    let daily = try await CreditFigures.byDay(
      period.before.lowerBound...period.days.upperBound, unit: unit, in: scope, pool)
    let owed = try await CreditLiability.at(period.days.upperBound, unit: unit, in: scope, pool)
    let owedBefore = try await CreditLiability.at(
      period.before.upperBound, unit: unit, in: scope, pool)
    var standing = owedBefore.credits
    let owedDaily = period.days.map { day in
      standing += daily[day]?.owedChange ?? 0
      return standing
    }
    let sources = Set(now.issuedBySource.keys).union(now.usedBySource.keys).map { source in
      CreditsPart.Source(
        source: LotSource(rawValue: source), issued: now.issuedBySource[source] ?? 0,
        used: now.usedBySource[source] ?? 0)
    }.sorted { ($1.issued, $1.used) < ($0.issued, $0.used) }
    return CreditsPart(
      units: units.map(UnitLabel.init), unit: units.label(of: unit), now: .init(now),
      before: .init(before), owed: owed.credits, owedBefore: owedBefore.credits, held: owed.held,
      // The rate is what one of the first unit costs.
      owedCost: unit == 1 ? Money(rates.cost(ofCredits: owed.credits), rates) : nil,
      usedPerDay: period.chart { daily[$0]?.used ?? 0 },
      owedPerDay: DayChart(
        days: period.days.map(\.description), values: owedDaily, shape: .line, ink: .in),
      sources: sources)
  }

  private static func usage(
    _ period: Period, _ visit: Visit, _ rates: Rates, _ bots: [Bot], _ catalog: Catalog
  ) async throws -> UsagePart {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let now = try await UsageFigures.load(period.days, in: scope, pool)
    let before = try await UsageFigures.load(period.before, in: scope, pool)
    let known = Dictionary(uniqueKeysWithValues: bots.map { (String($0.id), $0) })
    let segments = Dictionary(grouping: now.byBot) { known[$0.key]?.segment.rawValue ?? "" }
      .map { segment, parts in
        UsagePart.Segment(
          segment: BotSegment(rawValue: segment),
          row: .init(parts.reduce(.init(key: ""), +), rates, name: ""))
      }
    let slug = visit.workspace.slug
    return UsagePart(
      total: .init(now.total, rates, name: ""), before: .init(before.total, rates, name: ""),
      actions: now.byAction.map {
        .init(
          $0, rates, name: catalog.title(of: $0.key) ?? $0.key, href: Links.action(slug, $0.key))
      },
      bots: now.byBot.map { part in
        .init(
          part, rates, name: known[part.key].map { "@" + $0.username } ?? "",
          href: known[part.key].map { Links.bot(slug, $0.id) })
      },
      segments: segments.sorted { ($1.row.uses, $0.row.name) < ($0.row.uses, $1.row.name) },
      sources: now.bySource.map { .init($0, rates, name: $0.key) })
  }

  private static func customers(
    _ period: Period, _ visit: Visit, _ rates: Rates
  ) async throws -> CustomersPart {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let newcomers = try await NewcomerFigures.bySource(period.days, in: scope, pool)
    let sales = try await SalesFigures.bySource(period.days, in: scope, pool)
    let before = try await SalesFigures.total(period.before, in: scope, pool)
    let newcomersBefore = try await NewcomerFigures.total(period.before, in: scope, pool)
    let window = period.topDays
    let tops = try await CustomerTop.all(days: window, limit: Self.tops, in: scope, pool)
    let people = try await Customer.named(
      tops.values.flatMap { $0.map(\.customerID) }, in: scope, pool)
    func top(_ measure: CustomerTop.Measure) -> [CustomersPart.Top] {
      (tops[measure] ?? []).map { top in
        .init(
          customer: people[top.customerID].map(CustomerLabel.init)
            ?? CustomerLabel(id: top.customerID, name: ""), amount: top.amount)
      }
    }
    let sources = Set(newcomers.keys).union(sales.keys).map { source in
      CustomersPart.Source(
        name: source, newcomers: newcomers[source] ?? 0,
        firstPurchases: sales[source]?.firstPurchases ?? 0, net: sales[source]?.net ?? 0)
    }
    return CustomersPart(
      newcomers: newcomers.values.reduce(0, +), newcomersBefore: newcomersBefore,
      firstPurchases: sales.values.reduce(0) { $0 + $1.firstPurchases },
      firstPurchasesBefore: before.firstPurchases,
      sources: sources.sorted { ($1.newcomers, $0.name) < ($0.newcomers, $1.name) },
      topDays: window, topsCountedAt: tops.values.first?.first?.countedAt,
      byNetStars: top(.netStars), byUse: top(.creditsUsed), byLoss: top(.loss),
      currency: rates.currency)
  }

  private static func subscriptions(
    _ period: Period, _ visit: Visit, _ rates: Rates
  ) async throws -> SubscriptionsPart {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let now = try await SubscriptionFigures.byPlan(period.days, in: scope, pool)
    let before = try await SubscriptionFigures.byPlan(period.before, in: scope, pool)
    let daily = try await SubscriptionFigures.monthlyStars(period.days, in: scope, pool)
    let tiers = try await Tier.all(in: scope, pool)
    return SubscriptionsPart(
      plans: now.map { plan in
        .init(
          key: plan.plan, title: plan.title,
          tier: tiers.first { $0.key == plan.tier }?.title ?? plan.tier, active: plan.active,
          monthlyStars: plan.monthlyStars, activeBefore: plan.activeBefore, started: plan.started,
          renewed: plan.renewed, churned: plan.churned, trialsStarted: plan.trialsStarted,
          trialsConverted: plan.trialsConverted)
      },
      before: .init(
        churned: before.reduce(0) { $0 + $1.churned },
        active: before.reduce(0) { $0 + $1.activeBefore },
        trialsStarted: before.reduce(0) { $0 + $1.trialsStarted },
        trialsConverted: before.reduce(0) { $0 + $1.trialsConverted }),
      monthlyStarsBefore: now.reduce(0) { $0 + $1.monthlyStarsBefore },
      fiat: Money(rates.micros(stars: now.reduce(0) { $0 + $1.monthlyStars }), rates),
      monthlyPerDay: DayChart(
        days: period.days.map(\.description), values: daily, shape: .line, ink: .stars))
  }
}

extension Visit {
  /// The days that the address asks for; 30 days where it asks for none.
  fileprivate func analyticsDays() -> (period: Period, days: AnalyticsView.Days) {
    let query = inbound.query
    let today = Day(scope.now, in: workspace.timeZone)
    let (from, to) = (inbound.words(query["from"]), inbound.words(query["to"]))
    var choice = PeriodChoice(rawValue: query["period"] ?? "") ?? .month
    if !AnalyticsView.periods.contains(choice), choice != .custom { choice = .month }
    let (first, last) = (Day(from), Day(to))
    let isUnreadable =
      choice == .custom && ((first == nil && !from.isEmpty) || (last == nil && !to.isEmpty))
    if isUnreadable { choice = .month }
    let period = Period(.init(choice), today: today, from: first, to: last)
    return (
      period,
      AnalyticsView.Days(
        period: choice, first: period.days.lowerBound.description,
        last: period.days.upperBound.description,
        firstBefore: period.before.lowerBound.description,
        lastBefore: period.before.upperBound.description,
        includesToday: period.days.contains(today), from: from, to: to, isUnreadable: isUnreadable)
    )
  }
}

extension Period {
  /// The window of ``CustomerTop`` that shows most of these days.
  fileprivate var topDays: Int {
    switch choice {
    case .today, .day: 1
    case .week: 7
    case .month: 30
    case .quarter: 90
    case .custom: 0
    }
  }

  /// Its days beside those before.
  fileprivate func chart(ink: DayChart.Ink = .use, _ amount: (Day) -> Int64) -> DayChart {
    DayChart(
      days: days.map(\.description), values: days.map(amount), before: before.map(amount), ink: ink)
  }
}

extension CreditsPart.Sums {
  fileprivate init(_ figures: CreditFigures) {
    self.init(
      issued: figures.issued, used: figures.used, expired: figures.expired,
      takenBack: figures.takenBack)
  }
}

extension CheckoutsPart.Carts {
  fileprivate init(_ recovery: CartRecovery) {
    self.init(
      carts: recovery.carts, recovered: recovery.recovered,
      recoveredAfterReminder: recovery.recoveredAfterReminder, stars: recovery.stars)
  }
}

extension UsagePart.Row {
  fileprivate init(
    _ part: UsageFigures.Part, _ rates: Rates, name: String, href: String? = nil
  ) {
    self.init(
      name: name, href: href, uses: part.uses, units: part.units, credits: part.credits,
      earned: Money(rates.micros(starMicros: part.starMicros), rates),
      cost: part.cost(at: rates).map { Money($0, rates) })
  }
}
