@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// Updates that arrive together share a transaction, and none of them notices.
@Suite struct ArrivalTests {
  @Test func whatArrivesTogetherSharesACommit() async throws {
    try await Fixture.with { fixture in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for update in 1...60 {
          group.addTask {
            _ = try await fixture.receive(#"{"update_id":\#(update),"callback_query":{}}"#)
          }
        }
        try await group.waitForAll()
      }
      #expect(try await fixture.count("select count(*) from updates") == 60)
      #expect(try await fixture.count("select count(distinct xmin::text) from updates") < 30)
    }
  }

  @Test func manyAtOnceAreOneAnotherNoBurden() async throws {
    try await Fixture.with { fixture in
      let buyers: ClosedRange<Int64> = 900...923
      var payloads: [Int64: String] = [:]
      for buyer in buyers {
        payloads[buyer] = try await fixture.checkout("start", for: buyer).payload
      }
      // The charge of one of them cannot be stored.
      try await fixture.database.ownerPool.execute(
        "alter table payments add constraint broken check (charge_id <> 'm905') not valid")
      var bodies: [(kind: String, body: String)] = buyers.map { buyer in
        (
          buyer == 905 ? "pending" : "payment.credited",
          Sent.payment(
            update: buyer, from: buyer, stars: 75, payload: payloads[buyer] ?? "",
            charge: "m\(buyer)")
        )
      }
      bodies += (1...20).map { ("stored", #"{"update_id":\#($0),"callback_query":{}}"#) }
      // Every one is delivered three times.
      let sent = bodies + bodies + bodies
      let handled = try await withThrowingTaskGroup(
        of: (kind: String, handled: UpdateIntake.Handled).self
      ) { group in
        for (kind, body) in sent {
          group.addTask { (kind, try await fixture.receive(body)) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      for (kind, handled) in handled {
        guard case .stored(let outcome, _, _) = handled else {
          Issue.record("\(handled)")
          continue
        }
        #expect(outcome == kind)
      }
      let firsts = handled.count {
        if case .stored(_, _, let isDuplicate) = $0.handled { !isDuplicate } else { false }
      }
      // What waits in the inbox is answered alike each time.
      #expect(firsts == buyers.count - 1 + 3 + 20)
      for buyer in buyers {
        #expect(try await fixture.balance(buyer) == (buyer == 905 ? 0 : 10))
      }
    }
  }
}
