import Foundation
import Telegram
import Testing

@testable import Sandbox

/// What a bot never hears of, and what its books hold all the same.
@Suite struct LossTests {
  private func updates(_ client: TelegramClient) async throws -> [Update] {
    try await client.getUpdates(timeoutSeconds: 0)
  }

  @Test func aLostPaymentStandsInTheBooksAlone() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let link = try await client.createInvoiceLink(
        InvoiceRequest(
          title: "P", description: "P", payload: "p1", price: .init(label: "P", amount: 50)))
      await bench.book.loseUpdates(botID: Workbench.botID, what: "successful_payment")
      for isLost in [true, false] {
        let slug = try #require(link.split(separator: "$").last.map(String.init))
        async let outcome = bench.book.pay(invoice: slug, personID: Workbench.ann)
        var query: PreCheckoutQuery?
        var offset: Int64 = 0
        while query == nil {
          for update in try await client.getUpdates(offset: offset, timeoutSeconds: 1) {
            offset = update.updateID + 1
            query = update.preCheckoutQuery ?? query
          }
        }
        try await client.acceptPreCheckoutQuery(try #require(query).id)
        guard case .paid(let charge) = try await outcome else {
          Issue.record("the payment failed")
          return
        }
        let told = try await client.getUpdates(offset: offset, timeoutSeconds: 0)
          .compactMap(\.message?.successfulPayment?.telegramPaymentChargeID)
        #expect(told == (isLost ? [] : [charge]))
        let rows = try await client.getStarTransactions()
        #expect(rows.last?.id == charge && rows.last?.direction == .incoming)
      }
    }
  }

  @Test func aSilentRefundIsNoUpdate() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let now = await Int64(bench.book.now)
      let ids = try await bench.book.seed([
        PastPayment(
          botID: Workbench.botID, personID: Workbench.ann, stars: 10, title: "P", payload: "p",
          date: now - 100)
      ])
      try await bench.book.refund(chargeID: ids[0], origin: .silent)
      #expect(try await updates(client).isEmpty)
      let row = try #require(try await client.getStarTransactions().last)
      #expect(row.id == ids[0] && row.direction == .outgoing)
      #expect(row.receiver?.transactionType == "invoice_payment")
    }
  }

  @Test func aWithdrawalIsPendingAndThenDoneOrBack() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      _ = try await bench.book.moveStars(
        botID: Workbench.botID, .incoming, partner: "other", stars: 500)
      let done = try await bench.book.withdraw(botID: Workbench.botID, stars: 200)
      let failed = try await bench.book.withdraw(botID: Workbench.botID, stars: 100)
      #expect(try await client.getMyStarBalance().amount == 200)
      let pending = try await client.getStarTransactions()
      #expect(pending.map(\.amount) == [500, 200, 100])
      #expect(pending.last?.receiver?.withdrawalState?.type == "pending")
      try await bench.book.endWithdrawal(done, botID: Workbench.botID, succeeded: true)
      try await bench.book.endWithdrawal(failed, botID: Workbench.botID, succeeded: false)
      let rows = try await client.getStarTransactions()
      #expect(rows.map { $0.receiver?.withdrawalState?.type } == [nil, "succeeded", "failed", nil])
      #expect(rows.last?.source?.type == "fragment" && rows.last?.amount == 100)
      #expect(try await client.getMyStarBalance().amount == 300)
      await #expect(throws: Refusal.self) {
        try await bench.book.endWithdrawal(done, botID: Workbench.botID, succeeded: false)
      }
      await #expect(throws: Refusal.self) {
        try await bench.book.withdraw(botID: Workbench.botID, stars: 301)
      }
    }
  }
}
