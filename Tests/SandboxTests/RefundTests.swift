import Foundation
import Telegram
import Testing

@testable import Sandbox

@Suite struct RefundTests {
  /// A bench with one payment of 75 Stars.
  private func withPayment(
    _ body: @Sendable @escaping (Workbench, TelegramClient, String) async throws -> Void
  ) async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let shop = runShop(client)
      let slug = try #require(
        TranscriptView.slug(in: try await client.createInvoiceLink(invoice())))
      guard
        case .paid(let charge) = try await bench.book.pay(
          invoice: slug, personID: Workbench.ann)
      else { throw Refusal.invalid("not paid") }
      #expect(
        try await eventually { try await bench.book.pendingCount(of: Workbench.botID) == 0 })
      shop.cancel()
      _ = await shop.result
      try await body(bench, client, charge)
    }
  }

  @Test func aRefundByTheBotIsTwoRowsOfOneID() async throws {
    try await withPayment { bench, client, charge in
      try await client.refundStarPayment(userID: Workbench.ann, chargeID: charge)
      #expect(try await bench.book.person(Workbench.ann).stars == 1000)
      #expect(try await client.getMyStarBalance().amount == 0)
      let rows = try await client.getStarTransactions()
      #expect(rows.map(\.id) == [charge, charge])
      #expect(rows.map(\.direction) == [.incoming, .outgoing])
      #expect(rows[1].receiver?.user?.id == Workbench.ann)

      let update = try #require(try await client.getUpdates().first)
      #expect(update.message?.refundedPayment?.telegramPaymentChargeID == charge)
      #expect(update.message?.from?.id == Workbench.botID)
      #expect(update.user?.id == Workbench.ann)

      let again = await #expect(throws: TelegramError.self) {
        try await client.refundStarPayment(userID: Workbench.ann, chargeID: charge)
      }
      #expect(again?.isAlreadyRefunded == true)
      #expect(try await client.getStarTransactions(offset: 1).count == 1)
    }
  }

  @Test func anotherPersonsChargeIsNotRefunded() async throws {
    try await withPayment { bench, client, charge in
      try await bench.book.registerPerson(PersonCard(id: 5002, firstName: "Bo"))
      let error = await #expect(throws: TelegramError.self) {
        try await client.refundStarPayment(userID: 5002, chargeID: charge)
      }
      #expect(error?.name == "CHARGE_ID_INVALID")
      #expect(try await client.getMyStarBalance().amount == 75)
    }
  }

  @Test func telegramMayRefundByItself() async throws {
    try await withPayment { bench, client, charge in
      try await bench.book.refund(chargeID: charge, origin: .telegram)
      let update = try #require(try await client.getUpdates().first)
      #expect(update.message?.refundedPayment?.totalAmount == 75)
      #expect(update.message?.refundedPayment?.providerPaymentChargeID == nil)
      await #expect(throws: Refusal.self) {
        try await bench.book.refund(chargeID: charge, origin: .telegram)
      }
    }
  }

  @Test func aChargebackIsSeenInTheTransactionsOnly() async throws {
    try await withPayment { bench, client, charge in
      try await bench.book.refund(chargeID: charge, origin: .chargeback)
      #expect(try await client.getUpdates().isEmpty)
      let rows = try await client.getStarTransactions()
      #expect(rows.last?.receiver?.type == "other")
      #expect(rows.last?.id == charge)
      #expect(try await client.getMyStarBalance().amount == 0)
    }
  }

  @Test func aComplaintReachesTheBotAsPaySupport() async throws {
    try await withPayment { bench, client, charge in
      try await bench.book.complain(chargeID: charge, reason: "It was dull")
      let message = try #require(try await client.getUpdates().first?.message)
      #expect(message.command == "paysupport")
      #expect(message.commandArgument == "\(charge) It was dull")
    }
  }
}
