@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Logging
import Postgres
import Telegram
import TestSupport
import Testing

/// What a buyer is told before anything is charged.
@Suite struct PreCheckoutTests {
  private func verdict(
    _ fixture: Fixture, _ payload: String, from: Int64 = 91, stars: Int64 = 75,
    currency: String = "XTR"
  ) async throws -> PreCheckout.Verdict? {
    let handled = try await fixture.receive(
      Sent.preCheckout(
        update: .random(in: 1...(1 << 40)), from: from, stars: stars, payload: payload,
        currency: currency))
    guard case .preCheckout(_, let verdict, _) = handled else { return nil }
    return verdict
  }

  @Test func onlyWhatWasSignedIsAccepted() async throws {
    try await Fixture.with { fixture in
      let payload = try await fixture.checkout("start", for: 91).payload ?? ""
      #expect(try await verdict(fixture, payload) == .accept)
      #expect(try await verdict(fixture, payload, from: 92) == .refuse(.otherBuyer))
      #expect(try await verdict(fixture, payload, stars: 74) == .refuse(.wrongPrice))
      #expect(try await verdict(fixture, payload, currency: "EUR") == .notOurs)
      #expect(try await verdict(fixture, "order-17") == .notOurs)
      #expect(try await verdict(fixture, payload + "A") == .refuse(.unknownInvoice))
      let foreign = InvoicePayload(
        workspaceID: fixture.live.id, checkoutID: 1, buyerTelegramID: 91, sku: "start", stars: 75,
        expiresAt: 4_000_000_000
      ).signed(fixture.platform.secrets)
      #expect(try await verdict(fixture, foreign) == .refuse(.unknownInvoice))
    }
  }

  @Test func anInvoiceIsPaidOnceInItsTimeWhileThePackIsOnSale() async throws {
    try await Fixture.with { fixture in
      let paid = try await fixture.checkout("start", for: 91)
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 91, stars: 75, payload: paid.payload ?? "", charge: "p1"))
      #expect(try await verdict(fixture, paid.payload ?? "") == .refuse(.alreadyPaid))
      let older = try await fixture.checkout("start", for: 91)
      let newer = try await fixture.checkout("start", for: 91)
      #expect(try await verdict(fixture, older.payload ?? "") == .refuse(.cancelled))
      #expect(try await verdict(fixture, newer.payload ?? "") == .accept)
      let expired = InvoicePayload(
        workspaceID: fixture.workspace.id, checkoutID: newer.id, buyerTelegramID: 91,
        sku: "start", stars: 75, expiresAt: Int64(Date().timeIntervalSince1970) - 1
      ).signed(fixture.platform.secrets)
      #expect(try await verdict(fixture, expired) == .refuse(.expired))
      let missing = InvoicePayload(
        workspaceID: fixture.workspace.id, checkoutID: 999_999, buyerTelegramID: 91, sku: "start",
        stars: 75, expiresAt: 4_000_000_000
      ).signed(fixture.platform.secrets)
      #expect(try await verdict(fixture, missing) == .refuse(.unknownInvoice))
      let last = try await fixture.checkout("start", for: 91)
      let withdrawn = InvoicePayload(
        workspaceID: fixture.workspace.id, checkoutID: last.id, buyerTelegramID: 91, sku: "gone",
        stars: 75, expiresAt: 4_000_000_000
      ).signed(fixture.platform.secrets)
      #expect(try await verdict(fixture, withdrawn) == .refuse(.withdrawn))
    }
  }

  /// What is in memory is up to ``Limits/directorySeconds`` old.
  @Test func whatWasPutOnSaleAMomentAgoIsSold() async throws {
    try await Fixture.with { fixture in
      let old = try await Catalog.load(in: fixture.scope, fixture.pool)
      let id = fixture.workspace.id
      try await fixture.pool.execute(
        """
        insert into packs (workspace_id, sku, title, description, emoji, credits, bonus_credits,
          stars, available_to, position)
        values (\(id), 'fresh', 'Fresh', 'Seven credits.', '', 7, 0, 33, 'everyone', 90)
        """, in: fixture.scope)
      try await fixture.pool.execute(
        """
        insert into plans (workspace_id, plan, title, description, kind, tier, stars,
          credits_per_cycle, position, created_at)
        values (\(id), 'fresh', 'Fresh', 'Five credits.', 'recurring', 'pro', 444, 5, 90, now())
        """, in: fixture.scope)
      let catalog = try await Catalog.load(in: fixture.scope, fixture.pool)
      let decider = PreCheckout(
        pool: fixture.pool, secrets: fixture.platform.secrets, logger: TestCluster.logger)
      for (user, item, stars) in [
        (Int64(93), CheckoutRequest.Item.pack(sku: "fresh", discountPercent: 0), Int64(33)),
        (94, .plan("fresh"), 444),
      ] {
        let sale = try await fixture.pool.transaction(in: fixture.scope) { tx in
          try await tx.openCheckout(
            CheckoutRequest(telegramID: user, item: item, idempotencyKey: "fresh-\(user)"),
            with: fixture.bot, catalog, fixture.platform.secrets, in: fixture.scope,
            at: fixture.scope.now
          ).0
        }
        let query = PreCheckoutQuery(
          id: "q\(user)", from: User(id: user, firstName: "Ann"), currency: "XTR",
          totalAmount: stars, invoicePayload: sale.payload ?? "")
        #expect(!old.sells(user == 93 ? "fresh" : "plan:fresh"))
        let verdict = await decider.decide(
          query, for: fixture.bot, in: fixture.workspace, scope: fixture.scope, old)
        #expect(verdict == .accept, "\(item)")
      }
    }
  }

  @Test func aPackForFirstPurchasesIsBoughtOnce() async throws {
    try await Fixture.with { fixture in
      let older = try await fixture.checkout("start", for: 91)
      let first = try await fixture.checkout("try", for: 91)
      // A link that was opened before the purchase of something else.
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 91, stars: 75, payload: older.payload ?? "", charge: "f1"))
      await #expect(throws: Checkout.Refusal.notAvailable) {
        try await fixture.checkout("try", for: 91)
      }
      #expect(
        try await verdict(fixture, first.payload ?? "", stars: 49) == .refuse(.firstPurchaseOnly))
    }
  }

  @Test func tenPurchasesAnHourAreEnough() async throws {
    try await Fixture.with { fixture in
      let now = Int64(Date().timeIntervalSince1970)
      for number in 0..<10 {
        let sale = try await fixture.checkout("start", for: 91)
        #expect(try await verdict(fixture, sale.payload ?? "") == .accept)
        _ = try await fixture.receive(
          Sent.payment(
            update: Int64(number + 1), from: 91, stars: 75, payload: sale.payload ?? "",
            charge: "t\(number)", at: now))
      }
      await #expect {
        try await fixture.checkout("start", for: 91)
      } throws: { error in
        guard case Checkout.Refusal.tooManyPurchases(let seconds) = error else { return false }
        return (1...3600).contains(seconds)
      }
      // Somebody else is not held up by it.
      let other = try await fixture.checkout("start", for: 92)
      #expect(try await verdict(fixture, other.payload ?? "", from: 92) == .accept)
    }
  }

  /// No database answers at this address: the signature and the catalogue in memory decide, then
  /// the workspace's policy.
  @Test func withoutADatabaseThePolicyDecides() async throws {
    try await Fixture.with { fixture in
      let payload = try await fixture.checkout("start", for: 91).payload ?? ""
      let catalog = try await Catalog.load(in: fixture.scope, fixture.pool)
      let nowhere = Pool(
        Configuration(connectionString: "host=/tmp/estars-nowhere dbname=none"),
        logger: TestCluster.logger)
      let decider = PreCheckout(
        pool: nowhere, secrets: fixture.platform.secrets,
        logger: Logger(label: "test") { _ in
          SwiftLogNoOpLogHandler()
        })
      func verdict(_ policy: String, stars: Int64) async throws -> PreCheckout.Verdict? {
        try await fixture.pool.execute(
          """
          update workspaces set pre_checkout_outage_policy = \(policy)
          where workspace_id = \(fixture.workspace.id)
          """)
        guard let workspace = try await Workspace.find(id: fixture.workspace.id, fixture.pool)
        else { return nil }
        let query = PreCheckoutQuery(
          id: "q", from: User(id: 91, firstName: "Ann"), currency: "XTR", totalAmount: stars,
          invoicePayload: payload)
        return await decider.decide(
          query, for: fixture.bot, in: workspace, scope: fixture.scope, catalog)
      }
      #expect(try await verdict("accept", stars: 75) == .accept)
      #expect(try await verdict("refuse", stars: 75) == .refuse(.outage))
      #expect(try await verdict("accept", stars: 76) == .refuse(.wrongPrice))
      await nowhere.close()
    }
  }

  @Test(arguments: PreCheckout.Reason.allCases)
  func everyReasonIsSaidInTheBuyersLanguage(_ reason: PreCheckout.Reason) {
    let messages = BuyerLanguage.allCases.map { reason.message($0) }
    #expect(Set(messages).count == BuyerLanguage.allCases.count)
    // Telegram shows it in a small alert.
    #expect(messages.allSatisfy { $0.count < 120 })
  }
}

/// The customer lookup and the page's timeline.
@Suite struct CustomerTests {
  private func buy(
    _ fixture: Fixture, _ id: Int64, _ name: String, charge: String, update: Int64
  ) async throws {
    let sale = try await fixture.checkout("start", for: id)
    _ = try await fixture.receive(
      Sent.payment(
        update: update, from: id, stars: 75, payload: sale.payload ?? "", charge: charge,
        firstName: name))
  }

  @Test func peopleAreFoundByNameIdAndCharge() async throws {
    try await Fixture.with { fixture in
      try await buy(fixture, 101, "João 100%", charge: "find-me", update: 1)
      try await buy(fixture, 102, "Joana_B", charge: "other", update: 2)
      func found(_ text: String) async throws -> [Int64] {
        let found = try await CustomerLookup.find(text, limit: 10, in: fixture.scope, fixture.pool)
        return found.people.map(\.customer.telegramID)
      }
      #expect(try await found("joao") == [101])
      #expect(try await found("JOÃO") == [101])
      #expect(try await found("joa") == [102, 101])
      for text in ["101", " 101 ", "find-me"] {
        let exact = try await CustomerLookup.find(text, in: fixture.scope, fixture.pool)
        guard exact.people.isEmpty, exact.matches.count == 1 else {
          Issue.record("\(text): \(exact)")
          continue
        }
        switch exact.matches[0] {
        case .customer(let customer): #expect(customer.telegramID == 101)
        case .payment(let payment): #expect(payment.chargeID == "find-me")
        case .checkout: Issue.record("\(text) is no checkout")
        }
      }
      // What means something to LIKE means itself here.
      #expect(try await found("100%") == [101])
      #expect(try await found("joana_b") == [102])
      #expect(try await found("joanaxb") == [])
      #expect(try await found("\\") == [])
      let all = try await Customer.list(
        before: nil, limit: 10, in: fixture.scope, fixture.pool)
      #expect(all.map(\.customer.telegramID) == [102, 101])
    }
  }
}
