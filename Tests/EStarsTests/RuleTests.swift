@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// Rules are changed by hand, one person at a time, with a line in the audit log, and never for what
/// is past.
@Suite struct RuleTests {
  private static let ana = Actor(.operator, "ana@example.com")

  private func rules(_ fixture: Fixture, _ key: String = "sticker") async throws -> ActionRules {
    try #require(try await ActionRules.find(key, in: fixture.scope, fixture.pool))
  }

  private func edit(
    _ fixture: Fixture, _ rules: ActionRules, madeFrom version: Int64? = nil, reason: String = ""
  ) async throws {
    let present = try await ActionRules.version(of: rules.key, in: fixture.scope, fixture.pool)
    try await ActionRules.edit(
      rules, madeFrom: version ?? present, reason: reason, by: Self.ana, in: fixture.scope,
      fixture.pool)
  }

  private func history(
    _ fixture: Fixture, _ kind: String, _ subject: String? = nil
  ) async throws -> [AuditEntry] {
    try await AuditEntry.history(of: kind, subject, limit: 50, in: fixture.scope, fixture.pool)
  }

  private func debit(_ fixture: Fixture, _ key: String) async throws -> UsageAnswer {
    try await fixture.platform.usage.debit(
      DebitRequest(
        check: CheckRequest(telegramID: 81, action: "sticker", units: 1), ref: nil,
        idempotencyKey: key), in: fixture.scope)
  }

  private func digest(_ fixture: Fixture) async throws -> String {
    try await fixture.pool.query(
      """
      select md5(string_agg(to_jsonb(e)::text, '' order by e.version)
        || (select string_agg(to_jsonb(l)::text, '' order by l.lot_id) from lots l)) as digest
      from entries e
      """, in: fixture.scope)[0].get("digest")
  }

  @Test func aChangeCountsFromNowOnAndRewritesNothing() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let sale = try await fixture.checkout("start", for: 81)
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 81, stars: 75, payload: sale.payload ?? "", charge: "r1"))
      #expect(try await debit(fixture, "before").cost == 1)
      let past = try await digest(fixture)
      var changed = try await rules(fixture)
      changed.priceCredits = 4
      changed.title = "Big sticker"
      changed.unitCostMicros = 1_234_500
      changed.outagePolicy = .open
      changed.outageCapUnits = 3
      try await edit(fixture, changed, reason: "Paper got dearer")
      #expect(try await rules(fixture) == changed)
      #expect(try await digest(fixture) == past)
      #expect(try await debit(fixture, "after").cost == 4)
      #expect(try await debit(fixture, "before").cost == 1)
      let lines = try await history(fixture, "action", "sticker")
      let line = try #require(lines.first)
      #expect(lines.count == 1 && line.actor == Self.ana && line.reason == "Paper got dearer")
      #expect(
        line.before == [
          "price_credits": "1", "title": "Sticker", "unit_cost": "0.10 BRL",
          "outage_policy": "closed",
        ])
      #expect(
        line.after == [
          "price_credits": "4", "title": "Big sticker", "unit_cost": "1.2345 BRL",
          "outage_policy": "open", "outage_cap_units": "3",
        ])
      // The same once more changes nothing and says nothing.
      try await edit(fixture, changed)
      #expect(try await history(fixture, "action", "sticker").count == 1)
    }
  }

  @Test func twoFormsOfTheSameRulesAreNotBothTaken() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let made = try await rules(fixture)
      let version = try await ActionRules.version(
        of: made.key, in: fixture.scope, fixture.pool)
      let results = await withTaskGroup(of: RuleRefusal?.self) { group in
        for price in 2...9 {
          group.addTask {
            var mine = made
            mine.priceCredits = Int64(price)
            do {
              try await edit(fixture, mine, madeFrom: version)
              return nil
            } catch { return error as? RuleRefusal ?? .notFound }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.count { $0 == nil } == 1 && results.count { $0 == .changed } == 7)
      #expect(try await history(fixture, "action", "sticker").count == 1)
    }
  }

  @Test func limitsOfTiersComeAndGo() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      func isLimited() async throws -> Bool {
        try await fixture.pool.query(
          "select is_limited from actions where action = 'sticker'", in: fixture.scope)[0]
          .get("is_limited")
      }
      var changed = try await rules(fixture)
      #expect(changed.allowances.isEmpty)
      changed.allowances = [
        "free": .init(perDay: 0, perMonth: 3),
        "pro": .init(lifetime: 100, freeUnits: 5, freePeriod: .day),
      ]
      try await edit(fixture, changed)
      #expect(try await rules(fixture) == changed)
      #expect(try await isLimited())
      changed.allowances = ["pro": .init(lifetime: 100)]
      try await edit(fixture, changed)
      #expect(try await rules(fixture).allowances == changed.allowances)
      let line = try #require(try await history(fixture, "action", "sticker").first)
      #expect(
        line.before == [
          "units_per_day:free": "0", "units_per_month:free": "3", "free_units:pro": "5",
          "free_period:pro": "day",
        ])
      #expect(line.after.isEmpty)
      changed.allowances = [:]
      try await edit(fixture, changed)
      #expect(try await !isLimited())
    }
  }

  @Test func whatARuleNamesMustBeThere() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let before = try await rules(fixture)
      var wrong = before
      wrong.requiredEntitlement = "no_such"
      wrong.priceCredits = 9
      await #expect(throws: RuleRefusal.unknownName) { try await edit(fixture, wrong) }
      wrong = before
      wrong.allowances = ["no_such": .init(perDay: 1)]
      wrong.priceCredits = 9
      await #expect(throws: RuleRefusal.unknownName) { try await edit(fixture, wrong) }
      #expect(try await rules(fixture) == before)
      #expect(try await history(fixture, "action").isEmpty)
      wrong.key = "unheard_of"
      await #expect(throws: RuleRefusal.notFound) { try await edit(fixture, wrong) }
    }
  }

  @Test func anActionIsMadeWithdrawnAndRestored() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let made = ActionRules(
        key: "voice", title: "Voice minute", priceCredits: 3, unitCostMicros: 1,
        requiredEntitlement: "hd_quality", allowances: ["free": .init(perDay: 2), "pro": .init()])
      try await ActionRules.create(
        made, reason: "", by: Self.ana, in: fixture.scope, fixture.pool)
      #expect(try await rules(fixture, "voice") == made)
      #expect(made.allowances.keys.sorted() == ["free"])
      await #expect(throws: RuleRefusal.taken) {
        try await ActionRules.create(
          made, reason: "", by: Self.ana, in: fixture.scope, fixture.pool)
      }
      for isWithdrawn in [true, true, false, false] {
        try await ActionRules.setWithdrawn(
          isWithdrawn, "voice", by: Self.ana, in: fixture.scope, fixture.pool)
        #expect(try await (rules(fixture, "voice").withdrawnAt != nil) == isWithdrawn)
        let catalog = try await Catalog.load(in: fixture.scope, fixture.pool)
        #expect((catalog.action("voice") == nil) == isWithdrawn)
      }
      let lines = try await history(fixture, "action", "voice").map(\.action)
      #expect(lines == ["action.restored", "action.withdrawn", "action.created"])
    }
  }

  @Test func tiersKeepTheirOrder() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let (scope, pool) = (fixture.scope, fixture.pool)
      func order() async throws -> [String] {
        try await Tier.all(in: scope, pool).map(\.key)
      }
      func edit(_ key: String, _ entitlement: String?, place: Int?) async throws {
        try await Tier.edit(
          key, title: "T", entitlement: entitlement, place: place, by: Self.ana, in: scope, pool)
      }
      try await Tier.create(
        key: "studio", title: "Studio", entitlement: "api_access", by: Self.ana, in: scope, pool)
      #expect(try await order() == ["free", "pro", "premium", "enterprise", "studio"])
      try await edit("studio", "api_access", place: 1)
      #expect(try await order() == ["free", "studio", "pro", "premium", "enterprise"])
      try await edit("studio", "api_access", place: 99)
      #expect(try await order() == ["free", "pro", "premium", "enterprise", "studio"])
      // The base tier stays what it is.
      try await edit("free", "hd_quality", place: 3)
      #expect(try await order().first == "free")
      #expect(try await Tier.all(in: scope, pool)[0].isBase)
      await #expect(throws: RuleRefusal.taken) { try await edit("studio", "pro", place: 1) }
      await #expect(throws: RuleRefusal.unknownName) { try await edit("studio", "none", place: 1) }
      // Stem separation has limits for Pro.
      await #expect(throws: RuleRefusal.inUse) {
        try await Tier.remove("pro", by: Self.ana, in: scope, pool)
      }
      await #expect(throws: RuleRefusal.inUse) {
        try await Tier.remove("free", by: Self.ana, in: scope, pool)
      }
      try await Tier.remove("studio", by: Self.ana, in: scope, pool)
      #expect(try await order() == ["free", "pro", "premium", "enterprise"])
      #expect(try await history(fixture, "tier", "studio").first?.action == "tier.removed")
    }
  }

  @Test func featuresAndPaywallAndPolicyLeaveTheirLines() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let (scope, pool) = (fixture.scope, fixture.pool)
      try await Entitlement.create(key: "beta", title: "Beta", by: Self.ana, in: scope, pool)
      try await Entitlement.rename("beta", to: "Early", by: Self.ana, in: scope, pool)
      let all = try await Entitlement.all(in: scope, pool)
      let pro = all.first { $0.key == "pro" }
      #expect(all.last?.title == "Early")
      #expect(pro?.packs == ["Pro"])
      #expect(try await history(fixture, "entitlement", "beta").first?.before == ["title": "Beta"])

      func write(_ body: String?) async throws {
        try await PaywallText.write(
          body, for: .waitBuyCredit, in: "pt-br", by: Self.ana, in: scope, pool)
      }
      for body in ["Compre", "Compre já", "Compre já", nil, nil] { try await write(body) }
      #expect(try await PaywallText.all(in: scope, pool).isEmpty)
      let lines = try await history(fixture, "paywall", "wait_buy_credit:pt-br")
      #expect(lines.map(\.action) == ["paywall.reset", "paywall.edited", "paywall.edited"])
      #expect(lines[1].before == ["body": "Compre"] && lines[1].after == ["body": "Compre já"])

      let version = try await TrialPolicy.version(in: scope, pool)
      var policy = TrialPolicy.initial
      policy.creditsPerDay = 7
      policy.paidSources = ["yandex"]
      try await TrialPolicy.edit(policy, madeFrom: version, by: Self.ana, in: scope, pool)
      #expect(try await TrialPolicy.load(in: scope, pool) == policy)
      await #expect(throws: RuleRefusal.changed) {
        try await TrialPolicy.edit(.initial, madeFrom: version, by: Self.ana, in: scope, pool)
      }
      let line = try #require(try await history(fixture, "trial_policy").first)
      #expect(line.after == ["credits_per_day": "7", "paid_sources": "yandex"])
    }
  }
}
