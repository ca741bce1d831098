import Foundation
import Telegram
import Testing

@testable import Sandbox

/// Finding a refund in books that list the oldest first and cannot be searched.
@Suite struct TransactionTests {
  @Test(arguments: [0, 1, 99, 100, 101, 350])
  func theRefundOfAChargeIsFoundFromTheEnd(_ payments: Int) async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let start = await Int64(bench.book.now) - 10_000
      let ids = try await bench.book.seed(
        (0..<payments).map {
          PastPayment(
            botID: Workbench.botID, personID: Workbench.ann, stars: 10, title: "P",
            payload: "p\($0)", date: start + Int64($0))
        })
      let since = Date(timeIntervalSince1970: Double(start))
      #expect(try await client.outgoingTransaction(of: "nothing", since: since) == nil)
      for id in Set([ids.first, ids.last].compactMap { $0 }) {
        #expect(try await client.outgoingTransaction(of: id, since: since) == nil)
        try await client.refundStarPayment(userID: Workbench.ann, chargeID: id)
        let found = try await client.outgoingTransaction(of: id, since: since)
        #expect(found?.id == id && found?.direction == .outgoing && found?.amount == 10)
      }
    }
  }

  @Test func booksOlderThanTheRefundAreNotRead() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let start = await Int64(bench.book.now) - 10_000
      var old: [PastPayment] = (0..<250).map {
        PastPayment(
          botID: Workbench.botID, personID: Workbench.ann, stars: 10, title: "P",
          payload: "p\($0)", date: start + Int64($0))
      }
      old[0].refundedAt = start
      let ids = try await bench.book.seed(old)
      let later = Date(timeIntervalSince1970: Double(start + 5_000))
      #expect(try await client.outgoingTransaction(of: ids[0], since: later) == nil)
      let all = Date(timeIntervalSince1970: Double(start))
      #expect(try await client.outgoingTransaction(of: ids[0], since: all) != nil)
    }
  }

  @Test func aStalledCallIsCarriedOutThoughItsCallerHungUp() async throws {
    try await withSandbox { bench in
      let ids = try await bench.book.seed([
        PastPayment(
          botID: Workbench.botID, personID: Workbench.ann, stars: 10, title: "P", payload: "p",
          date: await Int64(bench.book.now) - 10)
      ])
      var options = TelegramClient.Options()
      options.timeout = .milliseconds(300)
      let hasty = try bench.client(options: options)
      await bench.book.order(.stall(seconds: 3), botID: nil, method: "refundStarPayment")
      await #expect(throws: TelegramError.unknownOutcome(reason: "no answer in time")) {
        try await hasty.refundStarPayment(userID: Workbench.ann, chargeID: ids[0])
      }
      let client = try bench.client()
      let since = Date(timeIntervalSince1970: 0)
      #expect(try await client.outgoingTransaction(of: ids[0], since: since) == nil)
      #expect(
        try await eventually {
          try await client.outgoingTransaction(of: ids[0], since: since) != nil
        })
    }
  }
}
