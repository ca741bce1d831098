@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import Testing

/// What becomes of subscriptions by time, by operators and by odd payments.
@Suite struct SubscriptionTests {
  private static let bot = Actor(.bot, "@shop_bot")
  private static let manager = Actor(.operator, "manager@example.com")

  private func startTrial(
    _ plan: String, _ user: Int64, days: Double = 0, _ fixture: SubscriptionFixture
  ) async throws -> Subscription {
    try await Subscription.startTrial(
      TrialStart(telegramID: user, plan: plan, idempotencyKey: UUID().uuidString),
      with: fixture.fixture.bot, by: Self.bot, in: fixture.scope(days), fixture.pool
    ).subscription
  }

  @Test func aTrialGivesItsTimeOnceAndEndsAfterGrace() async throws {
    try await SubscriptionFixture.with { fixture in
      let trial = try await startTrial("pro", 81, fixture)
      #expect(trial.state == .trial && trial.renewal == .none)
      #expect(try await fixture.balance(81, 1) == 50)
      #expect(try await fixture.access(81, 6.9) == ["hd_quality", "priority_queue", "pro"])
      await #expect(throws: SubscriptionRefusal.alreadySubscribed) {
        try await startTrial("pro", 81, fixture)
      }
      await #expect(throws: SubscriptionRefusal.noTrial) {
        try await startTrial("premium", 82, fixture)
      }
      await #expect(throws: SubscriptionRefusal.unknownPlan) {
        try await startTrial("gold", 82, fixture)
      }
      try await fixture.age(7.5)
      #expect(try await fixture.subscription(of: 81).state == .grace)
      #expect(try await fixture.access(81, 13.9).count == 3)
      try await fixture.age(14.5)
      let over = try await fixture.subscription(of: 81)
      #expect(over.state == .expired && over.endedAt != nil)
      #expect(try await fixture.access(81, 14.5).isEmpty)
      #expect(try await fixture.balance(81, 14.5) == 0)
      #expect(try await fixture.changes(over) == [.trial, .grace, .expire])
      await #expect(throws: SubscriptionRefusal.trialUsed) {
        try await startTrial("pro", 81, days: 15, fixture)
      }
      await #expect(throws: SubscriptionRefusal.notRenewable) {
        try await Subscription.cancel(
          over.id, by: Self.manager, in: fixture.scope(15), fixture.pool)
      }
      try await fixture.expectSound()
    }
  }

  @Test func oneThatIsNotRenewedRunsOutAndMayComeBack() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 83)
      try await fixture.pay(
        sale, from: 83, update: 1, charge: "a1", days: 0, isFirst: true)
      #expect(try await fixture.monthlyStars() == 2000)
      // A renewal may be a while on its way.
      try await fixture.age(30.01)
      #expect(try await fixture.subscription(of: 83).state == .active)
      try await fixture.age(30.5)
      #expect(try await fixture.subscription(of: 83).state == .grace)
      #expect(try await fixture.monthlyStars() == 0)
      try await fixture.age(37.5)
      #expect(try await fixture.subscription(of: 83).state == .expired)
      #expect(try await fixture.access(83, 37.5).isEmpty)
      try await fixture.pay(sale, from: 83, update: 2, charge: "a2", days: 40)
      let back = try await fixture.subscription(of: 83)
      #expect(back.state == .active && back.endedAt == nil)
      #expect(try await fixture.access(83, 41).count == 3)
      #expect(try await fixture.balance(83, 41) == 500)
      #expect(
        try await fixture.changes(back) == [.subscribe, .grace, .expire, .renew])
      try await fixture.expectSound()
    }
  }

  @Test func olderWordOfARenewalCountsForNothing() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 84)
      try await fixture.pay(
        sale, from: 84, update: 10, charge: "b1", days: 0, isFirst: true)
      try await fixture.tell("active", of: sale, from: 84, update: 13, arrives: 1)
      let stale = try await fixture.tell("canceled", of: sale, from: 84, update: 12, arrives: 1)
      #expect(
        stale == .stored(outcome: "subscription.stale", paymentID: nil, isDuplicate: false))
      #expect(try await fixture.subscription(of: 84).renewal == .on)
      try await fixture.tell("canceled", of: sale, from: 84, update: 14, arrives: 2)
      let again = try await fixture.tell(
        "canceled", of: sale, from: 84, update: 14, arrives: 2)
      #expect(
        again == .stored(outcome: "subscription.recorded", paymentID: nil, isDuplicate: true))
      #expect(try await fixture.subscription(of: 84).renewal == .off)
      // After a week without updates Telegram's numbers begin anew.
      try await fixture.tell("active", of: sale, from: 84, update: 3, arrives: 10)
      #expect(try await fixture.subscription(of: 84).renewal == .on)
      let foreign = try await fixture.receive(
        """
        {"update_id":99,"subscription":{"user":{"id":84,"is_bot":false,"first_name":"A"},\
        "invoice_payload":"theirs","state":"canceled"}}
        """, 10)
      #expect(
        foreign
          == .stored(outcome: "subscription.unmatched", paymentID: nil, isDuplicate: false))
      #expect(
        try await fixture.changes(try await fixture.subscription(of: 84))
          == [.subscribe, .cancel, .reenable])
    }
  }

  @Test func aSecondPaymentOfOneInvoiceIsASubscriptionOfItsOwn() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 85)
      for (index, user) in [Int64(85), 85, 86].enumerated() {
        try await fixture.pay(
          sale, from: user, update: Int64(index + 1), charge: "d\(index)", days: 0, isFirst: true)
      }
      #expect(try await fixture.subscriptions(of: 85).map(\.firstChargeID) == ["d1", "d0"])
      #expect(try await fixture.subscriptions(of: 86).map(\.firstChargeID) == ["d2"])
      #expect(try await fixture.balance(85, 1) == 1000)
      #expect(try await fixture.balance(86, 1) == 500)
      let cases = try await fixture.pool.query(
        "select charge_id from refunds where state = 'requested' order by charge_id",
        in: fixture.scope()
      ).map { try $0.get("charge_id", as: String.self) }
      #expect(cases == ["d1", "d2"])
      try await fixture.refund("d1", of: sale, from: 85, update: 5, days: 1)
      let both = try await fixture.subscriptions(of: 85)
      #expect(both.map(\.state) == [.expired, .active])
      #expect(both.map(\.wish) == [.cancel, nil])
      #expect(try await fixture.access(85, 2).count == 3)
      try await fixture.expectSound()
    }
  }

  @Test func aCustomPlanIsFreeOfCreditsAndQuotas() async throws {
    try await SubscriptionFixture.with { fixture in
      let scope = fixture.scope()
      let customer = try await fixture.pool.transaction(in: scope) { tx in
        try await tx.customer(telegramID: 87, name: nil, in: scope, at: scope.now)
      }
      func answer(_ days: Double) async throws -> UsageAnswer {
        try await fixture.fixture.platform.usage.debit(
          DebitRequest(
            check: CheckRequest(telegramID: 87, action: "sticker", units: 3), ref: nil,
            idempotencyKey: UUID().uuidString), in: fixture.scope(days))
      }
      #expect(try await answer(0).status == .insufficient)
      let gift = PlanGift(
        plan: "enterprise", customerID: customer.id, until: scope.now.addingTimeInterval(86_400),
        reason: "a year's contract")
      let given = try await Subscription.give(
        gift, with: fixture.fixture.bot, by: Self.manager, in: scope, fixture.pool)
      #expect(given.state == .active && given.renewal == .none && given.creditsPerCycle == nil)
      let free = try await answer(0.5)
      #expect(free.status == .applied && free.cost == 0)
      #expect(try await fixture.access(87, 0.5).contains("enterprise"))
      #expect(try await answer(7.9).status == .applied)
      #expect(try await answer(8.1).status == .insufficient)
      let withdrawn = try await Subscription.withdraw(
        given.id, reason: "over", by: Self.manager, in: fixture.scope(0.6), fixture.pool)
      #expect(withdrawn.state == .expired)
      #expect(try await answer(0.7).status == .insufficient)
      await #expect(throws: SubscriptionRefusal.notCustom) {
        try await Subscription.give(
          PlanGift(plan: "pro", customerID: customer.id, until: nil, reason: ""),
          with: fixture.fixture.bot, by: Self.manager, in: scope, fixture.pool)
      }
      #expect(try await fixture.monthlyStars() == 0)
    }
  }

  @Test func aCustomPlanWithCreditsGivesThemEveryMonth() async throws {
    try await SubscriptionFixture.with { fixture in
      let scope = fixture.scope()
      try await fixture.pool.execute(
        """
        update plans set credits_per_cycle = 100, rollover_cap_credits = 30
        where workspace_id = \(scope.workspaceID) and plan = 'enterprise'
        """, in: scope)
      let customer = try await fixture.pool.transaction(in: scope) { tx in
        try await tx.customer(telegramID: 88, name: nil, in: scope, at: scope.now)
      }
      let given = try await Subscription.give(
        PlanGift(plan: "enterprise", customerID: customer.id, until: nil, reason: "partner"),
        with: fixture.fixture.bot, by: Self.manager, in: scope, fixture.pool)
      #expect(given.periodEndsAt == .distantFuture && given.accessEndsAt == .distantFuture)
      #expect(try await fixture.balance(88, 1) == 100)
      try await fixture.age(29)
      try await fixture.age(31)
      try await fixture.age(32)
      // Of what was left, 30 go over; they are not carried twice.
      #expect(try await fixture.balance(88, 32) == 130)
      try await fixture.age(61)
      #expect(try await fixture.balance(88, 61) == 130)
      try await fixture.expectSound()
    }
  }

  @Test func whatIsCarriedStaysItsChargesAndIsSeenInItsLots() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 94)
      try await fixture.pay(
        sale, from: 94, update: 1, charge: "g1", days: 0, isFirst: true)
      try await fixture.pay(sale, from: 94, update: 2, charge: "g2", days: 30)
      #expect(try await fixture.balance(94, 30.1) == 750)
      let customer = try #require(
        try await Customer.find(telegramID: 94, in: fixture.scope(), fixture.pool))
      let lots = try await fixture.pool.query(
        "select lot_id from lots where charge_id = 'g1' order by lot_id", in: fixture.scope()
      ).map { try $0.get("lot_id", as: Int64.self) }
      #expect(lots.count == 2)
      let history = try #require(
        try await LotHistory.of(
          Account(customer.id), lot: lots[0], limit: 10, in: fixture.scope(30.1), fixture.pool))
      #expect(history.totals.passedOn == 250 && history.totals.expired == 250)
      #expect(history.totals.accountedFor == history.totals.granted)
      // The first cycle is refunded: what it brought into the second goes, and nothing else.
      try await fixture.refund("g1", of: sale, from: 94, update: 3, days: 31)
      #expect(try await fixture.balance(94, 31.1) == 500)
      let subscription = try await fixture.subscription(of: 94)
      #expect(subscription.state == .active && subscription.wish == .cancel)
      #expect(subscription.wishBy == "refund")
      try await fixture.expectSound()
    }
  }

  @Test func onlyACheaperPlanFollowsAndItsWishCanBeTakenBack() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("premium", for: 95)
      try await fixture.pay(
        sale, from: 95, update: 1, charge: "h1", days: 0, isFirst: true)
      let id = try await fixture.subscription(of: 95).id
      func downgrade(_ plan: String) async throws -> Subscription {
        try await Subscription.downgrade(
          id, to: plan, by: Self.manager, in: fixture.scope(1), fixture.pool)
      }
      for (plan, refusal) in [
        ("premium", SubscriptionRefusal.notLower), ("enterprise", .unknownPlan),
        ("none", .unknownPlan),
      ] {
        await #expect(throws: refusal) { try await downgrade(plan) }
      }
      let asked = try await downgrade("pro")
      #expect(asked.nextPlan == "pro" && asked.wish == .cancel && asked.wishBy == "downgrade")
      let back = try await Subscription.allow(
        id, by: Self.manager, in: fixture.scope(1), fixture.pool)
      #expect(back.nextPlan == nil && back.wish == .allow && back.renewal == .on)
      let jobs = try await fixture.pool.query(
        "select subject from jobs where kind = 'subscription.edit'")
      #expect(try jobs.map { try $0.get("subject", as: String.self) } == [String(id)])
      let audit = try await AuditEntry.about(
        "subscription", String(id), in: fixture.scope(), fixture.pool)
      #expect(audit.map(\.action) == ["subscription.downgrade", "subscription.reactivation"])
    }
  }
}
