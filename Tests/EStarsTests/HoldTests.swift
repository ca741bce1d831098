@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Testing

/// What a workspace holds, in the order in which a person should look at it.
@Suite struct HoldTests {
  /// A reservation of a bot, with its credits held in the ledger.
  private func reserve(
    _ key: String, customer: Int64, ageSeconds: Double, ttlSeconds: Double, credits: Int64 = 1,
    _ fixture: Fixture
  ) async throws {
    let scope = fixture.scope
    let heldAt = scope.now.addingTimeInterval(-ageSeconds)
    let until = heldAt.addingTimeInterval(ttlSeconds)
    try await fixture.pool.transaction(in: scope) { tx in
      if credits > 0 {
        let answer = try await tx.hold(
          Debit(credits, key: "api:" + key, action: "sticker", units: 1), from: Account(customer),
          until: until, in: scope, at: heldAt)
        #expect(answer.status == .applied)
      }
    }
    try await fixture.database.superPool.execute(
      """
      insert into usage_holds (workspace_id, bot_id, customer_id, action, credit_unit, units,
        price_credits, free_units, credits, is_unmetered, idempotency_key, fingerprint, balance,
        created_at, expires_at)
      values (\(scope.workspaceID), \(fixture.bot.id), \(customer), 'sticker', 1, 1, \(credits),
        0, \(credits), \(credits == 0), \(key), 1, 1, \(heldAt), \(until))
      """)
  }

  private func customer(_ telegramID: Int64, _ fixture: Fixture) async throws -> Int64 {
    let scope = fixture.scope
    return try await fixture.pool.transaction(in: scope) { tx in
      let id = try await tx.customer(
        telegramID: telegramID, name: nil, in: scope, at: scope.now
      ).id
      _ = try await tx.credit(
        Grant(100, source: .goodwill), to: Account(id), key: "job:\(telegramID)", in: scope,
        at: scope.now.addingTimeInterval(-90_000))
      return id
    }
  }

  private func keys(_ holds: [Hold]) -> [String] { holds.map { String($0.key.dropFirst(4)) } }

  @Test func stuckOnesComeFirstAndEachHoldOnce() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      try await reserve("young", customer: id, ageSeconds: 60, ttlSeconds: 900, fixture)
      try await reserve("late", customer: id, ageSeconds: 600, ttlSeconds: 300, fixture)
      try await reserve("old", customer: id, ageSeconds: 7_200, ttlSeconds: 86_400, fixture)
      try await reserve("middle", customer: id, ageSeconds: 1_800, ttlSeconds: 7_200, fixture)
      try await reserve(
        "free", customer: id, ageSeconds: 30, ttlSeconds: 900, credits: 0, fixture)
      // In the ledger alone, as a history from before holds were kept would have it.
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        _ = try await tx.hold(
          Debit(2, key: "api:bare", action: "sticker"), from: Account(id),
          until: fixture.scope.now.addingTimeInterval(60), in: fixture.scope,
          at: fixture.scope.now)
      }
      let all = try await Hold.open(
        stuckOnly: false, after: nil, limit: 50, in: fixture.scope, fixture.pool)
      #expect(keys(all.holds) == ["old", "late", "middle", "young", "free", "bare"])
      #expect(all.next == nil)
      #expect(all.holds.map { $0.isStuck(at: fixture.scope.now) }.prefix(3) == [true, true, false])
      #expect(all.holds.last?.kind == .bare)
      let stuck = try await Hold.open(
        stuckOnly: true, after: nil, limit: 50, in: fixture.scope, fixture.pool)
      #expect(keys(stuck.holds) == ["old", "late"])
      let theirs = try await Hold.of(customer: id, in: fixture.scope, fixture.pool)
      #expect(keys(theirs) == ["bare", "free", "young", "late", "middle", "old"])
      #expect(theirs.reduce(0) { $0 + $1.credits } == 6)
      let foreign = try await Hold.open(
        stuckOnly: false, after: nil, limit: 50, in: fixture.live.scope, fixture.pool)
      #expect(foreign.holds.isEmpty)
    }
  }

  @Test func pagesHaveEachHoldOnce() async throws {
    try await Fixture.with { fixture in
      let id = try await customer(5, fixture)
      for number in 0..<23 {
        // Several of the same moment, and some that are stuck.
        try await reserve(
          "k\(number)", customer: id, ageSeconds: Double(number / 3) * 900, ttlSeconds: 20_000,
          fixture)
      }
      var seen: [String] = []
      var cursor: Hold.Cursor?
      repeat {
        let page = try await Hold.open(
          stuckOnly: false, after: cursor, limit: 4, in: fixture.scope, fixture.pool)
        seen += keys(page.holds)
        #expect(page.holds.count == 4 || page.next == nil)
        // As it comes back in the address.
        cursor = page.next.flatMap { Hold.Cursor($0.text) }
      } while cursor != nil && seen.count < 100
      let whole = try await Hold.open(
        stuckOnly: false, after: nil, limit: 50, in: fixture.scope, fixture.pool)
      #expect(seen == keys(whole.holds) && Set(seen).count == 23)
    }
  }

  @Test(arguments: ["", "x", "1~2~3~k", "1~0~x~k", "-1~0~1~k", "99999999999999999999~0~1~k"])
  func aTextThatIsNoCursorIsNone(_ text: String) { #expect(Hold.Cursor(text) == nil) }

  @Test func aRefundsHoldIsToldApart() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 5)
      _ = try await fixture.receive(
        Sent.payment(
          update: 1, from: 5, stars: checkout.stars, payload: checkout.payload ?? "",
          charge: "stx1"))
      let payment = try #require(
        try await Payment.find(
          botID: fixture.bot.id, chargeID: "stx1", in: fixture.scope, fixture.pool))
      let actor = Actor(.operator, "manager@estudio.example")
      let (refund, _) = try await Refund.request(
        payment, reason: .other, note: "", by: actor, in: fixture.scope, fixture.pool)
      let preview = try await RefundPreview.of(payment, in: fixture.scope, fixture.pool)
      _ = try await Refund.decide(
        refund.id, RefundDecision(.refund(previewed: preview.fingerprint)), by: actor,
        in: fixture.scope, fixture.pool)
      let open = try await Hold.open(
        stuckOnly: false, after: nil, limit: 50, in: fixture.scope, fixture.pool)
      #expect(open.holds.map(\.kind) == [.refund(refund.id)])
      #expect(open.holds.first?.credits == 10 && open.holds.first?.expiresAt == .distantFuture)
    }
  }
}
