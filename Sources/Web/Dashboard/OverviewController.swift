import EStars
import Foundation

/// The workspace in one glance.
enum OverviewController {
  private static let recentCount = 8

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let choice =
      PeriodChoice(rawValue: visit.inbound.query["period"] ?? "")
      .flatMap { OverviewView.periods.contains($0) ? $0 : nil } ?? .week
    let today = Day(scope.now, in: visit.workspace.timeZone)
    let standing = try await Rollup(visit.platform).catchUp(in: scope)
    async let overview = Overview.load(
      Period(.init(choice), today: today), of: visit.workspace, in: scope, pool)
    async let payments = Payment.recent(before: nil, limit: recentCount, in: scope, pool)
    async let movements = Timeline.recent(recentCount, in: scope, pool)
    async let rates = Rates.of(scope, pool)
    async let units = CreditUnit.all(in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let (numbers, paid, moved) = (try await overview, try await payments, try await movements)
    let people = try await Customer.named(
      paid.map(\.customerID) + moved.map(\.accountID), in: scope, pool)
    let rate = try await rates
    let days = numbers.days.map(\.description)
    let health = numbers.health
    let view = OverviewView(
      period: choice, standing: .init(standing), now: .init(numbers.now),
      before: .init(numbers.before), fiat: Money(rate.micros(stars: numbers.now.net), rate),
      owed: numbers.liability.credits,
      owedCost: Money(rate.cost(ofCredits: numbers.liability.credits), rate),
      customers: numbers.customers, payingCustomers: numbers.payingCustomers,
      newcomers: numbers.newcomers,
      unit: try await units.count > 1 ? try await units.label(of: Overview.unit) : nil,
      openInboxProblems: health.openUpdates,
      waitingRefunds: health.waitingRefunds, openCases: Int64(health.openCases),
      lastVerification: health.verification.map {
        .init(at: $0.at, entries: $0.entries, problems: $0.problems)
      },
      netPerDay: DayChart(
        days: days, values: numbers.netPerDay.now, before: numbers.netPerDay.before, ink: .stars),
      usedPerDay: DayChart(
        days: days, values: numbers.usedPerDay.now, before: numbers.usedPerDay.before),
      products: numbers.products.map { SalesPart.Product($0, rate) },
      recentPayments: paid.map { PaymentRow($0, people[$0.customerID]) },
      recentActivity: moved.map { StripRow($0, catalog, customer: people[$0.accountID]) },
      firstSteps: try await visit.firstSteps())
    return try await visit.page(view.render)
  }
}

extension Visit {
  /// nil where there is nobody to remind of them, or nothing left to do.
  fileprivate func firstSteps() async throws -> OverviewView.FirstSteps? {
    guard membership.role == .owner, !workspace.isOnboarded else { return nil }
    let onboarding = try await onboarding()
    return onboarding.isFinished
      ? nil : .init(done: onboarding.doneSteps, all: Onboarding.Step.allCases.count)
  }
}

extension Period.Choice {
  init(_ choice: PeriodChoice) { self = Period.Choice(rawValue: choice.rawValue) ?? .week }
}

extension AnalyticsView.Standing {
  init(_ standing: Rollup.Standing) {
    self.init(isCurrent: standing.isCurrent, countedUntil: standing.countedUntil)
  }
}

extension OverviewView.Sums {
  fileprivate init(_ sums: Overview.Sums) {
    self.init(
      payments: sums.payments, stars: sums.stars, starsRefunded: sums.starsRefunded,
      creditsIssued: sums.creditsIssued, creditsUsed: sums.creditsUsed,
      creditsExpired: sums.creditsExpired)
  }
}

extension SalesPart.Sums {
  init(_ figures: SalesFigures) {
    self.init(
      payments: figures.payments, stars: figures.stars, refunds: figures.refunds,
      starsRefunded: figures.starsRefunded)
  }
}

extension SalesPart.Product {
  init(_ product: SalesFigures.OfProduct, _ rates: Rates) {
    self.init(
      title: product.title, sku: product.sku, isPlan: product.product == .plan,
      sums: .init(product.figures), fiat: Money(rates.micros(stars: product.figures.net), rates))
  }
}
