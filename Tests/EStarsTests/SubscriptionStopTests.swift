@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// A renewal that we have stopped, and one that may still come.
@Suite struct SubscriptionStopTests {
  private static let manager = Actor(.operator, "manager@example.com")

  /// A subscription whose renewal an operator has stopped, by Telegram's own word.
  private func stopped(
    _ user: Int64, _ fixture: SubscriptionFixture
  ) async throws -> (sale: Checkout, id: Int64) {
    let sale = try await fixture.checkout("pro", for: user)
    try await fixture.pay(
      sale, from: user, update: user * 100 + 1, charge: "s\(user)-1", days: 0, isFirst: true)
    let id = try await fixture.subscription(of: user).id
    _ = try await Subscription.cancel(id, by: Self.manager, in: fixture.scope(1), fixture.pool)
    try await fixture.tell(
      "canceled", of: sale, from: user, update: user * 100 + 2, arrives: 1)
    let subscription = try await fixture.subscription(of: user)
    #expect(subscription.renewal == .off && subscription.renewalEndedBy == .operator)
    return (sale, id)
  }

  private func allow(_ id: Int64, _ fixture: SubscriptionFixture) async throws {
    let asked = try await Subscription.allow(
      id, by: Self.manager, in: fixture.scope(2), fixture.pool)
    #expect(asked.wish == .allow && asked.renewal == .off)
  }

  @Test func wordThatItIsOnCountsOnceWeHaveAskedForIt() async throws {
    try await SubscriptionFixture.with { fixture in
      let (sale, id) = try await stopped(71, fixture)
      let stale = try await fixture.tell(
        "active", of: sale, from: 71, update: 7103, arrives: 1.5)
      #expect(
        stale == .stored(outcome: "subscription.stale", paymentID: nil, isDuplicate: false))
      #expect(try await fixture.subscription(of: 71).renewal == .off)
      try await allow(id, fixture)
      // Telegram's word is faster than its answer to our call.
      let heard = try await fixture.tell(
        "active", of: sale, from: 71, update: 7104, arrives: 2.5)
      #expect(
        heard == .stored(outcome: "subscription.recorded", paymentID: nil, isDuplicate: false))
      let on = try await fixture.subscription(of: 71)
      #expect(on.renewal == .on && on.renewalEndedBy == nil)
      #expect(try await fixture.monthlyStars() == 2000)
      #expect(try await fixture.changes(on) == [.subscribe, .cancel, .reenable])
    }
  }

  @Test func aRenewalThatArrivesAfterOurStopGivesItsCycleAndStaysTheLast() async throws {
    try await SubscriptionFixture.with { fixture in
      let (sale, _) = try await stopped(72, fixture)
      try await fixture.pay(sale, from: 72, update: 7203, charge: "s72-2", days: 30)
      let renewed = try await fixture.subscription(of: 72)
      #expect(renewed.state == .active && renewed.renewal == .off && renewed.wish == nil)
      #expect(renewed.renewalEndedBy == .operator)
      #expect(
        abs(renewed.periodEndsAt.timeIntervalSince(fixture.start) - 60 * 86_400) < 2)
      #expect(try await fixture.balance(72, 30.1) == 750)
      #expect(try await fixture.access(72, 59).count == 3)
      #expect(try await fixture.monthlyStars() == 0)
      try await fixture.age(60.1)
      #expect(try await fixture.subscription(of: 72).state == .grace)
      try await fixture.age(67.1)
      let over = try await fixture.subscription(of: 72)
      #expect(over.state == .expired)
      #expect(try await fixture.changes(over) == [.subscribe, .cancel, .renew, .grace, .expire])
      try await fixture.expectSound()
    }
  }

  @Test func aPaymentSwitchesOnWhatWeHaveAllowedAgain() async throws {
    try await SubscriptionFixture.with { fixture in
      let (sale, id) = try await stopped(73, fixture)
      try await allow(id, fixture)
      try await fixture.pay(sale, from: 73, update: 7303, charge: "s73-2", days: 30)
      #expect(try await fixture.subscription(of: 73).renewal == .on)
      #expect(try await fixture.monthlyStars() == 2000)
    }
  }

  private func reminders(_ fixture: SubscriptionFixture) async throws -> [String] {
    try await fixture.pool.query(
      "select subject from jobs where kind = 'subscription.remind' order by subject"
    ).map { try $0.get("subject") }
  }

  @Test func aSuspendedBusinessTellsOfTheEndAndSellsNothing() async throws {
    try await SubscriptionFixture.with { fixture in
      _ = try await stopped(76, fixture)
      try await fixture.fixture.workspace.suspend(
        reason: "why", by: Actor(.admin, "admin@example.com"), at: Date(),
        fixture.fixture.platform)
      try await fixture.age(27.5)
      let subject = try #require(try await reminders(fixture).first)
      #expect(
        try await SubscriptionReminder(platform: fixture.fixture.platform).remind(
          subject, attempts: 1, in: fixture.scope(27.5)) == .done)
      let said = try await fixture.pool.query(
        "select * from outgoing_messages where kind = 'subscription.ending'", in: fixture.scope()
      ).map(OutgoingMessage.init)
      #expect(said.count == 1 && said.allSatisfy { $0.button == nil })
      #expect(try await fixture.fixture.count("select count(*) from checkouts") == 1)
    }
  }

  @Test func nobodyIsAskedToPayAgainWhileARenewalMayBeOnItsWay() async throws {
    try await SubscriptionFixture.with { fixture in
      var sales: [Int64: Checkout] = [:]
      for user in [Int64(74), 75] {
        let sale = try await fixture.checkout("pro", for: user)
        try await fixture.pay(
          sale, from: user, update: user * 100, charge: "s\(user)", days: 0, isFirst: true)
        sales[user] = sale
      }
      // What renews by itself needs no word before its end.
      try await fixture.age(29.5)
      #expect(try await reminders(fixture) == [])
      let failed = try #require(sales[75])
      try await fixture.tell("failed", of: failed, from: 75, update: 7501, arrives: 30)
      try await fixture.age(30.5)
      let (silent, refused) = (
        try await fixture.subscription(of: 74), try await fixture.subscription(of: 75)
      )
      #expect(silent.state == .grace && silent.renewal == .on)
      #expect(refused.state == .grace && refused.renewal == .failed)
      // Who had too few Stars is told at once; of the other one Telegram may still tell.
      #expect(try await reminders(fixture).map { $0.hasPrefix("\(refused.id):grace:") } == [true])
      try await fixture.age(31.1)
      let subjects = try await reminders(fixture)
      #expect(subjects.count == 2)
      for subject in subjects {
        #expect(
          try await SubscriptionReminder(platform: fixture.fixture.platform).remind(
            subject, attempts: 1, in: fixture.scope(31.1)) == .done)
      }
      // Either may still be renewed, so neither is offered a second subscription.
      let said = try await fixture.pool.query(
        "select * from outgoing_messages where kind = 'subscription.grace'", in: fixture.scope()
      ).map(OutgoingMessage.init)
      #expect(said.count == 2 && said.allSatisfy { $0.button == nil })
      #expect(try await fixture.fixture.count("select count(*) from checkouts") == 2)
      // Nor told twice.
      try await fixture.pool.execute("delete from jobs where kind = 'subscription.remind'")
      try await fixture.age(32)
      #expect(try await reminders(fixture) == [])
    }
  }
}
