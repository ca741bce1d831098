import Foundation
@testable import Ledger
import Postgres
import Testing

/// Where every credit of every lot went, after random histories.
@Suite struct LotHistoryTests {
  /// What a history must have met, or the sums prove little.
  private static let required = [
    "merged lots", "cross-lot burn", "expiry while held", "commit above the hold",
    "refunded while held", "refund hold clawed back", "forgiven", "forgiven by commit",
    "debt created", "debt repaid by credit", "debt repaid by release",
  ]

  private static let fates = [
    "joined", "used", "held", "expired", "takenBack", "paidDebt", "passedOn", "left",
  ]

  @Test(.timeLimit(.minutes(10))) func everyCreditOfEveryLotIsAccountedFor() async throws {
    let environment = ProcessInfo.processInfo.environment
    let seed =
      environment["ESTARS_LEDGER_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999)
    print("lot histories: ESTARS_LEDGER_SEED=\(seed)")
    try await withLedger { fixture in
      var run = Simulation(fixture: fixture, seed: seed)
      func missing() -> [String] { Self.required.filter { run.model.tally[$0, default: 0] < 5 } }
      while run.operations < 4_000 || (!missing().isEmpty && run.operations < 20_000) {
        if run.operations.isMultiple(of: 500) {
          try await fixture.database.ownerPool.execute("analyze accounts, entries, lots, holds")
        }
        let differences = try await run.step()
        try #require(differences.isEmpty, "seed \(seed): \(differences)")
      }
      #expect(missing().isEmpty, "seed \(seed) did not meet \(missing())")
      let met = try await checkLots(fixture, seed: seed)
      for kind in Self.fates {
        #expect(met[kind, default: 0] >= 5, "seed \(seed): \(kind) \(met[kind, default: 0])")
      }
    }
  }

  /// Compares each lot's history with the accounts, the open holds and the entries; answers how
  /// many lots have something of each fate.
  private func checkLots(_ fixture: LedgerFixture, seed: UInt64) async throws -> [String: Int] {
    var met: [String: Int] = [:]
    for row in try await fixture.pool.query(known, in: fixture.test) {
      let account = Account(try row.get("account_id"), unit: try row.get("unit"))
      let id: Int64 = try row.get("lot_id")
      let history = try #require(
        try await LotHistory.of(account, lot: id, limit: 100_000, in: fixture.test, fixture.pool))
      let totals = history.totals
      let name: Comment = "seed \(seed), lot \(id) of \(account): \(totals)"
      #expect(totals.granted + totals.joined == totals.accountedFor, name)
      #expect(try totals.left == row.get("amount_left"), name)
      #expect(try totals.held == row.get("held"), name)
      #expect(try totals.used == row.get("used"), name)
      #expect(try totals.expired == row.get("expired"), name)
      #expect(history.movements.allSatisfy { $0.leftAfter >= 0 }, name)
      #expect(history.movements.first?.leftAfter == totals.left, name)
      #expect(history.movements.last?.version == id, name)
      #expect(totals.forgiven <= totals.used + totals.paidDebt + totals.takenBack, name)
      let fates = [
        "joined": totals.joined, "used": totals.used, "held": totals.held,
        "expired": totals.expired, "takenBack": totals.takenBack, "paidDebt": totals.paidDebt,
        "passedOn": totals.passedOn, "left": totals.left,
      ]
      for (fate, amount) in fates {
        #expect(amount >= 0, name)
        if amount > 0 { met[fate, default: 0] += 1 }
      }
    }
    return met
  }

  /// The same facts by other ways than the history's.
  private let known: SQL = """
    select l.account_id, l.unit, l.lot_id,
      coalesce((select o.amount_left from open_lots o where o.workspace_id = l.workspace_id
        and o.account_id = l.account_id and o.unit = l.unit and o.lot_id = l.lot_id), 0)
        as amount_left,
      (select coalesce(sum(p.amount), 0)::bigint from holds h
        join entries e on e.workspace_id = h.workspace_id and e.account_id = h.account_id
          and e.unit = h.unit and e.version = h.version
        cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
        where h.workspace_id = l.workspace_id and h.account_id = l.account_id
          and h.unit = l.unit and p.lot_id = l.lot_id) as held,
      (select coalesce(sum(p.amount), 0)::bigint from entries e
        cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
        where e.workspace_id = l.workspace_id and e.account_id = l.account_id
          and e.unit = l.unit and e.kind = 'debit' and p.lot_id = l.lot_id) as used,
      (select coalesce(sum(p.amount), 0)::bigint from entries e
        cross join lateral unnest(e.lot_ids, e.lot_amounts) p (lot_id, amount)
        where e.workspace_id = l.workspace_id and e.account_id = l.account_id
          and e.unit = l.unit and e.kind = 'expire' and p.lot_id = l.lot_id) as expired
    from lots l order by l.account_id, l.unit, l.lot_id
    """

  @Test func pagesOfALotGoOnWhereTheyStopped() async throws {
    try await withLedger { fixture in
      let account = Account(7)
      try await fixture.post { tx in
        _ = try await tx.credit(
          Grant(20, source: .goodwill), to: account, key: "grant:a", in: fixture.test, at: day(1))
        for number in 1...9 {
          _ = try await tx.debit(
            Debit(2, key: "api:\(number)"), from: account, in: fixture.test, at: day(1))
        }
      }
      func page(_ before: Int64?) async throws -> LotHistory {
        try #require(
          try await LotHistory.of(
            account, lot: 1, before: before, limit: 4, in: fixture.test, fixture.pool))
      }
      var seen: [LotHistory.Movement] = []
      var before: Int64?
      repeat {
        let part = try await page(before)
        #expect(part.totals.used == 18 && part.totals.left == 2)
        seen += part.movements
        before = part.olderThan
      } while before != nil && seen.count < 50
      #expect(seen.map(\.version) == (1...10).reversed().map(Int64.init))
      #expect(seen.map(\.leftAfter) == stride(from: 2, through: 20, by: 2).map(Int64.init))
      // A cursor that nobody gave out shows the newest ones.
      #expect(try await page(1).movements.count == 4)
      #expect(
        try await LotHistory.of(account, lot: 2, limit: 4, in: fixture.test, fixture.pool) == nil)
    }
  }

  @Test func itReadsTheAccountsOwnEntriesAlone() async throws {
    try await withLedger { fixture in
      for account in 1...40 {
        try await fixture.post { tx in
          _ = try await tx.credit(
            Grant(500, source: .promo), to: Account(Int64(account)), key: "grant:\(account)",
            in: fixture.test, at: day(1))
          for number in 1...100 {
            _ = try await tx.debit(
              Debit(1, key: "api:\(account)-\(number)"), from: Account(Int64(account)),
              in: fixture.test, at: day(1))
          }
        }
      }
      try await fixture.database.ownerPool.execute("analyze entries")
      let plan = try await fixture.pool.query(
        "explain \(LotHistory.reading(Account(7), lot: 1, in: fixture.test))", in: fixture.test
      ).map { try $0.get("QUERY PLAN", as: String.self) }.joined(separator: "\n")
      #expect(!plan.contains("Seq Scan"), "\(plan)")
      #expect(plan.contains("entries_pkey"), "\(plan)")
      #expect(plan.contains("entries_idempotency_key"), "\(plan)")
    }
  }
}
