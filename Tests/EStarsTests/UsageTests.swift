@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Telegram
import Testing

/// Prices come from the catalogue, and a retry is a retry whatever they have become.
@Suite struct UsageTests {
  private func debit(
    _ fixture: Fixture, _ key: String, units: Int64 = 1, action: String = "sticker"
  ) async throws -> UsageAnswer {
    try await fixture.platform.usage.debit(
      DebitRequest(
        check: CheckRequest(telegramID: 81, action: action, units: units), ref: nil,
        idempotencyKey: key), in: fixture.scope)
  }

  private func funded(_ fixture: Fixture) async throws {
    let sale = try await fixture.checkout("start", for: 81)
    _ = try await fixture.receive(
      Sent.payment(update: 1, from: 81, stars: 75, payload: sale.payload ?? "", charge: "u1"))
  }

  @Test func aRetryReplaysAfterThePriceChangedAndAfterTheActionWent() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      #expect(try await debit(fixture, "k").cost == 1)
      try await fixture.pool.execute(
        "update actions set price_credits = 3 where action = 'sticker'", in: fixture.scope)
      let replay = try await debit(fixture, "k")
      #expect(replay.status == .replayed && replay.cost == 1 && replay.balance == 9)
      #expect(try await debit(fixture, "k2").cost == 3)
      try await fixture.pool.execute(
        "update actions set withdrawn_at = now() where action = 'sticker'", in: fixture.scope)
      #expect(try await debit(fixture, "k").status == .replayed)
      #expect(try await debit(fixture, "k3").status == .unknownAction)
      #expect(try await debit(fixture, "k", units: 2).status == .conflict)
      #expect(try await fixture.balance(81) == 6)
    }
  }

  @Test func aDebitOfNothingTakesItsKeyToo() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      try await fixture.pool.execute(
        "update actions set price_credits = 0 where action = 'sticker'", in: fixture.scope)
      let first = try await debit(fixture, "free")
      #expect(first.status == .applied && first.cost == 0 && first.balance == 10)
      try await fixture.pool.execute(
        "update actions set price_credits = 2 where action = 'sticker'", in: fixture.scope)
      let replay = try await debit(fixture, "free")
      #expect(replay.status == .replayed && replay.cost == 0 && replay.balance == 10)
      #expect(replay.postedAt == first.postedAt)
      #expect(try await debit(fixture, "free", units: 2).status == .conflict)
      #expect(try await fixture.balance(81) == 10)
    }
  }

  @Test func anActionMayNeedAnEntitlement() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      try await fixture.pool.execute(
        "update actions set required_entitlement = 'hd_quality' where action = 'sticker'",
        in: fixture.scope)
      #expect(try await debit(fixture, "n").status == .noAccess)
      let sale = try await fixture.checkout("pro", for: 81)
      _ = try await fixture.receive(
        Sent.payment(update: 2, from: 81, stars: 500, payload: sale.payload ?? "", charge: "u2"))
      #expect(try await debit(fixture, "n").status == .applied)
      _ = try await fixture.receive(
        Sent.refund(update: 3, payer: 81, stars: 500, payload: sale.payload ?? "", charge: "u2"))
      #expect(try await debit(fixture, "n2").status == .noAccess)
      #expect(try await debit(fixture, "n").status == .replayed)
    }
  }

  @Test func expiredCreditsAreNotThereForAnybody() async throws {
    try await Fixture.with { fixture in
      try await fixture.pool.execute(
        "update packs set credits_valid_days = 1 where sku = 'start'", in: fixture.scope)
      try await fixture.pool.execute(
        """
        update workspaces set clock_offset_seconds = -172800
        where workspace_id = \(fixture.workspace.id)
        """)
      guard let past = try await Workspace.find(id: fixture.workspace.id, fixture.pool) else {
        return
      }
      let earlier = Fixture(
        database: fixture.database, platform: fixture.platform, live: fixture.live,
        workspace: past, bot: fixture.bot)
      try await funded(earlier)
      #expect(try await earlier.balance(81) == 10)
      #expect(try await fixture.balance(81) == 0)
      let check = try await fixture.platform.usage.check(
        CheckRequest(telegramID: 81, action: "sticker", units: 1), in: fixture.scope)
      #expect(check.status == .insufficient && check.balance == 0)
      #expect(try await debit(fixture, "late").status == .insufficient)
      #expect(try await Ledger(pool: fixture.pool).verify(in: fixture.scope).isEmpty)
    }
  }

  @Test func aHoldNobodyClosedIsReleasedByItsJob() async throws {
    try await Fixture.with { fixture in
      try await funded(fixture)
      let customer = try await Customer.find(telegramID: 81, in: fixture.scope, fixture.pool)
      let account = Account(customer?.id ?? 0)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        let now = fixture.scope.now.addingTimeInterval(-120)
        let answer = try await tx.hold(
          Debit(4, key: "api:h", action: "sticker"), from: account,
          until: now.addingTimeInterval(60), in: fixture.scope, at: now)
        #expect(answer.status == .applied)
      }
      #expect(try await fixture.balance(81) == 6)
      try await Worker(platform: fixture.platform).runDue()
      #expect(try await fixture.balance(81) == 10)
    }
  }
}
