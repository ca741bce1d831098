@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Telegram
import Testing

/// A checkout's way from its invoice to what was bought, step by step.
@Suite struct CheckoutTests {
  private func steps(_ checkout: Checkout, _ fixture: Fixture) async throws -> [String] {
    try await fixture.pool.query(
      """
      select from_state, to_state, reason from checkout_transitions
      where checkout_id = \(checkout.id) order by step
      """, in: fixture.scope
    ).map { row in
      let from = try row.getIfPresent("from_state", as: String.self) ?? "-"
      return "\(from) \(try row.get("to_state", as: String.self)): "
        + (try row.get("reason", as: String.self))
    }
  }

  private func ask(
    _ checkout: Checkout, _ fixture: Fixture, update: Int64 = .random(in: 1...(1 << 40)),
    from: Int64 = 51
  ) async throws -> PreCheckout.Verdict? {
    let handled = try await fixture.receive(
      Sent.preCheckout(
        update: update, from: from, stars: checkout.stars, payload: checkout.payload ?? ""))
    guard case .preCheckout(_, let verdict, _) = handled else { return nil }
    return verdict
  }

  private func pay(
    _ checkout: Checkout, _ fixture: Fixture, charge: String, from: Int64 = 51,
    at: Int64 = 1_795_000_000
  ) async throws -> String? {
    let handled = try await fixture.receive(
      Sent.payment(
        update: .random(in: 1...(1 << 40)), from: from, stars: checkout.stars,
        payload: checkout.payload ?? "", charge: charge, at: at))
    guard case .stored(let outcome, _, _) = handled else { return nil }
    return outcome
  }

  private func change(_ sql: SQL, _ fixture: Fixture) async throws {
    try await fixture.pool.execute(sql, in: fixture.scope)
  }

  @Test func everyStepIsWrittenDownWithItsReason() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 51)
      #expect(try await ask(checkout, fixture) == .accept)
      #expect(try await pay(checkout, fixture, charge: "s1") == "payment.credited")
      #expect(
        try await steps(checkout, fixture) == [
          "- pending: opened", "pending validating: accepted", "validating processing: paid",
          "processing completed: credited",
        ])
      await #expect(throws: PostgresError.self) {
        try await change("update checkouts set state = 'pending'", fixture)
      }
    }
  }

  @Test func aRefusedBuyerMayTryAgain() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 51)
      try await change(
        "update packs set available_to = 'admins' where sku = 'start'", fixture)
      #expect(try await ask(checkout, fixture) == .refuse(.notAvailable))
      // The same again is no step; another reason is one.
      #expect(try await ask(checkout, fixture) == .refuse(.notAvailable))
      try await change("update packs set withdrawn_at = now() where sku = 'start'", fixture)
      #expect(try await ask(checkout, fixture) == .refuse(.withdrawn))
      try await change(
        "update packs set withdrawn_at = null, available_to = 'everyone' where sku = 'start'",
        fixture)
      // By now the catalogue in memory may have seen it go, and not yet come back.
      var verdict = try await ask(checkout, fixture)
      for _ in 0..<100 where verdict != .accept {
        try await Task.sleep(for: .milliseconds(100))
        verdict = try await ask(checkout, fixture)
      }
      #expect(verdict == .accept)
      #expect(try await pay(checkout, fixture, charge: "s2") == "payment.credited")
      #expect(
        try await steps(checkout, fixture) == [
          "- pending: opened", "pending rejected: not_available",
          "rejected rejected: withdrawn", "rejected validating: accepted",
          "validating processing: paid", "processing completed: credited",
        ])
    }
  }

  @Test func ofFastTapsOneIsAcceptedAndAQuestionIsAnsweredAlike() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 51)
      let taps: [Int64] = Array(1...20) + Array(1...20)
      let verdicts = try await withThrowingTaskGroup(
        of: (Int64, PreCheckout.Verdict?).self
      ) { group in
        for tap in taps { group.addTask { (tap, try await ask(checkout, fixture, update: tap)) } }
        return try await group.reduce(into: [:]) { $0[$1.0, default: []].append($1.1) }
      }
      #expect(verdicts.values.filter { $0 == [.accept, .accept] }.count == 1)
      #expect(
        verdicts.values.filter { $0 == [.refuse(.underWay), .refuse(.underWay)] }.count == 19)
      let accepted = try #require(verdicts.first { $0.value.contains(.accept) }?.key)
      // The payment never came: after a while the buyer may try again, by a question of its own.
      try await change(
        "update checkouts set accepted_at = accepted_at - interval '21 seconds'", fixture)
      let refused = try #require(verdicts.first { !$0.value.contains(.accept) }?.key)
      #expect(try await ask(checkout, fixture, update: refused) == .refuse(.underWay))
      #expect(try await ask(checkout, fixture, update: 99) == .accept)
      #expect(try await ask(checkout, fixture, update: accepted) == .accept)
      #expect(try await pay(checkout, fixture, charge: "s3") == "payment.credited")
      #expect(try await ask(checkout, fixture, update: accepted) == .accept)
      #expect(try await ask(checkout, fixture, update: 100) == .refuse(.alreadyPaid))
      #expect(try await fixture.count("select count(*) from pre_checkout_queries") == 22)
    }
  }

  @Test func whatIsPaidTooLateIsCreditedAllTheSame() async throws {
    try await Fixture.with { fixture in
      let expired = try await fixture.checkout("start", for: 51)
      let untouched = try await fixture.checkout("start", for: 52)
      let open = try await fixture.checkout("start", for: 53)
      try await change(
        """
        update checkouts set expires_at = now() - interval '1 second'
        where checkout_id <> \(open.id)
        """, fixture)
      #expect(try await ask(expired, fixture) == .refuse(.expired))
      try await Worker(platform: fixture.platform).runDue()
      #expect(
        try await steps(untouched, fixture) == ["- pending: opened", "pending expired: time_over"])
      #expect(try await steps(open, fixture) == ["- pending: opened"])
      #expect(try await pay(expired, fixture, charge: "s4") == "payment.credited")
      #expect(
        try await steps(expired, fixture) == [
          "- pending: opened", "pending expired: time_over", "expired processing: paid_late",
          "processing completed: credited",
        ])
      let older = try await fixture.checkout("start", for: 53)
      #expect(
        try await steps(open, fixture) == [
          "- pending: opened", "pending cancelled: newer_checkout",
        ])
      _ = try await fixture.checkout("start", for: 53)
      #expect(try await ask(older, fixture, from: 53) == .refuse(.cancelled))
      #expect(try await pay(older, fixture, charge: "s5", from: 53) == "payment.credited")
      #expect(try await fixture.balance(51) == 10)
      #expect(try await fixture.balance(53) == 10)
    }
  }

  @Test func aFailedBookingSaysSoUntilItIsBooked() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 51)
      try await fixture.database.ownerPool.execute(
        "alter table payments add constraint broken check (charge_id <> 's6') not valid")
      #expect(try await ask(checkout, fixture) == .accept)
      #expect(try await pay(checkout, fixture, charge: "s6") == "pending")
      #expect(
        try await Checkout.find(id: checkout.id, in: fixture.scope, fixture.pool)?.state == .failed)
      #expect(try await ask(checkout, fixture) == .refuse(.alreadyPaid))
      try await fixture.database.ownerPool.execute(
        "alter table payments drop constraint broken")
      try await change("update updates set retry_at = now() where state = 'pending'", fixture)
      #expect(try await fixture.platform.updates.retryPending(in: fixture.scope) == 1)
      #expect(try await fixture.balance(51) == 10)
      #expect(
        try await steps(checkout, fixture) == [
          "- pending: opened", "pending validating: accepted", "validating processing: paid",
          "processing failed: booking_failed", "failed processing: tried_again",
          "processing completed: credited",
        ])
    }
  }

  @Test func aPurchaseOnItsWayCountsAmongTheTen() async throws {
    try await Fixture.with { fixture in
      let now = Int64(Date().timeIntervalSince1970)
      for number in 0..<9 {
        let sale = try await fixture.checkout("start", for: 51)
        _ = try await pay(sale, fixture, charge: "n\(number)", at: now)
      }
      let tenth = try await fixture.checkout("start", for: 51)
      #expect(try await ask(tenth, fixture) == .accept)
      let eleventh = try await fixture.checkout("start", for: 51)
      #expect(try await ask(eleventh, fixture) == .refuse(.tooManyPurchases))
      #expect(try await pay(tenth, fixture, charge: "n9", at: now) == "payment.credited")
      #expect(try await ask(eleventh, fixture) == .refuse(.tooManyPurchases))
      await #expect(throws: Checkout.Refusal.self) { try await fixture.checkout("start", for: 51) }
      // An hour later there is room again, in the clock of the workspace.
      try await change("update payments set paid_at = paid_at - interval '1 hour'", fixture)
      #expect(try await ask(eleventh, fixture) == .accept)
    }
  }

  @Test func aPlanIsSoldByItsPriceAndPeriod() async throws {
    try await Fixture.with { fixture in
      let key = "p" + String(repeating: "x", count: 31)
      try await change(
        """
        insert into plans (workspace_id, plan, title, description, kind, tier, stars,
          credits_per_cycle, position, created_at)
        values (\(fixture.workspace.id), \(key), 'Pro', 'Monthly.', 'recurring', 'free', 2000, 500,
          0, now()), (\(fixture.workspace.id), 'gift', 'Gift', 'Given.', 'custom', 'free', null,
          null, 1, now())
        """, fixture)
      let catalog = try await Catalog.load(in: fixture.scope, fixture.pool)
      func open(_ plan: String) async throws -> Checkout {
        try await fixture.pool.transaction(in: fixture.scope) { tx in
          try await tx.openCheckout(
            CheckoutRequest(
              telegramID: 51, item: .plan(plan), idempotencyKey: UUID().uuidString),
            with: fixture.bot, catalog, fixture.platform.secrets, in: fixture.scope,
            at: fixture.scope.now
          ).0
        }
      }
      let sold = try await open(key)
      #expect(sold.product == .plan && sold.periodSeconds == fixture.bot.subscriptionPeriodSeconds)
      #expect(sold.stars == 2000 && sold.credits == 500)
      #expect((sold.payload ?? "").utf8.count <= 128)
      #expect(try await ask(sold, fixture) == .accept)
      try await change(
        """
        insert into subscriptions (workspace_id, bot_id, customer_id, plan, state, renewal, stars,
          credit_unit, rollover_cap_credits, grace_days, started_at, period_started_at,
          period_ends_at)
        values (\(fixture.workspace.id), \(fixture.bot.id), \(sold.customerID), \(key), 'active',
          'on', 2000, 1, 0, 7, now(), now(), now() + interval '30 days')
        """, fixture)
      await #expect(throws: Checkout.Refusal.alreadySubscribed) { try await open(key) }
      try await change(
        "update checkouts set accepted_at = accepted_at - interval '1 minute'", fixture)
      #expect(try await ask(sold, fixture) == .refuse(.alreadySubscribed))
      // Who switched the renewal off may subscribe anew.
      try await change("update subscriptions set renewal = 'off'", fixture)
      #expect(try await ask(sold, fixture) == .accept)
      await #expect(throws: Checkout.Refusal.unknownPlan) { try await open("gift") }
      await #expect(throws: Checkout.Refusal.unknownPlan) { try await open("start") }
    }
  }
}
