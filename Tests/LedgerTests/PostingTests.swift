import Foundation
@testable import Ledger
import Postgres
import Testing

/// The paid path through the Swift door: what the database does is told by the scenario tables.
@Suite struct PostingTests {
  private let account = Account(7)
  private let charge = Charge(botID: 9, chargeID: "charge-1")

  @Test func paidPath() async throws {
    try await withLedger { fixture in
      let scope = fixture.live
      let now = scope.now
      let (paid, bonus, used) = try await fixture.post(in: scope) { tx in
        (
          try await tx.credit(
            Grant(100, source: .payment, charge: charge, isPaid: true, stars: 50), to: account,
            key: "charge:9:charge-1:paid", in: scope, at: now),
          try await tx.credit(
            Grant(10, source: .bonus, charge: charge, reason: "welcome"), to: account,
            key: "charge:9:charge-1:bonus", in: scope, at: now),
          try await tx.debit(
            Debit(15, key: "api:1", action: "image", units: 3, ref: "job 5"), from: account,
            in: scope, at: now)
        )
      }
      #expect([paid, bonus, used].map(\.status) == [.applied, .applied, .applied])
      #expect([paid, bonus, used].map(\.balance) == [100, 110, 95])
      let balance = try await fixture.ledger.balance(of: account, in: scope)
      #expect(balance == Ledger.Balance(available: 95, held: 0, version: 3))
      let history = try await fixture.ledger.history(of: account, in: scope)
      #expect(history.map(\.kind) == [.debit, .credit, .credit])
      #expect(history.map(\.counter) == [.used, .issued, .issued])
      #expect(history[0].parts.map(\.amount) == [10, 5])
      #expect(history[0].parts.map(\.source) == [.bonus, .payment])
      #expect(history[0].parts.allSatisfy { $0.charge == charge })
      #expect(history[0].units == 3 && history[0].action == "image" && history[0].ref == "job 5")
      #expect(abs(history[0].createdAt.timeIntervalSince(now)) < 0.001)
      let older = try await fixture.ledger.history(of: account, before: 3, limit: 1, in: scope)
      #expect(older.map(\.version) == [2])
      #expect(older[0].reason == "welcome")
      let lots = try await fixture.ledger.openLots(of: account, in: scope)
      #expect(lots.map(\.amountLeft) == [95])
      #expect(lots[0].stars == 50 && lots[0].isPaid && lots[0].expiresAt == .distantFuture)
      let parts = try await fixture.ledger.lots(of: charge, in: scope)
      #expect(parts.map(\.used) == [10, 5])
      #expect(parts.map(\.left) == [0, 95])
      #expect(try await fixture.ledger.verify().isEmpty)
    }
  }

  @Test func approvedRefundCannotBeSpent() async throws {
    try await withLedger { fixture in
      let scope = fixture.test
      try await fixture.post { tx in
        _ = try await tx.credit(
          Grant(100, source: .payment, charge: charge, isPaid: true), to: account, key: "c",
          in: scope, at: day(1))
        _ = try await tx.debit(Debit(30, key: "d1"), from: account, in: scope, at: day(1))
        let approval = try await tx.hold(charge, key: "refund:1", in: scope, at: day(2))
        #expect(approval.status == .applied && approval.amount == 70 && approval.balance == 0)
        let spend = try await tx.debit(Debit(1, key: "d2"), from: account, in: scope, at: day(2))
        #expect(spend.status == .insufficient)
        let back = try await tx.release(
          hold: "refund:1", key: "refund:1:failed", in: scope, at: day(2))
        #expect(back.status == .applied && back.balance == 70)
        _ = try await tx.hold(charge, key: "refund:2", in: scope, at: day(3))
        let refund = try await tx.clawback(
          charge, key: "refund:2:done", policy: .forgive, in: scope, at: day(3))
        #expect(refund.status == .applied && refund.balance == 0)
        #expect(refund.taken == 70 && refund.used == 30 && refund.held == 0)
      }
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }

  @Test func batchAnswersInOrder() async throws {
    try await withLedger { fixture in
      let scope = fixture.test
      for id in 1...3 {
        _ = try await fixture.post { tx in
          try await tx.credit(
            Grant(10, source: .promo), to: Account(Int64(id)), key: "c\(id)", in: scope, at: day(1))
        }
      }
      let requests: [PostingRequest] = [
        .hold(Debit(6, key: "h", action: "video"), from: Account(3), until: day(2)),
        .debit(Debit(4, key: "a"), from: Account(2)),
        .debit(Debit(4, key: "a"), from: Account(2)),
        .debit(Debit(11, key: "b"), from: Account(1)),
        .commit(Commit(hold: "h", used: 2, key: "k")),
        .release(hold: "h", key: "r"),
        .release(hold: "nothing", key: "r2"),
        .expire(Account(1)),
      ]
      let answers = try await fixture.ledger.post(requests, in: scope, at: day(1))
      #expect(
        answers.map(\.status) == [
          .applied, .applied, .replayed, .insufficient, .applied, .closed, .unknown, .none,
        ])
      #expect(answers.map(\.balance) == [4, 6, 6, 10, 8, 8, nil, nil])
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }

  @Test func sweepFindsWhatIsDue() async throws {
    try await withLedger { fixture in
      let scope = fixture.test
      try await fixture.post { tx in
        _ = try await tx.credit(
          Grant(10, source: .promo, expiresAt: day(5)), to: account, key: "c", in: scope, at: day(1)
        )
        _ = try await tx.hold(
          Debit(4, key: "h"), from: account, until: day(3), in: scope, at: day(1))
      }
      let ledger = fixture.ledger
      #expect(try await ledger.dueHolds(in: scope, at: day(2)).isEmpty)
      #expect(try await ledger.dueHolds(in: scope, at: day(3)).map(\.holdKey) == ["h"])
      #expect(try await ledger.dueAccounts(in: scope, at: day(4)).isEmpty)
      #expect(try await ledger.dueAccounts(in: scope, at: day(5)) == [account])
      #expect(try await ledger.balance(of: account, in: scope, at: day(4)).available == 6)
      let due = try await ledger.balance(of: account, in: scope, at: day(5))
      #expect(due == Ledger.Balance(available: 0, held: 4, version: 2))
      let answers = try await ledger.post(
        [.expire(account), .release(hold: "h", key: "job:h")], in: scope, at: day(5))
      #expect(answers.map(\.status) == [.applied, .applied])
      #expect(answers.map(\.balance) == [0, 0])
      #expect(try await ledger.dueAccounts(in: scope, at: day(9)).isEmpty)
      #expect(try await ledger.verify(in: scope).isEmpty)
    }
  }
}
