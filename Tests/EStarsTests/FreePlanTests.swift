@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Testing

/// The free plan's credits, month by month, on days that a test chooses.
@Suite struct FreePlanTests {
  private static let joined = "2027-01-20"

  /// How many days from now it is noon in Greenwich on that day.
  private func days(_ day: String) throws -> Double {
    try Date("\(day)T12:00:00Z", strategy: .iso8601).timeIntervalSinceNow / 86_400
  }

  /// A plan that was made on 10 January and keeps 20 credits of a month for the next one.
  private func withPlan(
    customers: [Int64], _ body: @Sendable (SubscriptionFixture) async throws -> Void
  ) async throws {
    try await Fixture.with { fixture in
      let made = try Date("2027-01-10T12:00:00Z", strategy: .iso8601)
      let fixture = SubscriptionFixture(fixture: fixture, start: Date())
      try await fixture.fixture.database.superPool.execute(
        """
        update plans set rollover_cap_credits = 20, created_at = \(made)
        where workspace_id = \(fixture.scope().workspaceID) and plan = 'free'
        """)
      for user in customers { try await join(user, on: Self.joined, fixture) }
      try await body(fixture)
    }
  }

  @discardableResult
  private func join(
    _ user: Int64, on day: String, _ fixture: SubscriptionFixture
  ) async throws -> Int64 {
    let scope = fixture.scope(try days(day))
    return try await fixture.pool.transaction(in: scope) { tx in
      try await tx.customer(telegramID: user, name: nil, in: scope, at: scope.now).id
    }
  }

  @discardableResult
  private func give(on day: String, _ fixture: SubscriptionFixture) async throws -> Job.Outcome {
    try await Worker(platform: fixture.fixture.platform).giveFreePlan(
      in: fixture.scope(try days(day)))
  }

  private func balance(
    _ user: Int64, on day: String, _ fixture: SubscriptionFixture
  ) async throws -> Int64 {
    try await fixture.balance(user, try days(day))
  }

  @Test func itGivesOnceAMonthToThoseWhoAreSeenAndHaveNoOther() async throws {
    try await withPlan(customers: [91, 92]) { fixture in
      try await join(93, on: "2026-12-01", fixture)
      // The month in which the plan was made gives nothing.
      try await give(on: "2027-01-25", fixture)
      #expect(try await balance(91, on: "2027-01-25", fixture) == 0)
      let bought = try days("2027-01-25")
      let sale = try await fixture.checkout("pro", for: 92, days: bought)
      try await fixture.pay(
        sale, from: 92, update: 1, charge: "f1", days: bought, isFirst: true)
      for _ in 0..<2 { try await give(on: "2027-02-05", fixture) }
      #expect(try await balance(91, on: "2027-02-05", fixture) == 50)
      #expect(try await balance(92, on: "2027-02-05", fixture) == 500)
      #expect(try await balance(93, on: "2027-02-05", fixture) == 0)
      try await fixture.expectSound()
    }
  }

  @Test func whoWasErasedGetsNothing() async throws {
    try await withPlan(customers: [91]) { fixture in
      let scope = fixture.scope(try days("2027-02-01"))
      let customer = try #require(
        try await Customer.find(telegramID: 91, in: scope, fixture.pool))
      try await Customer.erase(
        customer.id, by: Actor(.operator, "o@example.com"), in: scope, fixture.pool)
      try await give(on: "2027-02-01", fixture)
      let balance = try await Balance.of(customer: customer.id, in: scope, fixture.pool)
      #expect(balance.available == 0)
    }
  }

  @Test func whatIsLeftOfAMonthGoesOverUpToTheCapAndNoFurther() async throws {
    try await withPlan(customers: [91]) { fixture in
      try await give(on: "2027-02-01", fixture)
      #expect(try await balance(91, on: "2027-02-28", fixture) == 50)
      // Before the job has run, what went over is all there is.
      #expect(try await balance(91, on: "2027-03-01", fixture) == 20)
      try await give(on: "2027-03-05", fixture)
      #expect(try await balance(91, on: "2027-03-05", fixture) == 70)
      // Seen again, or the plan would stop.
      try await fixture.pool.execute(
        "update customers set last_seen_at = '2027-03-30'", in: fixture.scope())
      // Nothing was used in March: of its credits the cap goes over, of February's nothing.
      try await give(on: "2027-04-02", fixture)
      #expect(try await balance(91, on: "2027-04-02", fixture) == 70)
      #expect(try await balance(91, on: "2027-05-02", fixture) == 20)
      try await fixture.expectSound()
    }
  }

  @Test func oneAccountThatTakesNothingHoldsUpNobody() async throws {
    try await withPlan(customers: [94, 95, 96]) { fixture in
      let scope = fixture.scope(try days(Self.joined))
      func customer(_ user: Int64) async throws -> Int64 {
        try #require(try await Customer.find(telegramID: user, in: scope, fixture.pool)).id
      }
      // One account is full, and one has an entry where the month's is to be.
      let (full, taken) = (try await customer(94), try await customer(95))
      func credit(
        _ account: Int64, _ key: String, expiresIn days: Double
      ) async throws -> PostingStatus {
        let grant = Grant(
          1, source: .goodwill, expiresAt: scope.now.addingTimeInterval(days * 86_400))
        return try await fixture.pool.transaction(in: scope) { tx in
          try await tx.credit(grant, to: Account(account), key: key, in: scope, at: scope.now)
            .status
        }
      }
      for number in 0..<64 {
        let status = try await credit(full, "test:\(number)", expiresIn: 400 + Double(number))
        #expect(status == .applied)
      }
      #expect(try await credit(full, "test:64", expiresIn: 30) == .lotLimit)
      #expect(try await credit(taken, "job:free:\(taken):2027-02-01", expiresIn: 400) == .applied)
      #expect(try await give(on: "2027-02-05", fixture) == .done)
      #expect(try await balance(94, on: "2027-02-05", fixture) == 64)
      #expect(try await balance(95, on: "2027-02-05", fixture) == 1)
      #expect(try await balance(96, on: "2027-02-05", fixture) == 50)
      // The full one has had its turn; the other one is tried again.
      let waiting = try await fixture.pool.query(
        "select telegram_id from customers where free_plan_month is null", in: scope)
      #expect(try waiting.map { try $0.get("telegram_id", as: Int64.self) } == [95])

      // A full account may try a plan's features, and a plan's credits reach everybody else.
      let later = fixture.scope(try days("2027-02-06"))
      for user in [Int64(94), 96] {
        let trial = try await Subscription.startTrial(
          TrialStart(telegramID: user, plan: "pro", idempotencyKey: "trial-\(user)"),
          with: fixture.fixture.bot, by: Actor(.bot, "@shop_bot"), in: later, fixture.pool
        ).subscription
        #expect(trial.state == .trial)
        #expect(try await fixture.access(user, try days("2027-02-07")).count == 3)
      }
      #expect(try await balance(94, on: "2027-02-07", fixture) == 64)
      #expect(try await balance(96, on: "2027-02-07", fixture) == 100)
      try await fixture.expectSound()
    }
  }
}
