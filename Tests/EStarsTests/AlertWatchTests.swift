@_spi(Guard) @testable import EStars
import Foundation
import Postgres
import TestSupport
import Testing

@_spi(Guard) import Ledger

/// What raises an alert, what does not, and when it is over.
@Suite struct AlertWatchTests {
  /// A look at the tables, that much later.
  private func look(_ fixture: Fixture, later seconds: Int = 0) async throws {
    try await fixture.platform.alerts.look(
      in: WorkspaceScope(
        workspaceID: fixture.scope.workspaceID, clockOffsetSeconds: seconds))
  }

  private func open(_ fixture: Fixture, _ kind: Alert.Kind) async throws -> [Alert] {
    try await Alert.unacknowledged(in: fixture.scope, fixture.pool).filter { $0.kind == kind }
  }

  private func set(
    _ kind: Alert.Kind, _ threshold: Int64?, isOn: Bool = true, _ fixture: Fixture
  ) async throws {
    var rule = AlertRule(kind: kind)
    (rule.threshold, rule.isOn) = (threshold, isOn)
    try await rule.keep(by: Self.owner, in: fixture.scope, fixture.pool)
  }

  private static let owner = Actor(.operator, "owner@example.com")

  private func step(
    _ checkout: Checkout, _ states: [Checkout.State], _ reason: String, _ fixture: Fixture
  ) async throws {
    try await fixture.pool.transaction(in: fixture.scope) { tx in
      for state in states {
        try await tx.step(checkout, to: state, reason, in: fixture.scope, at: fixture.scope.now)
      }
    }
  }

  @Test func failingPaymentsNeedANumberBehindThem() async throws {
    try await Fixture.with { fixture in
      func pay(_ buyers: ClosedRange<Int64>, _ states: [Checkout.State]) async throws {
        for buyer in buyers {
          try await step(
            try await fixture.checkout("start", for: buyer), states, "withdrawn", fixture)
        }
      }
      try await pay(1...2, [.rejected])
      try await pay(3...3, [.processing, .completed])
      try await look(fixture)
      #expect(try await open(fixture, .paymentsFailing).isEmpty, "2 of 3")
      // One that was refused and then paid has not failed.
      try await pay(4...19, [.rejected, .processing, .completed])
      try await look(fixture)
      #expect(try await open(fixture, .paymentsFailing).isEmpty, "2 of 19")
      try await pay(20...20, [.processing, .completed])
      for _ in 0..<3 { try await look(fixture) }
      let alert = try #require(try await open(fixture, .paymentsFailing).first)
      #expect(try await open(fixture, .paymentsFailing).count == 1)
      #expect(alert.sightings == 3 && alert.state == .open)
      let facts = [alert.facts["failed"], alert.facts["attempts"], alert.facts["percent"]]
      #expect(facts == ["2", "20", "10"])
      #expect(alert.facts["reason"] == "withdrawn")
      // A higher threshold, and it is over once it was not seen for a while.
      try await set(.paymentsFailing, 10, fixture)
      try await look(fixture, later: 60)
      #expect(try await open(fixture, .paymentsFailing).map(\.state) == [.open])
      try await look(fixture, later: 1_000)
      #expect(try await open(fixture, .paymentsFailing).map(\.state) == [.unseen])
      // What comes back is another alert.
      try await set(.paymentsFailing, 9, fixture)
      try await look(fixture, later: 1_001)
      #expect(try await open(fixture, .paymentsFailing).map(\.state) == [.open, .unseen])
      try await set(.paymentsFailing, 9, isOn: false, fixture)
      try await look(fixture, later: 1_002)
      #expect(try await open(fixture, .paymentsFailing).map(\.state) == [.unseen, .unseen])
    }
  }

  @Test func aLargePaymentThatFailedIsToldOfOnce() async throws {
    try await Fixture.with { fixture in
      try await set(.largePaymentFailed, 75, fixture)
      let (failed, paid) = (
        try await fixture.checkout("start", for: 1), try await fixture.checkout("start", for: 2)
      )
      let cancelled = try await fixture.checkout("start", for: 3)
      try await step(failed, [.rejected], "withdrawn", fixture)
      try await step(paid, [.rejected, .processing, .completed], "withdrawn", fixture)
      try await step(cancelled, [.cancelled], "called_off", fixture)
      for _ in 0..<2 { try await look(fixture) }
      let alerts = try await open(fixture, .largePaymentFailed)
      #expect(alerts.map(\.subject) == ["checkout:\(failed.id)"])
      #expect(alerts.first?.facts["stars"] == "75" && alerts.first?.isMoment == true)
      #expect(alerts.first?.endedAt != nil && alerts.first?.sightings == 1)
      let id = try #require(alerts.first?.id)
      #expect(
        try await Alert.acknowledge(id, by: Self.owner, in: fixture.scope, fixture.pool))
      try await look(fixture, later: 30)
      #expect(try await open(fixture, .largePaymentFailed).isEmpty)
      #expect(
        try await Alert.over(of: nil, before: nil, limit: 9, in: fixture.scope, fixture.pool)
          .map(\.id) == [id])
      try await set(.largePaymentFailed, 76, fixture)
      try await step(try await fixture.checkout("start", for: 4), [.rejected], "x", fixture)
      try await look(fixture)
      #expect(try await open(fixture, .largePaymentFailed).isEmpty)
    }
  }

  @Test func repeatedDeliveriesAreCountedAndNotBooked() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 5)
      let now = Int64(Date().timeIntervalSince1970)
      let update = Sent.payment(
        update: 1, from: 5, stars: 75, payload: checkout.payload ?? "", charge: "c-5", at: now)
      for _ in 0..<11 { _ = try await fixture.receive(update) }
      // The same charge by another update, and a message that comes twice.
      _ = try await fixture.receive(
        Sent.payment(
          update: 2, from: 5, stars: 75, payload: checkout.payload ?? "", charge: "c-5", at: now))
      try await look(fixture)
      let alert = try #require(try await open(fixture, .repeatedAttempts).first)
      #expect(alert.facts["updates"] == "11" && alert.facts["total"] == "11")
      #expect(try await fixture.balance(5) == 10)
      let rows = try await fixture.pool.query(
        "select repeats, delay_seconds from updates order by update_id", in: fixture.scope)
      #expect(try rows.map { try $0.get("repeats", as: Int.self) } == [10, 1])
      // However long that took: what is noted lies between the two readings of the clock.
      let passed = Int64(Date().timeIntervalSince1970) - now
      #expect(try rows.allSatisfy { (0...passed).contains(try $0.get("delay_seconds")) })
      try await set(.repeatedAttempts, 11, fixture)
      try await look(fixture, later: 1_000)
      #expect(try await open(fixture, .repeatedAttempts).map(\.state) == [.unseen])
    }
  }

  @Test func repeatsThatArriveTogetherAreCounted() async throws {
    try await Fixture.with { fixture in
      let message = #"{"update_id":9,"message":{"message_id":1,"date":1,"text":"hi"}}"#
      try await withThrowingTaskGroup { group in
        for _ in 0..<40 { group.addTask { _ = try await fixture.receive(message) } }
        try await group.waitForAll()
      }
      #expect(try await fixture.count("select sum(repeats)::int as count from updates") == 39)
    }
  }

  @Test func lateUpdatesMakeASlowWebhook() async throws {
    try await Fixture.with { fixture in
      func message(_ id: Int64, secondsAgo: Int64) -> String {
        let date = Int64(Date().timeIntervalSince1970) - secondsAgo
        return #"{"update_id":\#(id),"message":{"message_id":\#(id),"date":\#(date),"text":"hi"}}"#
      }
      for id in 1...2 { _ = try await fixture.receive(message(Int64(id), secondsAgo: 400)) }
      for id in 3...9 { _ = try await fixture.receive(message(Int64(id), secondsAgo: 2)) }
      _ = try await fixture.receive(#"{"update_id":10,"callback_query":{"id":"1"}}"#)
      try await look(fixture)
      #expect(try await open(fixture, .webhookSlow).isEmpty, "two may be an accident")
      _ = try await fixture.receive(message(11, secondsAgo: 100))
      try await look(fixture)
      let alert = try #require(try await open(fixture, .webhookSlow).first)
      #expect(alert.subject == "bot:\(fixture.bot.id)" && alert.facts["bot"] == "shop_bot")
      #expect(alert.facts["late"] == "3")
      let words = AlertSentence(language: .en).sentence(alert.kind, alert.facts)
      #expect(
        words
          == "Updates of @shop_bot come late: 3 within ten minutes, the slowest after 6 min.")
      try await look(fixture, later: 2_000)
      #expect(try await open(fixture, .webhookSlow).map(\.state) == [.unseen])
    }
  }

  /// A few failures among few payments, and the only update of a quiet bot.
  @Test func littleSaysEnoughWhereAllOfItIsBad() async throws {
    try await Fixture.with { fixture in
      for buyer in 1...3 as ClosedRange<Int64> {
        #expect(try await open(fixture, .paymentsFailing).isEmpty)
        try await step(
          try await fixture.checkout("start", for: buyer), [.rejected], "withdrawn", fixture)
        try await look(fixture)
      }
      #expect(try await open(fixture, .paymentsFailing).first?.facts["attempts"] == "3")
      let date = Int64(Date().timeIntervalSince1970) - 400
      _ = try await fixture.receive(
        #"{"update_id":1,"message":{"message_id":1,"date":\#(date),"text":"hi"}}"#)
      try await look(fixture)
      #expect(try await open(fixture, .webhookSlow).first?.facts["late"] == "1")
    }
  }

  @Test func unusualCustomersAreNoticed() async throws {
    try await Fixture.with { fixture in
      let now = Int64(Date().timeIntervalSince1970)
      for number in 1...6 {
        for buyer in [7, 8] as [Int64] where buyer == 7 || number < 6 {
          _ = try await fixture.receive(
            Sent.payment(
              update: Int64(number) * 10 + buyer, from: buyer, stars: 2, payload: "another bot's",
              charge: "c-\(buyer)-\(number)", at: now))
        }
      }
      let customer = try #require(
        try await Customer.find(telegramID: 7, in: fixture.scope, fixture.pool)
      ).id
      let account = Account(customer)
      try await set(.manyUses, 11, fixture)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        let at = fixture.scope.now
        _ = try await tx.credit(
          Grant(50, source: .goodwill), to: account, key: "g", in: fixture.scope, at: at)
        for key in ["a", "b"] {
          _ = try await tx.debit(
            Debit(6, key: key), from: account, in: fixture.scope, at: at)
        }
        for charge in ["r1", "r2", "r3"] {
          try await tx.execute(
            """
            insert into refunds (workspace_id, bot_id, charge_id, customer_id, stars, source, state,
              reason, opened_at, state_at, refunded_at)
            values (\(fixture.scope.workspaceID), \(fixture.bot.id), \(charge), \(customer), 5,
              'telegram', 'confirmed', 'refunded_elsewhere', \(at), \(at), \(at))
            """)
        }
      }
      try await look(fixture)
      let subject = "customer:\(customer)"
      let purchases = try await open(fixture, .manyPurchases)
      #expect(purchases.map(\.subject) == [subject] && purchases.first?.facts["count"] == "6")
      let uses = try await open(fixture, .manyUses)
      #expect(uses.map(\.subject) == [subject] && uses.first?.facts["credits"] == "12")
      let refunds = try await open(fixture, .manyRefunds)
      #expect(refunds.map(\.subject) == [subject] && refunds.first?.facts["stars"] == "15")
      // Ten minutes later nothing of it is news.
      try await look(fixture, later: 1_600)
      #expect(try await open(fixture, .manyPurchases).map(\.state) == [.unseen])
      #expect(try await open(fixture, .manyUses).map(\.state) == [.unseen])
      #expect(try await open(fixture, .manyRefunds).map(\.state) == [.open])
    }
  }

  @Test func booksLedgerAndLiabilityEndAsSoonAsTheyAreRight() async throws {
    try await Fixture.with { fixture in
      let (workspace, bot, at) = (fixture.scope.workspaceID, fixture.bot.id, fixture.scope.now)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.execute(
          """
          insert into mismatches (workspace_id, bot_id, transaction_id, direction, kind, stars,
            found_at) values (\(workspace), \(bot), 't', 'incoming', 'payment_unseen', 5, \(at))
          """)
        try await tx.execute(
          """
          insert into ledger_verifications (workspace_id, verified_at, entry_count, problem_count)
          values (\(workspace), \(at), 5, 2)
          """)
        try await tx.execute(
          """
          insert into credit_days (workspace_id, day, unit, kind, source, credits, entries)
          values (\(workspace), '2026-01-01', 1, 'credit', 'promo', 500, 1),
            (\(workspace), '2026-01-02', 1, 'debit', 'promo', -100, 1),
            (\(workspace), '2026-01-02', 2, 'credit', 'promo', 900, 1)
          """)
      }
      try await look(fixture)
      let differs = try await open(fixture, .mismatch).map(\.facts)
      #expect(differs == [["bot": "shop_bot", "count": "1"]])
      #expect(try await open(fixture, .ledgerUnverified).map(\.facts) == [["problems": "2"]])
      #expect(try await open(fixture, .liabilityHigh).isEmpty, "nobody has set a limit")
      try await set(.liabilityHigh, 400, fixture)
      try await look(fixture)
      #expect(try await open(fixture, .liabilityHigh).isEmpty, "not more than the limit")
      try await set(.liabilityHigh, 399, fixture)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.execute(
          """
          update mismatches set state = 'fixed', closed_at = \(at)
          where workspace_id = \(workspace)
          """)
        try await tx.execute(
          """
          insert into ledger_verifications (workspace_id, verified_at, entry_count, problem_count)
          values (\(workspace), \(at.addingTimeInterval(1)), 5, 0)
          """)
      }
      try await look(fixture, later: 1)
      let held = try await open(fixture, .liabilityHigh).map(\.facts)
      #expect(held == [["credits": "400", "limit": "399"]])
      #expect(try await open(fixture, .mismatch).map(\.state) == [.unseen])
      #expect(try await open(fixture, .ledgerUnverified).map(\.state) == [.unseen])
      try await Alert.acknowledgeAll(
        0...(.max), by: Self.owner, in: fixture.scope, fixture.pool)
      #expect(
        try await Alert.goingOn(in: fixture.scope, fixture.pool).map(\.kind) == [.liabilityHigh])
    }
  }

  @Test func everyKindHasWordsInBothLanguages() {
    for kind in Alert.Kind.allCases {
      let facts = ["problem": "error", "words": "w", "bot": "b", "count": "1", "updates": "1"]
      let (one, other) = (
        AlertSentence(language: .en).sentence(kind, facts),
        AlertSentence(language: .ptBR).sentence(kind, facts)
      )
      #expect(one != other && one.hasSuffix(".") && other.hasSuffix("."), "\(kind)")
    }
  }

  @Test func thresholdsAreWithinTheirBounds() {
    for kind in Alert.Kind.allCases {
      if let threshold = kind.defaultThreshold { #expect(kind.thresholds.contains(threshold)) }
      if kind.measure == nil { #expect(kind.defaultThreshold == nil) }
    }
  }
}
