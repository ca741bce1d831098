import Foundation
import Ledger
import Postgres

/// The workspace at a glance: some days beside the days before, what waits for a person, and how far
/// the books were checked.
public struct Overview: Sendable {
  /// What moved. Credits of the first unit.
  public struct Sums: Sendable, Equatable {
    public let payments: Int64
    public let stars: Int64
    public let starsRefunded: Int64
    public let creditsIssued: Int64
    public let creditsUsed: Int64
    public let creditsExpired: Int64

    public var net: Int64 { stars - starsRefunded }
  }

  public let now: Sums
  public let before: Sums
  public let liability: CreditLiability
  public let customers: Int64
  public let payingCustomers: Int64
  /// Customers who were seen for the first time; nil: nobody counted them for this time.
  public let newcomers: Int64?
  /// Of each of ``days``, and of as many days before them.
  public let netPerDay: (now: [Int64], before: [Int64])
  public let usedPerDay: (now: [Int64], before: [Int64])
  public let days: ClosedRange<Day>
  /// Empty, too, where nobody counted them for this time.
  public let products: [SalesFigures.OfProduct]
  public let health: Health

  /// What waits for a person.
  public struct Health: Sendable, Equatable {
    /// Updates that wait in the inbox or were given up.
    public let openUpdates: Int64
    /// Refund cases that need a person.
    public let waitingRefunds: Int64
    /// Support cases in which the next word is ours.
    public let openCases: Int
    public let verification: Verification?
  }

  public struct Verification: Sendable, Equatable {
    public let at: Date
    public let entries: Int64
    public let problems: Int64
  }

  /// Days that a chart shows where the period itself has fewer.
  static let chartDays = 14
  /// The credits that a workspace begins with. Analytics shows the others.
  public static let unit: Int16 = 1
  private static let products = 5

  public static func load(
    _ period: Period, of workspace: Workspace, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Overview {
    let today = Day(scope.now, in: workspace.timeZone)
    let days =
      period.days.count < 7 ? today.advanced(by: 1 - chartDays)...today : period.days
    let both = days.before.lowerBound...days.upperBound
    async let now = sums(period, in: scope, pool)
    async let before = sumsBefore(period, today: today, of: workspace, in: scope, pool)
    async let ever = SalesFigures.total(nil, in: scope, pool)
    async let known = NewcomerFigures.total(nil, in: scope, pool)
    // They are counted by the day, and 24 hours are no days.
    let counted = period.choice == .day ? nil : period.days
    async let newcomers = newcomers(counted, in: scope, pool)
    async let liability = CreditLiability.at(today, unit: unit, in: scope, pool)
    async let sales = SalesFigures.byDay(both, in: scope, pool)
    async let credits = CreditFigures.byDay(both, unit: unit, in: scope, pool)
    async let products = bestSellers(counted, in: scope, pool)
    async let health = Health.load(in: scope, pool)
    let (sold, used) = (try await sales, try await credits)
    return Overview(
      now: try await now, before: try await before, liability: try await liability,
      customers: try await known, payingCustomers: try await ever.firstPurchases,
      newcomers: try await newcomers,
      netPerDay: (days.map { sold[$0]?.net ?? 0 }, days.before.map { sold[$0]?.net ?? 0 }),
      usedPerDay: (days.map { used[$0]?.used ?? 0 }, days.before.map { used[$0]?.used ?? 0 }),
      days: days, products: try await products, health: try await health)
  }

  private static func newcomers(
    _ days: ClosedRange<Day>?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64? {
    guard let days else { return nil }
    return try await NewcomerFigures.total(days, in: scope, pool)
  }

  private static func bestSellers(
    _ days: ClosedRange<Day>?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [SalesFigures.OfProduct] {
    guard let days else { return [] }
    return try await SalesFigures.byProduct(days, limit: products, in: scope, pool)
  }

  private static func sums(
    _ period: Period, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Sums {
    if period.choice == .day {
      return Sums(try await HourFigures.total(lastHours(of: scope.now), in: scope, pool))
    }
    return try await sums(period.days, in: scope, pool)
  }

  private static func sums(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Sums {
    async let sales = SalesFigures.total(days, in: scope, pool)
    async let credits = CreditFigures.total(days, unit: unit, in: scope, pool)
    let (sold, moved) = (try await sales, try await credits)
    return Sums(
      payments: sold.payments, stars: sold.stars, starsRefunded: sold.starsRefunded,
      creditsIssued: moved.issued, creditsUsed: moved.used, creditsExpired: moved.expired)
  }

  /// A day that is not over is compared with the day before until the same hour.
  private static func sumsBefore(
    _ period: Period, today: Day, of workspace: Workspace, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Sums {
    let day = 86_400.0
    switch period.choice {
    case .day:
      let hours = lastHours(of: scope.now)
      let before = (hours.lowerBound - day)..<(hours.upperBound - day)
      return Sums(try await HourFigures.total(before, in: scope, pool))
    case .today:
      let start = today.advanced(by: -1).start(in: workspace.timeZone)
      let hours = start..<max(start, scope.now - day)
      return Sums(try await HourFigures.total(hours, in: scope, pool))
    default: return try await sums(period.before, in: scope, pool)
    }
  }

  /// The hour that runs and the 23 before it.
  private static func lastHours(of now: Date) -> Range<Date> {
    let hour = 3_600.0
    let end = Date(
      timeIntervalSince1970: ((now.timeIntervalSince1970 / hour).rounded(.down) + 1) * hour)
    return (end - 24 * hour)..<end
  }
}

extension Overview.Sums {
  fileprivate init(_ hours: HourFigures) {
    self.init(
      payments: hours.payments, stars: hours.stars, starsRefunded: hours.starsRefunded,
      creditsIssued: hours.creditsIssued, creditsUsed: hours.creditsUsed,
      creditsExpired: hours.creditsExpired)
  }
}

extension Overview.Health {
  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> Self {
    let id = scope.workspaceID
    let row = try await pool.query(
      """
      select
        (select count(*) from refunds
          where workspace_id = \(id) and \(Refund.needsPerson(at: scope.now))) as waiting_refunds,
        (select count(*) from updates where workspace_id = \(id) and state = 'pending')
          + (select count(*) from updates where workspace_id = \(id) and state = 'failed')
          as open_updates
      """, in: scope)[0]
    return Overview.Health(
      openUpdates: try row.get("open_updates"), waitingRefunds: try row.get("waiting_refunds"),
      openCases: try await SupportCase.openCount(in: scope, pool),
      verification: try await Overview.Verification.latest(in: scope, pool))
  }
}

extension Overview.Verification {
  static func latest(in scope: WorkspaceScope, _ pool: Pool) async throws -> Self? {
    try await pool.query(
      """
      select verified_at, entry_count, problem_count from ledger_verifications
      where workspace_id = \(scope.workspaceID) order by verified_at desc limit 1
      """, in: scope
    ).first.map {
      Overview.Verification(
        at: try $0.get("verified_at"), entries: try $0.get("entry_count"),
        problems: try $0.get("problem_count"))
    }
  }
}
