import Foundation
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// What is written for measuring is what business would have written.
@Suite struct BulkHistoryTests {
  @Test func aBulkHistoryStandsInLedgerAndFigures() async throws {
    try await Fixture.with { fixture in
      let history = BulkHistory(
        customers: 301, entries: 6_000, days: 60, in: fixture.workspace)
      try await history.write(fixture.platform)
      #expect(try await fixture.count("select count(*) from customers") == 301)
      #expect(try await fixture.count("select count(*) from entries") == 6_000)
      #expect(try await fixture.count("select count(*) from payments") > 300)
      #expect(
        try await fixture.count(
          """
          select count(*) from customers
          where telegram_id between \(BulkHistory.telegramID(0)) and \(BulkHistory.telegramID(300))
          """) == 301)
      #expect(try await fixture.problems().isEmpty)
      #expect(try await Rollup(fixture.platform).recount(in: fixture.scope).isEmpty)
      let sums = try await fixture.pool.query(
        """
        select (select sum(credits) from usage_days) = (select sum(credits_used) from hours) as used,
          (select sum(stars) from sale_days) = (select sum(stars) from payments) as sold,
          (select count(distinct day) from usage_days) as days
        """, in: fixture.scope)[0]
      #expect(try sums.get("used", as: Bool.self) && sums.get("sold", as: Bool.self))
      #expect(try sums.get("days", as: Int.self) >= 2)
      await #expect(throws: BulkHistory.Refusal.self) {
        try await history.write(fixture.platform)
      }
      await #expect(throws: BulkHistory.Refusal.self) {
        try await BulkHistory(customers: 1, entries: 1, days: 1, in: fixture.live)
          .write(fixture.platform)
      }
    }
  }
}
