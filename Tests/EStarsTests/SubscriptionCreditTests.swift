@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// What a subscriber may use: credits that were held meanwhile, and the quotas of the plan's tier.
@Suite struct SubscriptionCreditTests {
  @Test func whatWasHeldOverARenewalIsCarriedASecondTime() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 96)
      try await fixture.pay(sale, from: 96, update: 1, charge: "k1", days: 0, isFirst: true)
      let usage = fixture.fixture.platform.usage
      let held = try await usage.hold(
        HoldRequest(
          check: CheckRequest(telegramID: 96, action: "sticker", units: 100), ref: nil,
          seconds: Limits.longestHoldSeconds, idempotencyKey: "held",
          botID: fixture.fixture.bot.id), in: fixture.scope(29.9))
      let hold = try #require(held.hold?.id)
      try await fixture.pay(sale, from: 96, update: 2, charge: "k2", days: 30)
      // Of the 400 that were not held, 250 went over.
      #expect(try await fixture.balance(96, 30.1) == 750)
      let released = try await usage.release(
        hold: hold, key: "released", in: fixture.scope(30.5))
      #expect(released.status == .applied)
      #expect(try await fixture.balance(96, 30.6) == 850)
      // An upgrade carries all there is, from the first charge's lot once more.
      let upgrade = try await fixture.checkout("premium", for: 96, days: 31)
      try await fixture.pay(
        upgrade, from: 96, update: 3, charge: "k3", days: 31, isFirst: true)
      #expect(
        try await fixture.fixture.count(
          "select count(*) from updates where state <> 'processed'") == 0)
      #expect(try await fixture.balance(96, 31.1) == 2850)
      #expect(
        try await fixture.fixture.count(
          "select count(*) from lots where charge_id = 'k1' and carried_from is not null") > 1)
      // It lives as long as the new cycle and its grace, not as long as the old one.
      #expect(try await fixture.balance(96, 67.9) == 2850)
      #expect(try await fixture.balance(96, 68.1) == 0)
      try await fixture.expectSound()
    }
  }

  @Test func aSubscribersQuotasAreThePlansUntilItIsOver() async throws {
    try await SubscriptionFixture.with { fixture in
      func use(_ units: Int64, _ days: Double) async throws -> UsageAnswer {
        try await fixture.fixture.debit(
          97, "stem_separation", units, key: UUID().uuidString,
          at: fixture.start.addingTimeInterval(days * 86_400))
      }
      let sale = try await fixture.checkout("pro", for: 97)
      try await fixture.pay(sale, from: 97, update: 1, charge: "q1", days: 0, isFirst: true)
      // Twenty a month, of which the first five cost nothing.
      let free = try await use(5, 0.001)
      #expect(free.status == .applied && free.freeUnits == 5 && free.cost == 0)
      let paid = try await use(15, 0.001)
      #expect(paid.status == .applied && paid.freeUnits == 0 && paid.cost == 30)
      let over = try await use(1, 0.001)
      #expect(over.status == .quotaExceeded)
      #expect(over.quota?.period == .month && over.quota?.limit == 20 && over.quota?.used == 20)
      // The next month has its own, as long as the plan's grace lasts.
      try await fixture.age(31.5)
      #expect(try await fixture.subscription(of: 97).state == .grace)
      #expect(try await use(4, 31.5).freeUnits == 4)
      // Then the rule for everybody: three a month, and none of them for nothing.
      try await fixture.age(37.5)
      #expect(try await fixture.subscription(of: 97).state == .expired)
      let ended = try await use(1, 63.5)
      #expect(ended.status == .insufficient && ended.cost == 2)
      let scope = fixture.scope(63.4)
      let customer = try #require(
        try await Customer.find(telegramID: 97, in: scope, fixture.pool)
      ).id
      try await fixture.pool.transaction(in: scope) { tx in
        let gift = try await tx.credit(
          Grant(100, source: .promo), to: Account(customer), key: "test:gift",
          in: scope, at: scope.now)
        #expect(gift.status == .applied)
      }
      #expect(try await use(4, 63.5).status == .quotaExceeded)
      let last = try await use(3, 63.5)
      #expect(last.status == .applied && last.freeUnits == 0 && last.cost == 6)
      let full = try await use(1, 63.5)
      #expect(full.status == .quotaExceeded && full.quota?.limit == 3)
      try await fixture.expectSound()
    }
  }
}
