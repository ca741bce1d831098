import Foundation
@testable import Ledger
import Postgres
import TestSupport
import Testing

/// Properties that hold however callers meet.
@Suite struct ConcurrencyTests {
  private let account = Account(7)

  private func grant(
    _ amount: Int64, to account: Account, _ fixture: LedgerFixture, key: String = "grant"
  ) async throws {
    let scope = fixture.live
    let answer = try await fixture.post(in: scope) { tx in
      try await tx.credit(
        Grant(amount, source: .promo), to: account, key: key, in: scope, at: scope.now)
    }
    #expect(answer.status == .applied)
  }

  private func all<T: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> T
  ) async throws -> [T] {
    try await withThrowingTaskGroup(of: (Int, T).self) { group in
      for index in 0..<count { group.addTask { (index, try await body(index)) } }
      var results: [(Int, T)] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5])
  func fiftyCallersOneKey(lots: Int) async throws {
    try await withLedger(maxConnections: 16) { fixture in
      let scope = fixture.live
      // 20 of 20: the debit empties its lots or leaves some, so that both paths are met.
      for lot in 0..<lots { try await grant(20, to: account, fixture, key: "grant \(lot)") }
      let answers = try await all(50) { _ in
        try await fixture.post(in: scope) { tx in
          try await tx.debit(Debit(20, key: "api:1"), from: account, in: scope, at: scope.now)
        }
      }
      #expect(answers.count { $0.status == .applied } == 1)
      #expect(answers.count { $0.status == .replayed } == 49)
      #expect(Set(answers.map(\.balance)) == [Int64(lots - 1) * 20])
      #expect(Set(answers.map(\.version)).count == 1)
      let history = try await fixture.ledger.history(of: account, in: scope)
      #expect(history.count { $0.key == "api:1" } == 1)
    }
  }

  @Test func fiftyDeliveriesOfOnePayment() async throws {
    try await withLedger(maxConnections: 16) { fixture in
      let scope = fixture.live
      for round in 1...8 {
        let charge = Charge(botID: 9, chargeID: "c\(round)")
        let answers = try await all(50) { _ in
          try await fixture.post(in: scope) { tx in
            let paid = try await tx.credit(
              Grant(100, source: .payment, charge: charge, isPaid: true), to: account,
              key: "charge:paid:\(round)", in: scope, at: scope.now)
            let bonus = try await tx.credit(
              Grant(10, source: .bonus, charge: charge), to: account,
              key: "charge:bonus:\(round)", in: scope, at: scope.now)
            return [paid, bonus]
          }
        }
        #expect(answers.count { $0.map(\.status) == [.applied, .applied] } == 1)
        #expect(answers.count { $0.map(\.status) == [.replayed, .replayed] } == 49)
        #expect(try await fixture.ledger.lots(of: charge, in: scope).count == 2)
        let balance = try await fixture.ledger.balance(of: account, in: scope).available
        #expect(balance == Int64(round) * 110)
      }
    }
  }

  @Test(arguments: [(1000, 7, 1), (200, 3, 20)])
  func drainingGivesWhatThereIs(total: Int, each: Int, lots: Int) async throws {
    try await withLedger(maxConnections: 16) { fixture in
      let scope = fixture.live
      for lot in 0..<lots {
        try await grant(Int64(total / lots), to: account, fixture, key: "grant \(lot)")
      }
      let applied = try await all(40) { caller in
        var applied = 0
        for attempt in 0..<20 {
          let answer = try await fixture.post(in: scope) { tx in
            try await tx.debit(
              Debit(Int64(each), key: "api:\(caller).\(attempt)"), from: account, in: scope,
              at: scope.now)
          }
          #expect([.applied, .insufficient].contains(answer.status))
          if answer.status == .applied { applied += 1 }
          if answer.status == .insufficient { break }
        }
        return applied
      }
      #expect(applied.reduce(0, +) == total / each)
      let left = try await fixture.ledger.balance(of: account, in: scope).available
      #expect(left == Int64(total % each))
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }

  @Test func oneKeyWithAnotherBodyIsAConflict() async throws {
    try await withLedger(maxConnections: 16) { fixture in
      let scope = fixture.live
      let accounts = (1...4).map { Account(Int64($0)) }
      for account in accounts { try await grant(1000, to: account, fixture, key: "g\(account.id)") }
      let coalescer = fixture.ledger.postingCoalescer()
      // The same keys with eight different bodies on four accounts: the first one to come wins.
      let answers = try await all(80) { index in
        try await coalescer.submit(
          .debit(
            Debit(Int64(1 + index / 10 % 2), key: "api:\(index % 10)"),
            from: accounts[index / 20]), in: scope)
      }
      for key in 0..<10 {
        let statuses = stride(from: key, to: 80, by: 10).map { answers[$0].status }
        #expect(statuses.count { $0 == .applied } == 1)
        #expect(statuses.count { $0 == .conflict } == 7)
      }
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }

  /// Two servers' batches over the same accounts, keys and holds.
  @Test func overlappingBatchesDoNotDeadlock() async throws {
    try await withLedger(maxConnections: 16) { fixture in
      let scope = fixture.live
      let accounts = (1...12).map { Account(Int64($0)) }
      for account in accounts {
        let charge = Charge(botID: 9, chargeID: "c\(account.id)")
        _ = try await fixture.post(in: scope) { tx in
          try await tx.credit(
            Grant(5000, source: .payment, charge: charge, isPaid: true), to: account,
            key: "c\(account.id)", in: scope, at: scope.now)
        }
      }
      let seen = try await all(10) { caller in
        var seen: Set<PostingStatus> = []
        var random = SeededGenerator(seed: UInt64(caller))
        for round in 0..<12 {
          if round == 6, caller < 4 {
            let charge = Charge(botID: 9, chargeID: "c\(caller + 1)")
            let refund = try await fixture.post(in: scope) { tx in
              try await tx.clawback(
                charge, key: "refund:\(caller)", policy: caller % 2 == 0 ? .forgive : .debt,
                in: scope, at: scope.now)
            }
            #expect(refund.status == .applied)
          }
          let requests = (0..<30).map { _ -> PostingRequest in
            let account = accounts.randomElement(using: &random)!
            // Pairs of callers share their keys.
            let key = "api:\(caller / 2).\(round).\(Int.random(in: 0..<20, using: &random))"
            switch Int.random(in: 0..<4, using: &random) {
            case 0: return .debit(Debit(1, key: "d\(account.id) \(key)"), from: account)
            case 1:
              return .hold(
                Debit(2, key: "h\(account.id) \(key)"), from: account,
                until: scope.now + 60)
            case 2:
              return .commit(
                Commit(hold: "h\(account.id) \(key)", used: 1, key: "k\(account.id) \(key)"))
            default:
              return .release(hold: "h\(account.id) \(key)", key: "r\(account.id) \(key)")
            }
          }
          for answer in try await fixture.ledger.post(requests, in: scope) {
            seen.insert(answer.status)
          }
        }
        return seen
      }
      let statuses = seen.reduce(into: Set<PostingStatus>()) { $0.formUnion($1) }
      #expect(statuses.isSuperset(of: [.applied, .replayed, .closed, .unknown]))
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }

  @Test func sweepersAndSpendersMeet() async throws {
    try await withLedger(maxConnections: 16) { fixture in
      let scope = fixture.test
      _ = try await fixture.post { tx in
        for lot in 0..<30 {
          _ = try await tx.credit(
            Grant(10, source: .promo, expiresAt: day(Double(2 + lot))), to: account,
            key: "g\(lot)", in: scope, at: day(1))
        }
      }
      _ = try await all(12) { caller in
        for step in 1...30 {
          let time = day(Double(step) + 0.5)
          if caller % 3 == 0 {
            _ = try await fixture.ledger.post([.expire(account)], in: scope, at: time)
          } else {
            _ = try await fixture.ledger.post(
              [.debit(Debit(1, key: "api:\(caller).\(step)"), from: account)], in: scope, at: time)
          }
        }
      }
      _ = try await fixture.ledger.post([.expire(account)], in: scope, at: day(40))
      #expect(try await fixture.ledger.balance(of: account, in: scope, at: day(40)).available == 0)
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }
}
