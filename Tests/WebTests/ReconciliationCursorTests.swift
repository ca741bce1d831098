import Foundation
import Ledger
import Postgres
import Telegram
import Testing

@testable import Sandbox

@_spi(Guard) @testable import EStars

/// How Telegram's books are read: page by page, from where the last reading ended.
@Suite struct ReconciliationCursorTests {
  private typealias Bench = ReconciliationBench

  private func positions(_ bench: Bench) async throws -> [Int64] {
    try await bench.pool.query(
      """
      select position from star_transactions where workspace_id = \(bench.scope.workspaceID)
      order by position
      """, in: bench.scope
    ).map { try $0.get("position") }
  }

  @Test func onlyTheTailIsReadAgain() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      try await bench.pay(Array(repeating: payload, count: 230))
      let first = try await bench.compare()
      #expect((first.fromPosition, first.readCount, first.nextPosition) == (0, 230, 230))
      #expect(first.fixedCount == 230 && first.matchedCount == 230)
      try await bench.pay([payload])
      let second = try await bench.compare()
      #expect((second.fromPosition, second.readCount, second.nextPosition) == (130, 101, 231))
      #expect(try await positions(bench) == Array(0..<231))
      // One invoice paid so often: credited every time, and a case for each but the first.
      #expect(try await bench.balance() == 2310)
      #expect(second.booksStars == 231 * 75 && second.balanceStars == second.booksStars)
    }
  }

  @Test func aRoundGoesOnWhereTheOneBeforeItEnded() async throws {
    try await Bench.with { bench in
      try await bench.byClick()
      let payload = try await bench.invoice()
      let count = 2 * Limits.reconciliationBatch + 50
      try await bench.pay(Array(repeating: payload, count: count))
      let (scope, pool) = (bench.scope, bench.pool)
      let asked = try await Reconciliation.ask(bench.bot, by: Bench.manager, in: scope, pool)
      // No round has time for more than one page or one batch, and all of it stays open.
      var rounds = 1
      while rounds < 30,
        try await bench.platform.reconciler.run(asked.id, attempts: 1, seconds: 0, in: scope)
          != .done
      { rounds += 1 }
      let run = try #require(try await Reconciliation.find(id: asked.id, in: scope, pool))
      #expect(run.state == .done && run.mismatchCount == Int64(count))
      #expect(run.comparedPosition == Int64(count - 1))
      // Four whole pages, the rest with the first batch, two more batches, and nothing left.
      #expect(rounds == count / Limits.starTransactionsPage + 4)
    }
  }

  @Test func aWithdrawalIsReadUntilItEnds() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      try await bench.pay([payload])
      let id = try await bench.book.withdraw(botID: bench.bot.id, stars: 30)
      try await bench.pay(Array(repeating: payload, count: 150))
      #expect(try await bench.compare().booksStars == 151 * 75 - 30)
      try await bench.book.endWithdrawal(id, botID: bench.bot.id, succeeded: false)
      let second = try await bench.compare()
      #expect(second.fromPosition == 1, "the withdrawal was pending")
      #expect(second.booksStars == 151 * 75 && second.balanceStars == 151 * 75)
      #expect(try await bench.open().isEmpty)
      let state = try await bench.pool.query(
        """
        select withdrawal_state from star_transactions
        where workspace_id = \(bench.scope.workspaceID) and transaction_id = \(id)
        """, in: bench.scope)[0].get("withdrawal_state", as: String.self)
      #expect(state == "failed")
      #expect(try await bench.compare().fromPosition == 53)
    }
  }

  @Test func booksThatMovedAreReadFromTheirBeginning() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      try await bench.pay(Array(repeating: payload, count: 120))
      _ = try await bench.compare()
      // What was read no longer stands where it stood.
      try await bench.pool.execute(
        """
        update star_transactions set position = position + 1
        where workspace_id = \(bench.scope.workspaceID)
        """, in: bench.scope)
      let run = try await bench.compare()
      #expect(run.state == .done && run.fromPosition == 0 && run.readCount == 120)
      #expect(try await positions(bench) == Array(0..<120))
      #expect(run.mismatchCount == 0 && run.matchedCount == 120)
    }
  }

  @Test func troubleIsWaitedOutOrToldOf() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      try await bench.pay([payload])
      await bench.book.order(
        .tooManyRequests(retryAfter: 1), botID: bench.bot.id, method: "getstartransactions",
        times: 1)
      let waited = try await bench.compare()
      #expect(waited.state == .done && waited.fixedCount == 1)
      // Another deployment's key, or a token that was revoked.
      try await bench.pool.execute(
        "update bots set sealed_token = 'nothing' where bot_id = \(bench.bot.id)")
      try await Task.sleep(for: .seconds(Limits.directorySeconds + 0.5))
      let failed = try await bench.compare()
      #expect(failed.state == .failed && failed.problem == .token)
    }
  }

  @Test func aDayLaterItIsAskedForByItself() async throws {
    try await Bench.with { bench in
      try await bench.pool.execute(
        "update bots set disconnected_at = now() where bot_id <> \(bench.bot.id)")
      let (scope, pool) = (bench.scope, bench.pool)
      let slug = bench.fixture.workspace.slug
      try await Reconciliation.askDaily(in: scope, pool)
      try await Reconciliation.askDaily(in: scope, pool)
      let asked = try await Reconciliation.recent(limit: 9, in: scope, pool)
      #expect(asked.map(\.askedBy) == ["reconciliation.daily"])
      let run = try await bench.compare()
      #expect(run.id == asked[0].id && run.state == .done)
      for (days, count) in [(0, 1), (1, 2)] {
        try await Workspace.moveClock(ofTestSide: slug, offsetSeconds: days * 86_400, pool)
        let moved = try #require(try await Workspace.find(slug: slug, pool)).scope
        try await Reconciliation.askDaily(in: moved, pool)
        #expect(try await Reconciliation.recent(limit: 9, in: scope, pool).count == count)
      }
    }
  }
}
