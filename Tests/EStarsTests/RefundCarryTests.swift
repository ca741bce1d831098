import Foundation
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// Refunds of a cycle whose credits went on into the next ones.
@Suite struct RefundCarryTests {
  @Test func aRefundTakesWhatItsPreviewSaid() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 96)
      try await fixture.pay(sale, from: 96, update: 1, charge: "k1", days: 0, isFirst: true)
      try await fixture.pay(sale, from: 96, update: 2, charge: "k2", days: 30)
      try await fixture.use(100, of: 96, days: 30.2)
      // 250 were carried, 250 expired.
      #expect(
        try await fixture.foreseen("k1", of: sale, from: 96, update: 3, days: 31)
          == [500, 150, 100, 0, 250])
      #expect(try await fixture.balance(96, 31.1) == 500)
      try await fixture.expectSound()
    }
  }

  @Test func whatIsCarriedAgainCountsOnceToo() async throws {
    try await SubscriptionFixture.with { fixture in
      let sale = try await fixture.checkout("pro", for: 97)
      try await fixture.pay(sale, from: 97, update: 1, charge: "m1", days: 0, isFirst: true)
      try await fixture.pay(sale, from: 97, update: 2, charge: "m2", days: 30)
      #expect(
        try await fixture.foreseen("m2", of: sale, from: 97, update: 3, days: 31)
          == [500, 500, 0, 0, 0])
      try await fixture.pay(sale, from: 97, update: 4, charge: "m3", days: 60)
      #expect(try await fixture.balance(97, 60.1) == 750)
      try await fixture.use(120, of: 97, days: 60.2)
      #expect(
        try await fixture.foreseen("m1", of: sale, from: 97, update: 5, days: 61)
          == [500, 130, 120, 0, 250])
      #expect(try await fixture.balance(97, 61.1) == 500)
      try await fixture.expectSound()
    }
  }
}

extension SubscriptionFixture {
  fileprivate func use(_ credits: Int64, of telegramID: Int64, days: Double) async throws {
    guard credits > 0 else { return }
    let scope = scope(days)
    let customer = try #require(try await Customer.find(telegramID: telegramID, in: scope, pool))
    let answer = try await pool.transaction(in: scope) { tx in
      try await tx.debit(
        Debit(credits, key: "api:\(UUID().uuidString)"), from: Account(customer.id), in: scope,
        at: scope.now)
    }
    #expect(answer.status == .applied)
  }

  /// Refunds a charge and compares what its preview said with what was taken.
  ///
  /// - Returns: Credits granted, taken, used, held and expired.
  fileprivate func foreseen(
    _ charge: String, of sale: Checkout, from telegramID: Int64, update: Int64, days: Double
  ) async throws -> [Int64] {
    let payment = try #require(
      try await Payment.find(botID: fixture.bot.id, chargeID: charge, in: scope(days), pool))
    let preview = try await RefundPreview.of(payment, in: scope(days), pool)
    #expect(preview.balanceBefore == (try await balance(telegramID, days)))
    #expect(preview.lots.allSatisfy { $0.granted > 0 })
    let said = [
      preview.lots.reduce(0) { $0 + $1.granted }, preview.taken, preview.used, preview.held,
      preview.expired,
    ]
    try await refund(charge, of: sale, from: telegramID, update: update, days: days)
    let row = try await pool.query(
      "select * from clawbacks where charge_id = \(charge)", in: scope())[0]
    let took: [Int64] = try ["granted", "taken", "used", "held", "expired"].map { try row.get($0) }
    #expect(took == said)
    #expect(try await balance(telegramID, days) == preview.balanceAfter)
    return said
  }
}
