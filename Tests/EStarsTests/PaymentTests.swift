@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Telegram
import Testing

/// Payments and refunds as they arrive, in every order.
@Suite struct PaymentTests {
  @Test func aPaymentMakesItsLotsAccessAndAuditTogether() async throws {
    try await Fixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 71)
      let handled = try await fixture.receive(
        Sent.payment(update: 1, from: 71, stars: 500, payload: sale.payload ?? "", charge: "c1"))
      guard case .stored("payment.credited", let id?, false) = handled else {
        Issue.record("\(handled)")
        return
      }
      #expect(try await fixture.balance(71) == 100)
      let access = try await fixture.pool.query(
        """
        select entitlement from access_grants where charge_id = 'c1' and ended_at is null
        order by entitlement
        """, in: fixture.scope)
      let pack = try await Catalog.load(in: fixture.scope, fixture.pool).pack(sku: "pro")
      #expect(
        try access.map { try $0.get("entitlement", as: String.self) }
          == pack?.entitlements.map(\.entitlement))
      #expect(access.count > 1)
      let paid = try await fixture.count("select count(*) from checkouts where state = 'completed'")
      #expect(paid == 1)
      let audit = try await AuditEntry.about("payment", String(id), in: fixture.scope, fixture.pool)
      #expect(audit.map(\.action) == ["payment.credited"])
    }
  }

  @Test func everyOrderOfPaymentAndRefundEndsAlike() async throws {
    let orders: [[Character]] = [
      ["p", "r"], ["r", "p"], ["p", "p", "r", "r"], ["r", "p", "r", "p"], ["p", "r", "p", "r"],
    ]
    for order in orders {
      try await Fixture.with { fixture in
        let sale = try await fixture.checkout("try", for: 72)
        for (index, letter) in order.enumerated() {
          let update = Int64(index + 1)
          let body =
            letter == "p"
            ? Sent.payment(
              update: update, from: 72, stars: 49, payload: sale.payload ?? "", charge: "c2")
            : Sent.refund(
              update: update, payer: 72, stars: 49, payload: sale.payload ?? "", charge: "c2")
          _ = try await fixture.receive(body)
        }
        #expect(try await fixture.balance(72) == 0, "\(order)")
        let payments = try await fixture.pool.query(
          "select state from payments", in: fixture.scope)
        #expect(try payments.map { try $0.get("state", as: String.self) } == ["refunded"])
        #expect(try await fixture.count("select count(*) from refunds") == 1)
        #expect(try await Ledger(pool: fixture.pool).verify(in: fixture.scope).isEmpty)
      }
    }
  }

  @Test func concurrentPaymentsAndRefundsOfOneChargeSettle() async throws {
    try await Fixture.with { fixture in
      let sale = try await fixture.checkout("start", for: 73)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for update in 1...40 {
          group.addTask {
            let body =
              update.isMultiple(of: 2)
              ? Sent.payment(
                update: Int64(update), from: 73, stars: 75, payload: sale.payload ?? "",
                charge: "c3")
              : Sent.refund(
                update: Int64(update), payer: 73, stars: 75, payload: sale.payload ?? "",
                charge: "c3")
            _ = try await fixture.receive(body)
          }
        }
        try await group.waitForAll()
      }
      #expect(try await fixture.balance(73) == 0)
      #expect(try await fixture.count("select count(*) from payments") == 1)
      let pending = try await fixture.count(
        "select count(*) from updates where state <> 'processed'")
      #expect(pending == 0)
      #expect(try await Ledger(pool: fixture.pool).verify(in: fixture.scope).isEmpty)
    }
  }

  @Test func aSecondPaymentOfOneInvoiceIsCreditedAndMarked() async throws {
    try await Fixture.with { fixture in
      let sale = try await fixture.checkout("start", for: 74)
      for charge in ["c4", "c5"] {
        _ = try await fixture.receive(
          Sent.payment(
            update: charge == "c4" ? 1 : 2, from: 74, stars: 75, payload: sale.payload ?? "",
            charge: charge))
      }
      #expect(try await fixture.balance(74) == 20)
      let second = try await Payment.find(
        botID: fixture.bot.id, chargeID: "c5", in: fixture.scope, fixture.pool)
      #expect(second?.review == "second_payment")
    }
  }

  @Test func thePayerIsCreditedWhateverBecameOfTheCheckout() async throws {
    try await Fixture.with { fixture in
      let older = try await fixture.checkout("start", for: 75)
      _ = try await fixture.checkout("pop", for: 75)
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 76, stars: 75, payload: older.payload ?? "", charge: "c6"))
      #expect(try await fixture.balance(75) == 0)
      #expect(try await fixture.balance(76) == 10)
    }
  }

  @Test func aPayloadOfTheOtherSideCreditsNothing() async throws {
    try await Fixture.with { fixture in
      let foreign = InvoicePayload(
        workspaceID: fixture.live.id, checkoutID: 1, buyerTelegramID: 77, sku: "start", stars: 75,
        expiresAt: 4_000_000_000
      ).signed(fixture.platform.secrets)
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 77, stars: 75, payload: foreign, charge: "c7"))
      let payment = try await Payment.find(
        botID: fixture.bot.id, chargeID: "c7", in: fixture.scope, fixture.pool)
      #expect(payment?.state == .unmatched)
      #expect(try await fixture.balance(77) == 0)
    }
  }

  @Test func whatWasUsedIsForgivenOrOwedByPolicy() async throws {
    for (policy, expected) in [("forgive", Int64(0)), ("debt", -4)] {
      try await Fixture.with { fixture in
        try await fixture.pool.execute(
          """
          update workspaces set refund_debt_policy = \(policy)
          where workspace_id = \(fixture.workspace.id)
          """)
        guard
          let workspace = try await Workspace.find(id: fixture.workspace.id, fixture.pool)
        else { return }
        let sale = try await fixture.checkout("start", for: 78)
        _ = try await fixture.receive(
          Sent.payment(update: 1, from: 78, stars: 75, payload: sale.payload ?? "", charge: "c8"))
        for number in 0..<4 {
          let answer = try await fixture.platform.usage.debit(
            DebitRequest(
              check: CheckRequest(telegramID: 78, action: "sticker", units: 1), ref: nil,
              idempotencyKey: "use-\(number)"), in: fixture.scope)
          #expect(answer.status == .applied)
        }
        _ = try await fixture.platform.updates.receive(
          Sent.refund(update: 2, payer: 78, stars: 75, payload: sale.payload ?? "", charge: "c8"),
          for: fixture.bot, in: workspace, scope: fixture.scope)
        #expect(try await fixture.balance(78) == expected)
      }
    }
  }

  @Test func anUpdateThatFailsWaitsForTheWorker() async throws {
    try await Fixture.with { fixture in
      let sale = try await fixture.checkout("start", for: 79)
      // The ledger cannot post while its chain trigger refuses everything.
      let owner = fixture.database.ownerPool
      try await owner.execute(
        "alter table entries add constraint broken check (amount < 0) not valid")
      let handled = try await fixture.receive(
        Sent.payment(update: 1, from: 79, stars: 75, payload: sale.payload ?? "", charge: "c9"))
      #expect(handled == .stored(outcome: "pending", paymentID: nil, isDuplicate: false))
      #expect(try await fixture.count("select count(*) from payments") == 0)
      // A second delivery waits with the first; another payment under its id must come again.
      let again = try await fixture.receive(
        Sent.payment(update: 1, from: 79, stars: 75, payload: sale.payload ?? "", charge: "c9"))
      #expect(again == handled)
      await #expect(throws: UpdateIntake.Refusal.occupied) { () async throws -> Void in
        _ = try await fixture.receive(
          Sent.payment(
            update: 1, from: 79, stars: 75, payload: sale.payload ?? "", charge: "c10"))
      }
      try await owner.execute("alter table entries drop constraint broken")
      let later = Date().addingTimeInterval(60)
      try await fixture.pool.execute(
        "update updates set retry_at = now() where state = 'pending'", in: fixture.scope)
      try await Worker(platform: fixture.platform).runDue { later }
      #expect(try await fixture.balance(79) == 10)
      let bodies = try await fixture.count(
        "select count(*) from updates where body is not null")
      #expect(bodies == 0)
    }
  }
}
