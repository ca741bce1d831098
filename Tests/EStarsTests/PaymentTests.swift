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
      let access = try await fixture.count(
        "select count(*) from access_grants where charge_id = 'c1' and ended_at is null")
      #expect(access == 1)
      let paid = try await fixture.count("select count(*) from checkouts where state = 'paid'")
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

/// What would go wrong if something else than the charge were the key of money.
@Suite struct ChargeTests {
  @Test func anUpdateIdUsedAgainDoesNotHideAPayment() async throws {
    try await Fixture.with { fixture in
      for charge in ["a", "b", "b", "a"] {
        let sale = try await fixture.checkout("start", for: 61, key: "sale-\(charge)")
        _ = try await fixture.receive(
          Sent.payment(
            update: 5, from: 61, stars: 75, payload: sale.payload ?? "", charge: charge))
      }
      #expect(try await fixture.balance(61) == 20)
      #expect(try await fixture.count("select count(*) from payments") == 2)
    }
  }

  @Test func anotherCurrencyIsTheBotsOwnBusiness() async throws {
    try await Fixture.with { fixture in
      let body = Sent.payment(update: 1, from: 62, stars: 1999, payload: "x", charge: "usd")
        .replacing("XTR", with: "USD")
      #expect(
        try await fixture.receive(body)
          == .stored(outcome: "stored", paymentID: nil, isDuplicate: false))
      #expect(try await fixture.count("select count(*) from payments") == 0)
      let query = try await fixture.receive(
        Sent.preCheckout(update: 2, from: 62, stars: 1999, payload: "x", currency: "USD"))
      guard case .preCheckout(_, .notOurs, _) = query else {
        Issue.record("\(query)")
        return
      }
    }
  }

  @Test(arguments: [
    ("\"total_amount\":75", "\"total_amount\":0"),
    ("\"total_amount\":75", "\"total_amount\":-75"),
    ("\"total_amount\":75", "\"total_amount\":9000000000000000000"),
    ("\"date\":1795000000", "\"date\":9000000000000000000"),
    ("\"from\":{\"id\":63", "\"from\":{\"id\":-63"),
    ("charge-63", "charge\\u0000"), ("charge-63", ""),
  ])
  func whatCannotBeIsRefused(_ change: (String, String)) async throws {
    try await Fixture.with { (fixture) async throws -> Void in
      let body = Sent.payment(update: 1, from: 63, stars: 75, payload: "x", charge: "charge-63")
      #expect(body.contains(change.0))
      await #expect(throws: UpdateIntake.Refusal.self) { () async throws -> Void in
        _ = try await fixture.receive(body.replacing(change.0, with: change.1))
      }
      #expect(try await fixture.count("select count(*) from updates") == 0)
    }
  }

  @Test func namesWithStrangeCharactersAreKept() async throws {
    try await Fixture.with { fixture in
      let body = Sent.payment(
        update: 1, from: 64, stars: 75, payload: "x\\u0000y", charge: "c64",
        firstName: "\\u0000A\\ud83d\\ude00")
      _ = try await fixture.receive(body)
      let customer = try await Customer.find(telegramID: 64, in: fixture.scope, fixture.pool)
      #expect(customer?.firstName == "A😀")
      let unknown = try await fixture.receive("{\"update_id\":2,\"\\u0000new\":{}}")
      #expect(unknown == .stored(outcome: "stored", paymentID: nil, isDuplicate: false))
    }
  }

  @Test func refundingTheFirstOfTwoBringsTheSecondsDaysForward() async throws {
    try await Fixture.with { fixture in
      for (index, charge) in ["first", "second"].enumerated() {
        let sale = try await fixture.checkout("pro", for: 65)
        _ = try await fixture.receive(
          Sent.payment(
            update: Int64(index + 1), from: 65, stars: 500, payload: sale.payload ?? "",
            charge: charge))
      }
      guard let customer = try await Customer.find(telegramID: 65, in: fixture.scope, fixture.pool)
      else { return }
      func active() async throws -> [String?] {
        try await AccessGrant.of(customer: customer.id, in: fixture.scope, fixture.pool)
          .filter { $0.isActive(at: fixture.scope.now) }.map(\.chargeID)
      }
      #expect(try await active() == ["first"])
      let refund = Sent.refund(update: 3, payer: 65, stars: 500, payload: "", charge: "first")
      _ = try await fixture.receive(refund)
      #expect(try await active() == ["second"])
      let grants = try await AccessGrant.of(
        customer: customer.id, in: fixture.scope, fixture.pool)
      let days = grants.first { $0.chargeID == "second" }.map {
        $0.endsAt.timeIntervalSince(fixture.scope.now) / 86_400
      }
      #expect((days ?? 0) > 29.9 && (days ?? 0) < 30.1)
    }
  }

  @Test func ofCheckoutsOpenedTogetherOneStaysOpen() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.checkout("start", for: 66)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<12 {
          group.addTask { _ = try await fixture.checkout("try", for: 66) }
        }
        try await group.waitForAll()
      }
      #expect(
        try await fixture.count("select count(*) from checkouts where state = 'open'") == 1)
    }
  }
}

/// Prices come from the catalogue, and a retry is a retry whatever they have become.
@Suite struct UsageTests {
  private func debit(
    _ fixture: Fixture, _ key: String, units: Int64 = 1, action: String = "sticker"
  ) async throws -> UsageAnswer {
    try await fixture.platform.usage.debit(
      DebitRequest(
        check: CheckRequest(telegramID: 81, action: action, units: units), ref: nil,
        idempotencyKey: key), in: fixture.scope)
  }

  private func funded(_ fixture: Fixture) async throws {
    let sale = try await fixture.checkout("start", for: 81)
    _ = try await fixture.receive(
      Sent.payment(update: 1, from: 81, stars: 75, payload: sale.payload ?? "", charge: "u1"))
  }

  @Test func aRetryReplaysAfterThePriceChangedAndAfterTheActionWent() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      #expect(try await debit(fixture, "k").cost == 1)
      try await fixture.pool.execute(
        "update actions set price_credits = 3 where action = 'sticker'", in: fixture.scope)
      let replay = try await debit(fixture, "k")
      #expect(replay.status == .replayed && replay.cost == 1 && replay.balance == 9)
      #expect(try await debit(fixture, "k2").cost == 3)
      try await fixture.pool.execute(
        "update actions set withdrawn_at = now() where action = 'sticker'", in: fixture.scope)
      #expect(try await debit(fixture, "k").status == .replayed)
      #expect(try await debit(fixture, "k3").status == .unknownAction)
      #expect(try await debit(fixture, "k", units: 2).status == .conflict)
      #expect(try await fixture.balance(81) == 6)
    }
  }

  @Test func aDebitOfNothingTakesItsKeyToo() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      try await fixture.pool.execute(
        "update actions set price_credits = 0 where action = 'sticker'", in: fixture.scope)
      let first = try await debit(fixture, "free")
      #expect(first.status == .applied && first.cost == 0 && first.balance == 10)
      try await fixture.pool.execute(
        "update actions set price_credits = 2 where action = 'sticker'", in: fixture.scope)
      let replay = try await debit(fixture, "free")
      #expect(replay.status == .replayed && replay.cost == 0 && replay.balance == 10)
      #expect(replay.postedAt == first.postedAt)
      #expect(try await debit(fixture, "free", units: 2).status == .conflict)
      #expect(try await fixture.balance(81) == 10)
    }
  }

  @Test func anActionMayNeedAnEntitlement() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      try await fixture.pool.execute(
        "update actions set required_entitlement = 'hd_quality' where action = 'sticker'",
        in: fixture.scope)
      #expect(try await debit(fixture, "n").status == .noAccess)
      let sale = try await fixture.checkout("pro", for: 81)
      _ = try await fixture.receive(
        Sent.payment(update: 2, from: 81, stars: 500, payload: sale.payload ?? "", charge: "u2"))
      #expect(try await debit(fixture, "n").status == .applied)
      _ = try await fixture.receive(
        Sent.refund(update: 3, payer: 81, stars: 500, payload: sale.payload ?? "", charge: "u2"))
      #expect(try await debit(fixture, "n2").status == .noAccess)
      #expect(try await debit(fixture, "n").status == .replayed)
    }
  }

  @Test func expiredCreditsAreNotThereForAnybody() async throws {
    try await Fixture.with { fixture in
      try await fixture.pool.execute(
        "update packs set credits_valid_days = 1 where sku = 'start'", in: fixture.scope)
      try await fixture.pool.execute(
        """
        update workspaces set clock_offset_seconds = -172800
        where workspace_id = \(fixture.workspace.id)
        """)
      guard let past = try await Workspace.find(id: fixture.workspace.id, fixture.pool) else {
        return
      }
      let earlier = Fixture(
        database: fixture.database, platform: fixture.platform, live: fixture.live,
        workspace: past, bot: fixture.bot)
      try await funded(earlier)
      #expect(try await earlier.balance(81) == 10)
      #expect(try await fixture.balance(81) == 0)
      let check = try await fixture.platform.usage.check(
        CheckRequest(telegramID: 81, action: "sticker", units: 1), in: fixture.scope)
      #expect(check.status == .insufficient && check.balance == 0)
      #expect(try await debit(fixture, "late").status == .insufficient)
      #expect(try await Ledger(pool: fixture.pool).verify(in: fixture.scope).isEmpty)
    }
  }

  @Test func aHoldNobodyClosedIsReleasedByItsJob() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      let customer = try await Customer.find(telegramID: 81, in: fixture.scope, fixture.pool)
      let account = Account(customer?.id ?? 0)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        let now = fixture.scope.now.addingTimeInterval(-120)
        let answer = try await tx.hold(
          Debit(4, key: "api:h", action: "sticker"), from: account,
          until: now.addingTimeInterval(60), in: fixture.scope, at: now)
        #expect(answer.status == .applied)
      }
      #expect(try await fixture.balance(81) == 6)
      try await Worker(platform: fixture.platform).runDue()
      #expect(try await fixture.balance(81) == 10)
    }
  }
}
