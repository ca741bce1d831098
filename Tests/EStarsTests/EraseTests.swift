@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

/// Who a customer was is forgotten everywhere; what was paid and used stays.
@Suite struct EraseTests {
  private static let manager = Actor(.operator, "manager@example.com")
  private static let telegramID: Int64 = 5_551_234_567

  /// Somebody whose name, id and words stand in every table that can hold them.
  private func somebody(_ fixture: Fixture) async throws -> Customer {
    for (number, charge) in [(1, "kept"), (2, "returned")] {
      let sale = try await fixture.checkout(
        "start", for: Self.telegramID, resume: "{\"who\":\"zebulon\"}")
      _ = try await fixture.receive(
        Sent.payment(
          update: Int64(number), from: Self.telegramID, stars: 75, payload: sale.payload ?? "",
          charge: charge, firstName: "Zebulon"))
    }
    _ = try await fixture.receive(
      Sent.refund(update: 3, payer: Self.telegramID, stars: 75, payload: "", charge: "returned"))
    _ = try await fixture.checkout("max", for: Self.telegramID, resume: "zebulon waits")
    let customer = try #require(
      try await Customer.find(telegramID: Self.telegramID, in: fixture.scope, fixture.pool))
    _ = try await CreditGrant.give(
      CreditGrantOrder(5, source: .goodwill, reason: "Zebulon wrote to us", formKey: "erase-form"),
      to: customer.id, by: Self.manager, as: .manager, in: fixture.scope, fixture.pool)
    try await StaffMember.add(
      Self.telegramID, name: "Zebulon", by: Self.manager, in: fixture.scope, fixture.pool)
    try await plant(customer.id, fixture)
    return customer
  }

  private func plant(_ customer: Int64, _ fixture: Fixture) async throws {
    let (workspace, bot, words) = (fixture.workspace.id, fixture.bot.id, "Zebulon says hello")
    let statements: [SQL] = [
      """
      insert into support_cases (workspace_id, bot_id, customer_id, topic, subject, source,
        opened_at, waits_since, last_message_at)
      values (\(workspace), \(bot), \(customer), 'other', \(words), 'buyer', now(), now(), now())
      """,
      """
      insert into support_messages (workspace_id, support_case_id, author_kind, body, at)
      select workspace_id, support_case_id, 'buyer', \(words), now() from support_cases
      """,
      """
      insert into outgoing_messages (workspace_id, bot_id, kind, subject, customer_id, body,
        button_title, button_url, created_at)
      values (\(workspace), \(bot), 'cart.reminder', '1:x', \(customer), \(words), 'Zebulon',
        'https://t.me/zebulon', now())
      """,
      """
      insert into abandoned_carts (workspace_id, checkout_id, customer_id, noticed_at)
      select workspace_id, max(checkout_id), \(customer), now() from checkouts group by 1
      """,
      """
      insert into outgoing_messages (workspace_id, bot_id, kind, subject, chat_id, body, created_at)
      select workspace_id, \(bot), 'cart.alert', checkout_id || ':1:2', 2, \(words), now()
      from abandoned_carts
      """,
      """
      insert into events (workspace_id, bot_id, customer_id, kind, body, created_at, next_at)
      values (\(workspace), \(bot), \(customer), 'credits.low', \(words), now(), now())
      """,
      "update refunds set note = \(words), decision_note = \(words), buyer_message = \(words)",
      """
      insert into star_transactions (workspace_id, bot_id, transaction_id, direction, position,
        stars, partner, telegram_id, invoice_payload, at, first_seen_at)
      values (\(workspace), \(bot), 'kept', 'incoming', 0, 75, 'user', \(Self.telegramID),
        'zebulon', now(), now())
      """,
      """
      insert into mismatches (workspace_id, bot_id, transaction_id, direction, kind, stars,
        customer_id, found_at, note)
      values (\(workspace), \(bot), 'kept', 'incoming', 'payment_unseen', 75, \(customer), now(),
        \(words))
      """,
      """
      insert into updates (workspace_id, bot_id, update_id, kind, body, state, relay_state,
        relay_queue, relay_at, received_at)
      values (\(workspace), \(bot), 77, 'message', \(words), 'processed', 'due',
        \(Self.telegramID), now(), now())
      """,
      """
      insert into audit_entries (workspace_id, at, actor_kind, actor, action, subject_kind,
        subject, reason)
      values (\(workspace), now(), 'operator', 'manager@example.com', 'checkout.cancelled',
        'checkout', (select min(checkout_id)::text from checkouts), \(words))
      """,
    ]
    for statement in statements { try await fixture.pool.execute(statement, in: fixture.scope) }
  }

  /// Rows in which the person can still be recognised.
  private func traces(_ fixture: Fixture) async throws -> [String] {
    var found: [String] = []
    for table in try await SchemaTests.tenantTables(fixture.database.superPool) {
      let rows = try await fixture.database.superPool.query(
        """
        select t::text as row from \(unsafe: table) t
        where t::text ilike '%zebulon%' or t::text like \("%\(Self.telegramID)%")
        """
      ).map { try $0.get("row", as: String.self) }
      found += rows.map { "\(table): \($0)" }
    }
    return found
  }

  @Test func noTraceOfThePersonIsLeft() async throws {
    try await Fixture.with { fixture in
      let customer = try await somebody(fixture)
      let before = try await traces(fixture)
      #expect(Set(before.map { $0.prefix { $0 != ":" } }).count >= 12, "\(before)")
      let preview = try await ErasurePreview.of(customer, in: fixture.scope, fixture.pool)
      #expect(preview.refusal == nil && preview.openCheckouts == 1 && preview.payments == 2)
      #expect(preview.supportCases == 1 && preview.credits == 15)

      for _ in 0..<2 {
        try await Customer.erase(
          customer.id, by: Self.manager, in: fixture.scope, fixture.pool)
      }
      let left = try await traces(fixture)
      #expect(left == [], "\(left)")
      let payloads = try await fixture.count(
        """
        select (select count(*) from payments where invoice_payload <> '')
          + (select count(*) from checkouts where payload is not null) as count
        """)
      #expect(payloads == 0, "a payload is signed for the buyer's id")
      let erased = try #require(
        try await Customer.find(id: customer.id, in: fixture.scope, fixture.pool))
      #expect(erased.erasedAt != nil && erased.telegramID == -customer.id && erased.hasPurchased)
      let lines = try await AuditEntry.about(
        "customer", String(customer.id), in: fixture.scope, fixture.pool)
      #expect(lines.map(\.action).filter { $0 == "customer.erased" }.count == 1)
    }
  }

  @Test func whatStaysIsRightAndWhoComesBackIsNew() async throws {
    try await Fixture.with { fixture in
      let customer = try await somebody(fixture)
      try await Customer.erase(customer.id, by: Self.manager, in: fixture.scope, fixture.pool)
      try await Worker(platform: fixture.platform).verifyLedger(in: fixture.scope)
      let problems = try await fixture.count(
        "select coalesce(sum(problem_count), 0)::int as count from ledger_verifications")
      #expect(problems == 0)
      let payments = try await Payment.of(
        customer: customer.id, in: fixture.scope, fixture.pool)
      #expect(payments.map(\.stars) == [75, 75])
      let open = try await fixture.count(
        """
        select (select count(*) from checkouts where closed_at is null)
          + (select count(*) from outgoing_messages where state = 'due' and customer_id is not null)
          + (select count(*) from support_cases where state <> 'closed')
          + (select count(*) from events where state = 'pending' and customer_id = \(customer.id))
          as count
        """)
      #expect(open == 0)
      for text in ["zebulon", String(Self.telegramID)] {
        let found = try await CustomerLookup.find(text, in: fixture.scope, fixture.pool)
        #expect(found.people.isEmpty && found.matches.isEmpty, "\(text)")
      }
      let again = try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.customer(
          telegramID: Self.telegramID, name: nil, in: fixture.scope, at: fixture.scope.now)
      }
      #expect(again.id != customer.id && !again.hasPurchased && !again.isAdmin)
      await #expect(throws: CreditAnswer.SendRefusal.erased) {
        _ = try await CreditAnswer.send(
          "x", to: customer.id, with: fixture.bot, key: "form-key", by: Self.manager,
          in: fixture.scope, fixture.pool)
      }
      // Nobody else's words are forgotten this way.
      _ = try await CreditGrant.give(
        CreditGrantOrder(1, source: .goodwill, reason: "kept", formKey: "other-form"),
        to: again.id, by: Self.manager, as: .manager, in: fixture.scope, fixture.pool)
      _ = try await fixture.pool.query(
        "select customer_forget_reasons(\(again.id), '')", in: fixture.scope)
      let kept = try await fixture.count(
        "select count(*) from credit_grants where reason = 'kept'")
      #expect(kept == 1)
    }
  }

  @Test func aRenewalAndAnUnsettledRefundComeFirst() async throws {
    try await Fixture.with { fixture in
      let customer = try await somebody(fixture)
      let payment = try #require(
        try await Payment.find(
          botID: fixture.bot.id, chargeID: "kept", in: fixture.scope, fixture.pool))
      let (refund, _) = try await Refund.request(
        payment, reason: .other, note: "", by: Self.manager, in: fixture.scope, fixture.pool)
      func erase() async throws {
        try await Customer.erase(customer.id, by: Self.manager, in: fixture.scope, fixture.pool)
      }
      await #expect(throws: EraseRefusal.refund(refund.id)) { try await erase() }
      _ = try await Refund.decide(
        refund.id, RefundDecision(.decline(.other)), by: Self.manager, in: fixture.scope,
        fixture.pool)
      try await fixture.pool.execute(
        """
        insert into plans (workspace_id, plan, title, description, kind, tier, stars,
          credits_per_cycle, position, created_at)
        values (\(fixture.workspace.id), 'monthly', 'Monthly', 'Monthly.', 'recurring', 'free',
          200, 50, 0, now())
        """, in: fixture.scope)
      let id = try await fixture.pool.query(
        """
        insert into subscriptions (workspace_id, bot_id, customer_id, plan, state, renewal, stars,
          credit_unit, rollover_cap_credits, grace_days, started_at, period_started_at,
          period_ends_at)
        values (\(fixture.workspace.id), \(fixture.bot.id), \(customer.id), 'monthly', 'active',
          'on', 200, 1, 0, 7, now(), now(), now() + interval '30 days')
        returning subscription_id
        """, in: fixture.scope)[0].get("subscription_id", as: Int64.self)
      await #expect(throws: EraseRefusal.subscription(id)) { try await erase() }
      let known = try #require(
        try await Customer.find(id: customer.id, in: fixture.scope, fixture.pool))
      #expect(known.firstName == "Zebulon" && known.erasedAt == nil)
      try await fixture.pool.execute("update subscriptions set renewal = 'off'", in: fixture.scope)
      try await erase()
      #expect(
        try await Customer.find(id: customer.id, in: fixture.scope, fixture.pool)?.erasedAt != nil)
    }
  }
  /// A bot that stepped back for the case takes over again, and is told of nobody.
  @Test func botsHearThatTheCaseIsClosed() async throws {
    try await Fixture.with { fixture in
      let customer = try await somebody(fixture)
      try await fixture.addressEvents()
      for _ in 0..<2 {
        try await Customer.erase(customer.id, by: Self.manager, in: fixture.scope, fixture.pool)
      }
      let told = try await fixture.pool.query(
        "select kind, body from events where state = 'pending'", in: fixture.scope)
      #expect(try told.map { try $0.get("kind", as: String.self) } == ["support.case_closed"])
      let body = try told.first?.get("body", as: String.self) ?? ""
      #expect(body.hasPrefix(#"{"source":"buyer","support_case":"#), "\(body)")
      let audit = try await AuditEntry.history(
        of: "support_case", limit: 10, in: fixture.scope, fixture.pool)
      #expect(audit.map(\.action) == ["support.closed"])
      #expect(try await traces(fixture) == [])
    }
  }
}
