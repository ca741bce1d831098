import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Reserving before the work, and what becomes of it.
@Suite struct UsageHoldTests {
  private static let rules: [String: UsageModel.Rule] = [
    "song": .init(price: 1),
    "stems": .init(price: 2, allowances: ["free": .init(day: 9, free: 2, freePeriod: .month)]),
  ]

  private static func with(_ body: (Fixture) async throws -> Void) async throws {
    try await Fixture.with { fixture in
      try await fixture.write(rules, zone: "America/Sao_Paulo")
      try await body(fixture)
    }
  }

  @Test func aHoldOfTenCommittedForFourRestoresTheRightLots() async throws {
    try await Self.with { fixture in
      let soon = fixture.scope.now.addingTimeInterval(86_400)
      try await fixture.give(3, to: 501, expiresAt: soon, name: "first")
      try await fixture.give(4, to: 501, expiresAt: soon.addingTimeInterval(60), name: "second")
      try await fixture.give(8, to: 501, name: "third")
      let held = try await fixture.hold(501, "song", 10, key: "h")
      #expect(held.usage.status == .applied && held.usage.balance == 5)
      #expect(try await fixture.lots(501) == [5])
      let id = try #require(held.hold?.id)
      let closed = try await fixture.platform.usage.commit(
        hold: id, units: 4, key: "c", in: fixture.scope)
      #expect(closed.status == .applied)
      #expect(closed.hold?.state == .committed && closed.hold?.closeBalance == 11)
      #expect(closed.hold?.usedUnits == 4 && closed.hold?.usedCredits == 4)
      // The first lot and one credit of the second are used.
      #expect(try await fixture.lots(501) == [3, 8])
      #expect(try await fixture.problems().isEmpty)
    }
  }

  @Test func closingTwiceReplaysAndNothingElseMayCloseIt() async throws {
    try await Self.with { fixture in
      try await fixture.give(20, to: 502)
      let usage = fixture.platform.usage
      let id = try #require(try await fixture.hold(502, "song", 5, key: "h").hold?.id)
      #expect(
        try await usage.commit(hold: id, units: 6, key: "x", in: fixture.scope).status
          == .tooManyUnits)
      let first = try await usage.commit(hold: id, units: 2, key: "c", in: fixture.scope)
      let again = try await usage.commit(hold: id, units: 2, key: "c", in: fixture.scope)
      #expect(first.status == .applied && again.status == .replayed && again.hold == first.hold)
      let other = try await usage.commit(hold: id, units: 3, key: "c", in: fixture.scope)
      #expect(other.status == .conflict)
      #expect(
        try await usage.commit(hold: id, units: 2, key: "d", in: fixture.scope).status == .closed)
      #expect(try await usage.release(hold: id, key: "e", in: fixture.scope).status == .closed)
      #expect(
        try await usage.release(hold: 987_654, key: "f", in: fixture.scope).status == .unknown)
      let replay = try await fixture.hold(502, "song", 5, key: "h")
      #expect(replay.usage.status == .replayed && replay.hold?.id == id)
      #expect(try await fixture.balance(502) == 18)
    }
  }

  @Test func oneKeyServesOneRequestOfAnyKind() async throws {
    try await Self.with { fixture in
      try await fixture.give(20, to: 503)
      let usage = fixture.platform.usage
      let id = try #require(try await fixture.hold(503, "song", 1, key: "hold").hold?.id)
      let second = try #require(try await fixture.hold(503, "song", 1, key: "hold-2").hold?.id)
      let free = try await fixture.hold(503, "stems", 2, key: "free-hold")
      #expect(free.usage.status == .applied && free.hold?.credits == 0)
      #expect(try await fixture.debit(503, "song", 1, key: "debit", at: Date()).status == .applied)
      #expect(
        try await usage.commit(hold: id, units: nil, key: "commit", in: fixture.scope).status
          == .applied)
      _ = try await fixture.checkout("start", for: 503, key: "checkout")
      for key in ["hold", "free-hold", "debit", "commit", "checkout"] {
        if key != "debit" {
          #expect(
            try await fixture.debit(503, "song", 1, key: key, at: Date()).status == .conflict,
            "a debit with the key of a \(key)")
        }
        #expect(
          try await fixture.hold(503, "song", 7, key: key).usage.status == .conflict,
          "a hold with the key of a \(key)")
        #expect(
          try await usage.commit(hold: second, units: nil, key: key, in: fixture.scope).status
            == .conflict, "a commit with the key of a \(key)")
        #expect(
          try await usage.release(hold: second, key: key, in: fixture.scope).status == .conflict,
          "a release with the key of a \(key)")
        if key != "checkout" {
          await #expect(throws: Checkout.Refusal.keyReused, "a checkout with the key of a \(key)") {
            () async throws -> Void in
            _ = try await fixture.checkout("start", for: 503, key: key)
          }
        }
      }
      #expect(try await UsageHold.find(id: second, in: fixture.scope, fixture.pool)?.state == .open)
    }
  }

  @Test func whatWasNotUsedIsFreeAgainInItsOwnPeriod() async throws {
    try await Self.with { fixture in
      try await fixture.give(30, to: 504)
      let usage = fixture.platform.usage
      let held = try await fixture.hold(504, "stems", 8, key: "h")
      #expect(held.hold?.freeUnits == 2 && held.hold?.credits == 12)
      #expect(try await fixture.hold(504, "stems", 2, key: "i").usage.status == .quotaExceeded)
      // Later prices and limits are not the hold's.
      try await fixture.pool.execute(
        "update actions set price_credits = 9 where action = 'stems'", in: fixture.scope)
      let id = try #require(held.hold?.id)
      let closed = try await usage.commit(hold: id, units: 3, key: "c", in: fixture.scope)
      #expect(closed.hold?.usedCredits == 2 && closed.hold?.closeBalance == 28)
      #expect(try await fixture.units(504, "stems") == [3, 3, 3])
      let second = try #require(try await fixture.hold(504, "stems", 2, key: "j").hold)
      #expect(second.freeUnits == 0 && second.credits == 18)
      #expect(
        try await usage.commit(hold: second.id, units: 0, key: "k", in: fixture.scope).hold?
          .closeBalance == 28)
      #expect(try await fixture.units(504, "stems") == [3, 3, 3])
    }
  }

  @Test func aHoldNobodyClosedEndsWithItsTimeAndTheBotIsTold() async throws {
    try await Self.with { fixture in
      try await fixture.give(30, to: 505)
      let paid = try #require(try await fixture.hold(505, "stems", 4, key: "h").hold)
      let free = try #require(try await fixture.hold(505, "stems", 1, key: "i", seconds: 90).hold)
      let fixture = try await fixture.moved(days: 1)
      try await Worker(platform: fixture.platform).expireHolds(in: fixture.scope)
      for id in [paid.id, free.id] {
        let hold = try await UsageHold.find(id: id, in: fixture.scope, fixture.pool)
        #expect(hold?.state == .expired)
      }
      #expect(try await fixture.balance(505) == 30)
      #expect(try await fixture.units(505, "stems") == [0, 0, 0])
      let events = try await fixture.pool.query(
        """
        select body::jsonb->>'credits' as credits from events where kind = 'hold.expired'
        order by event_id
        """, in: fixture.scope)
      #expect(try events.map { try $0.get("credits", as: String.self) } == ["2", "4"])
      let late = try await fixture.platform.usage.commit(
        hold: paid.id, units: 1, key: "late", in: fixture.scope)
      #expect(late.status == .closed && late.hold?.state == .expired)
      #expect(try await fixture.problems().isEmpty)
    }
  }

  @Test func aPersonMayGiveAHoldBack() async throws {
    try await Self.with { fixture in
      try await fixture.give(30, to: 506)
      let id = try #require(try await fixture.hold(506, "stems", 5, key: "h").hold?.id)
      #expect(try await fixture.balance(506) == 24)
      for status in [HoldCloseAnswer.Status.applied, .closed] {
        let answer = try await fixture.pool.transaction(in: fixture.scope) { tx in
          try await tx.releaseHold(id, in: fixture.scope, at: fixture.scope.now)
        }
        #expect(answer.status == status && answer.hold?.state == .released)
      }
      #expect(try await fixture.balance(506) == 30)
      #expect(try await fixture.units(506, "stems") == [0, 0, 0])
    }
  }

  @Test func aHoldThatTheLedgerGaveBackBeforeStillCloses() async throws {
    try await Self.with { fixture in
      let scope = fixture.scope
      try await fixture.give(20, to: 515)
      for key in ["given-back", "expired"] {
        let id = try #require(
          try await fixture.hold(515, "stems", 4, key: key, seconds: 1).hold?.id)
        let later = scope.now.addingTimeInterval(60)
        // Its bot's hold is open: it is not among those that the ledger may release by itself.
        #expect(try await Ledger(pool: fixture.pool).dueHolds(in: scope, at: later).isEmpty)
        _ = try await fixture.pool.transaction(in: scope) { tx in
          try await tx.release(
            hold: "api:" + key, key: "job:release:api:\(key)", in: scope, at: scope.now)
        }
        let balance = try await fixture.balance(515)
        let closed = try await fixture.pool.transaction(in: scope) { tx in
          key == "expired"
            ? try await tx.expireHold(id, in: scope, at: later)
            : try await tx.releaseHold(id, in: scope, at: later)
        }
        #expect(closed.status == .applied && closed.hold?.closeBalance == balance)
      }
      #expect(try await fixture.problems().isEmpty)
    }
  }

  @Test func manyBatchesOfMixedActionsNeverWaitForEachOther() async throws {
    try await Self.with { fixture in
      let second = Pool(fixture.pool.configuration, logger: TestCluster.logger)
      let (scope, bot) = (fixture.scope, fixture.bot.id)
      // Half of them are nobody's customers yet, and not all have credits.
      for user in Int64(520)..<526 { try await fixture.give(200, to: user) }
      let applied = try await withThrowingTaskGroup(of: Int.self) { group in
        for client in 0..<4 {
          group.addTask {
            try await fixture.pay(of: client, through: client % 2 == 0 ? fixture.pool : second)
          }
        }
        for client in 0..<12 {
          group.addTask {
            var random = SeededGenerator(seed: UInt64(client))
            let pool = client % 2 == 0 ? fixture.pool : second
            var applied = 0
            for round in 0..<12 {
              let requests = (0..<20).map { number in
                DebitRequest(
                  check: CheckRequest(
                    telegramID: .random(in: 520..<532, using: &random),
                    action: ["song", "stems"].randomElement(using: &random) ?? "song", units: 1),
                  ref: nil, idempotencyKey: "m\(client)-\(round)-\(number)", botID: bot)
              }
              // Not through the coalescer, which would try again: a deadlock fails here.
              applied += try await pool.query(
                Usage.posting(requests, in: scope, at: scope.now), in: scope
              ).map(UsageAnswer.init).filter { $0.status == .applied }.count
            }
            return applied
          }
          group.addTask {
            // Single holds cross the batches.
            for number in 0..<12 {
              let user = Int64(520 + (client + number) % 12)
              let held = try await fixture.hold(user, "stems", 1, key: "s\(client)-\(number)")
              if let id = held.hold?.id {
                _ = try await fixture.platform.usage.release(
                  hold: id, key: "r\(client)-\(number)", in: scope)
              }
            }
            return 0
          }
        }
        return try await group.reduce(0, +)
      }
      await second.close()
      // Nine a day for six with credits; the others have what is free. Songs as far as they go.
      #expect(applied > 500)
      let counted = try await fixture.count(
        """
        select coalesce(max(units), 0)::bigint as count from usage_counters
        where period = 'day' and action = 'stems'
        """)
      #expect(counted == 9)
      #expect(try await fixture.problems().isEmpty)
    }
  }
}

extension Fixture {
  /// Payments of several buyers in one transaction, in the order of arrivals.
  ///
  /// - Returns: 0: nothing was debited.
  fileprivate func pay(of client: Int, through pool: Pool) async throws -> Int {
    for round in 0..<6 {
      try await pool.transaction(in: scope) { tx in
        for user in Int64(520)..<532 {
          let customer = try await tx.customer(
            telegramID: user,
            name: CustomerName(
              firstName: "Ann", lastName: nil, username: nil, languageCode: nil),
            in: scope, at: scope.now)
          _ = try await tx.credit(
            Grant(1, source: .goodwill), to: Account(customer.id),
            key: "job:\(client)-\(round)-\(user)", in: scope, at: scope.now)
        }
      }
    }
    return 0
  }

  func hold(
    _ user: Int64, _ action: String, _ units: Int64, key: String, seconds: Int = 900
  ) async throws -> HoldAnswer {
    try await platform.usage.hold(
      HoldRequest(
        check: CheckRequest(telegramID: user, action: action, units: units), ref: nil,
        seconds: seconds, idempotencyKey: key, botID: bot.id), in: scope)
  }

  /// What is left of each open lot, in burn order.
  func lots(_ user: Int64) async throws -> [Int64] {
    try await pool.query(
      """
      select o.amount_left from open_lots o
      join customers c on c.workspace_id = o.workspace_id and c.customer_id = o.account_id
      where o.workspace_id = \(scope.workspaceID) and c.telegram_id = \(user) order by o.position
      """, in: scope
    ).map { try $0.get("amount_left") }
  }
}
