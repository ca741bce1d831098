@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Telegram
import Testing

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
          .filter { $0.entitlement == "hd_quality" && $0.isActive(at: fixture.scope.now) }
          .map(\.chargeID)
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
        try await fixture.count("select count(*) from checkouts where state = 'pending'") == 1)
    }
  }
}
