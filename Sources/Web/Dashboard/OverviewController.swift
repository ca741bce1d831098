import EStars
import Foundation

/// The workspace in one glance.
enum OverviewController {
  private static let recentCount = 8

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    async let overview = Overview.load(of: visit.workspace, in: scope, pool)
    async let payments = Payment.recent(before: nil, limit: recentCount, in: scope, pool)
    async let movements = Timeline.recent(recentCount, in: scope, pool)
    let catalog = try await visit.platform.directory.catalog(of: visit.workspace.id)
    let (numbers, paid, moved) = (try await overview, try await payments, try await movements)
    let people = try await Customer.named(
      paid.map(\.customerID) + moved.map(\.accountID), in: scope, pool)
    let view = OverviewView(
      customers: numbers.customers, payingCustomers: numbers.payingCustomers,
      starsReceived30Days: numbers.starsReceived, starsRefunded30Days: numbers.starsRefunded,
      creditsIssued30Days: numbers.creditsIssued, creditsUsed30Days: numbers.creditsUsed,
      unspentCredits: numbers.unspentCredits, openInboxProblems: numbers.openUpdates,
      waitingRefunds: numbers.waitingRefunds,
      lastVerification: numbers.verification.map {
        .init(at: $0.at, entries: $0.entries, problems: $0.problems)
      },
      recentPayments: paid.map { PaymentRow($0, people[$0.customerID]) },
      recentActivity: moved.map { StripRow($0, catalog, customer: people[$0.accountID]) },
      usedPerDay: numbers.usedPerDay.map { DayAmount(isoDay: $0.day, amount: $0.used) })
    return try await visit.page(view.render)
  }
}
