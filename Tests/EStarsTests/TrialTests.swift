@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// Credits for nothing: to whom, how many a day, and each decision with its factors.
@Suite struct TrialTests {
  private func decide(
    _ fixture: Fixture, _ user: Int64, _ key: String = UUID().uuidString, engagement: Int = 8,
    intent: Int = 8, source: String = "", at: Date? = nil
  ) async throws -> TrialGrant {
    let request = TrialRequest(
      telegramID: user, engagement: engagement, intent: intent, source: source, idempotencyKey: key)
    return try await fixture.pool.transaction(in: fixture.scope) { tx in
      try await tx.decideTrial(
        request, with: fixture.bot, in: fixture.scope, at: at ?? fixture.scope.now)
    }.grant
  }

  private func set(_ fixture: Fixture, _ change: SQL) async throws {
    try await fixture.pool.execute(
      "update workspaces set \(change) where workspace_id = \(fixture.workspace.id)")
  }

  @Test func anUnknownUserGetsOneAndNoSecondWhileItLasts() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      #expect(try await TrialPolicy.load(in: fixture.scope, fixture.pool) == .initial)
      let first = try await decide(fixture, 91, "a")
      #expect(first.outcome == .granted && first.credits == 1 && first.givenToday == 0)
      #expect(first.score == 16 && first.minScore == 12 && !first.isPaidSource)
      #expect(try await fixture.balance(91) == 1)
      let second = try await decide(fixture, 91, "b")
      #expect(second.outcome == .hasCredits && second.balance == 1 && second.credits == 0)
      // The same request again is the same decision, and nothing moves.
      #expect(try await decide(fixture, 91, "a") == first)
      #expect(try await fixture.count("select count(*) from trial_grants") == 2)
      #expect(try await fixture.balance(91) == 1)
      await #expect(throws: Checkout.Refusal.keyReused) {
        _ = try await decide(fixture, 92, "a")
      }
      #expect(try await fixture.count("select count(*) from customers where telegram_id = 92") == 0)
    }
  }

  @Test func heldCreditsAreCreditsToo() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let first = try await decide(fixture, 91)
      _ = try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.hold(
          Debit(1, key: "api:h"), from: Account(first.customerID),
          until: fixture.scope.now.addingTimeInterval(60), in: fixture.scope, at: fixture.scope.now)
      }
      #expect(try await fixture.balance(91) == 0)
      let second = try await decide(fixture, 91)
      #expect(second.outcome == .hasCredits && second.balance == 0 && second.held == 1)
    }
  }

  @Test func whoeverBoughtGetsNoneEvenAfterTheRefund() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let sale = try await fixture.checkout("start", for: 93)
      let payload = sale.payload ?? ""
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 93, stars: 75, payload: payload, charge: "t1"))
      _ = try await fixture.receive(
        Sent.refund(update: 2, payer: 93, stars: 75, payload: payload, charge: "t1"))
      #expect(try await fixture.balance(93) == 0)
      #expect(try await decide(fixture, 93).outcome == .hasPurchased)
    }
  }

  @Test func aPaidSourcePassesMoreEasily() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let organic = try await decide(fixture, 91, engagement: 4, intent: 4, source: "friend")
      #expect(organic.outcome == .scoreTooLow && organic.score == 8)
      let paid = try await decide(fixture, 92, engagement: 4, intent: 4, source: "Yandex")
      #expect(paid.outcome == .granted && paid.isPaidSource && paid.score == 13)
      try await set(fixture, "trial_paid_bonus = 3")
      let poorer = try await decide(fixture, 93, engagement: 4, intent: 4, source: "google")
      #expect(poorer.outcome == .scoreTooLow && poorer.score == 11)
    }
  }

  @Test func sixtyFourCallersOfOneDayGetExactlyTwenty() async throws {
    try await Fixture.with(maxConnections: 12) { (fixture: Fixture) async throws -> Void in
      let grants = try await withThrowingTaskGroup(of: TrialGrant.self) { group in
        for user in 0..<64 {
          group.addTask { try await decide(fixture, 1000 + Int64(user)) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(grants.count { $0.outcome == .granted } == 20)
      #expect(grants.count { $0.outcome == .dailyLimit } == 44)
      // Each one that was granted saw another number of credits given before.
      let seen = grants.filter { $0.outcome == .granted }.map(\.givenToday).sorted()
      #expect(seen == Array(0..<20))
      #expect(
        try await fixture.count(
          "select coalesce(sum(amount), 0)::bigint as count from lots where source = 'trial'") == 20
      )
      #expect(try await fixture.count("select credits as count from trial_days") == 20)
    }
  }

  @Test func oneCustomerAskedForManyTimesAtOnceGetsOne() async throws {
    try await Fixture.with(maxConnections: 12) { (fixture: Fixture) async throws -> Void in
      let grants = try await withThrowingTaskGroup(of: TrialGrant.self) { group in
        for _ in 0..<24 { group.addTask { try await decide(fixture, 95) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(grants.count { $0.outcome == .granted } == 1)
      #expect(grants.count { $0.outcome == .hasCredits } == 23)
      #expect(try await fixture.balance(95) == 1)
    }
  }

  /// A grant of three does not fit into the two that are left.
  @Test func theLimitCountsCreditsInDaysOfTheWorkspace() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      try await set(
        fixture,
        """
        trial_credits = 3, trial_credits_per_day = 5, time_zone = 'America/Sao_Paulo'
        """)
      // 23:30 and 00:30 in São Paulo, which is one day of UTC.
      let late = try Date("2026-11-10T02:30:00Z", strategy: .iso8601)
      #expect(try await decide(fixture, 91, at: late).outcome == .granted)
      let full = try await decide(fixture, 92, at: late.addingTimeInterval(60))
      #expect(full.outcome == .dailyLimit && full.givenToday == 3 && full.dailyLimit == 5)
      let next = try await decide(fixture, 93, at: late.addingTimeInterval(3600))
      #expect(next.outcome == .granted && next.givenToday == 0)
    }
  }
}
