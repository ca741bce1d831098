@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Testing

/// Packs are changed by hand; their discounts follow, and what was sold stays as it was sold.
@Suite struct PackTests {
  private static let ana = Actor(.operator, "ana@example.com")

  private func rules(_ fixture: Fixture, _ sku: String) async throws -> PackRules {
    try #require(try await PackRules.find(sku, in: fixture.scope, fixture.pool))
  }

  private func edit(
    _ fixture: Fixture, _ rules: PackRules, madeFrom version: Int64? = nil
  ) async throws {
    let present = try await PackRules.version(of: rules.sku, in: fixture.scope, fixture.pool)
    try await PackRules.edit(
      rules, madeFrom: version ?? present, reason: "", by: Self.ana, in: fixture.scope,
      fixture.pool)
  }

  private func catalog(_ fixture: Fixture) async throws -> Catalog {
    try await Catalog.load(in: fixture.scope, fixture.pool)
  }

  /// What somebody sees whom nobody has seen.
  private func seen(_ fixture: Fixture, by telegramID: Int64 = 99) async throws -> [Pack] {
    try await catalog(fixture).packs(for: nil, telegramID, in: fixture.scope, fixture.pool)
  }

  private func history(_ fixture: Fixture, _ sku: String) async throws -> [AuditEntry] {
    try await AuditEntry.history(of: "pack", sku, limit: 50, in: fixture.scope, fixture.pool)
  }

  @Test func theDemosDiscountsAreThoseOfTheSourceTable() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let packs = try await PackRules.all(in: fixture.scope, fixture.pool)
      #expect(packs.map(\.sku) == ["test", "try", "start", "pop", "pro", "max"])
      for (percent, prices) in [
        (10, [44, 68, 158, 450, 1013]), (15, [42, 64, 149, 425, 956]),
        (25, [37, 56, 131, 375, 844]),
      ] as [(Int, [Int64])] {
        let row = packs.compactMap { $0.discounts.first { $0.percent == percent }?.stars }
        #expect(row == prices, "−\(percent) %")
      }
      #expect(packs[0].discounts.isEmpty && packs[0].audience == .admins)
    }
  }

  @Test func anEditReachesTheDiscountsAndNoInvoice() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let sold = try await fixture.checkout("start", for: 91)
      var changed = try await rules(fixture, "start")
      changed.stars = 205
      changed.credits = 20
      changed.bonusCredits = 3
      changed.title = "Starter"
      changed.terms = [Pack.Term(entitlement: "hd_quality", days: 7)]
      changed.creditsValidDays = 90
      try await edit(fixture, changed)
      let now = try await catalog(fixture)
      let cheaper = try #require(now.pack(sku: "start", discountPercent: 15))
      // 174.25 and 153.75.
      #expect(cheaper.stars == 174 && now.pack(sku: "start", discountPercent: 25)?.stars == 154)
      #expect(cheaper.credits == 20 && cheaper.bonusCredits == 3 && cheaper.title == "Starter")
      #expect(cheaper.entitlements == changed.terms && cheaper.creditsValidDays == 90)
      #expect(cheaper.names.map(\.language) == ["pt-br"])
      // The invoice that is out there is paid and credited as it was made.
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 91, stars: 75, payload: sold.payload ?? "", charge: "p1"))
      #expect(try await fixture.balance(91) == 10)
      let line = try #require(try await history(fixture, "start").first)
      #expect(line.action == "pack.edited" && line.before["price_stars"] == "75")
      #expect(line.after["entitlement_days:hd_quality"] == "7")
      #expect(line.after["credits_valid_days"] == "90" && line.after["description"] == nil)
      // The same once more says nothing.
      try await edit(fixture, changed)
      #expect(try await history(fixture, "start").count == 1)
    }
  }

  @Test func onlyOneOfTwoFormsIsTaken() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let made = try await rules(fixture, "pop")
      let version = try await PackRules.version(of: "pop", in: fixture.scope, fixture.pool)
      let results = await withTaskGroup(of: RuleRefusal?.self) { group in
        for stars in 1...6 {
          group.addTask {
            var mine = made
            mine.stars = Int64(stars)
            do {
              try await edit(fixture, mine, madeFrom: version)
              return nil
            } catch { return error as? RuleRefusal ?? .notFound }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.count { $0 == nil } == 1 && results.count { $0 == .changed } == 5)
    }
  }

  @Test func aWithdrawnPackTakesItsDiscountsAlong() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      func withdraw(_ isWithdrawn: Bool) async throws {
        try await PackRules.setWithdrawn(
          isWithdrawn, "pro", by: Self.ana, in: fixture.scope, fixture.pool)
      }
      func off(_ isWithdrawn: Bool, _ percent: Int) async throws {
        try await PackRules.setDiscountWithdrawn(
          isWithdrawn, percent: percent, of: "pro", by: Self.ana, in: fixture.scope, fixture.pool)
      }
      func discounts() async throws -> [Int] {
        let now = try await catalog(fixture)
        return [0, 10, 15, 25].filter { now.pack(sku: "pro", discountPercent: $0) != nil }
      }
      try await off(true, 15)
      #expect(try await discounts() == [0, 10, 25])
      try await withdraw(true)
      try await withdraw(true)
      #expect(try await discounts() == [])
      #expect(try await catalog(fixture).pack(sku: "pro-10") == nil)
      await #expect(throws: Checkout.Refusal.unknownPack) {
        try await fixture.checkout("pro", for: 92, discount: 10)
      }
      try await withdraw(false)
      #expect(try await discounts() == [0, 10, 25])
      try await off(false, 15)
      #expect(try await discounts() == [0, 10, 15, 25])
      #expect(
        try await history(fixture, "pro").map(\.action) == [
          "pack.discount_restored", "pack.restored", "pack.withdrawn", "pack.discount_withdrawn",
        ])
      await #expect(throws: RuleRefusal.notFound) { try await off(true, 20) }
    }
  }

  @Test func discountsAreAddedOnceAndHaveTheirOwnSKU() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      func add(_ percent: Int, _ sku: String = "max") async throws {
        try await PackRules.addDiscount(
          percent: percent, to: sku, by: Self.ana, in: fixture.scope, fixture.pool)
      }
      try await add(50)
      let now = try await catalog(fixture)
      #expect(now.pack(sku: "max", discountPercent: 50)?.stars == 563)
      #expect(now.pack(sku: "max-50")?.emoji == "🚀")
      #expect(now.pack(sku: "max", discountPercent: 5) == nil)
      await #expect(throws: RuleRefusal.taken) { try await add(50) }
      await #expect(throws: RuleRefusal.notFound) { try await add(50, "max-10") }
      await #expect(throws: RuleRefusal.notFound) { try await add(50, "none") }
      // A pack of its own may have the sku already.
      try await PackRules.create(
        PackRules(sku: "max-5", title: "Max 5", description: "Five.", credits: 5, stars: 5),
        reason: "", by: Self.ana, in: fixture.scope, fixture.pool)
      await #expect(throws: RuleRefusal.taken) { try await add(5) }
      for percent in 1...Limits.packDiscounts where percent != 5 { try? await add(percent) }
      await #expect(throws: RuleRefusal.tooMany) { try await add(77) }
    }
  }

  @Test func aHiddenPackIsSoldByItsSKUAndShownToNobody() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      var rules = PackRules(
        sku: "vip", title: "VIP", description: "For friends.", credits: 1000, stars: 900,
        isHidden: true,
        names: [ProductName(language: "es", title: "Amigos", description: "Para amigos.")])
      try await PackRules.create(
        rules, reason: "A favour", by: Self.ana, in: fixture.scope, fixture.pool)
      #expect(try await seen(fixture).allSatisfy { $0.sku != "vip" })
      #expect(try await fixture.checkout("vip", for: 93).credits == 1000)
      await #expect(throws: RuleRefusal.taken) {
        try await PackRules.create(
          rules, reason: "", by: Self.ana, in: fixture.scope, fixture.pool)
      }
      rules.isHidden = false
      rules.terms = [Pack.Term(entitlement: "no_such", days: nil)]
      await #expect(throws: RuleRefusal.unknownName) { try await edit(fixture, rules) }
      rules.terms = []
      try await edit(fixture, rules)
      // The last one of all.
      #expect(try await seen(fixture).last?.sku == "vip")
      #expect(
        try await history(fixture, "vip").map { [$0.action, $0.reason ?? ""] } == [
          ["pack.edited", ""], ["pack.created", "A favour"],
        ])
    }
  }

  @Test func wordsComeInTheReadersLanguage() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      var changed = try await rules(fixture, "start")
      changed.names = [
        ProductName(language: "pt-br", title: "Início", description: "Dez créditos."),
        ProductName(language: "de", title: "Anfang", description: "Zehn."),
      ]
      try await edit(fixture, changed)
      for sku in ["start", "start-10"] {
        let pack = try #require(try await catalog(fixture).pack(sku: sku))
        let titles = ["pt-BR", "pt", "de-at", "en", "zh-hans", "", "7"].map { pack.title($0) }
        #expect(
          titles == ["Início", "Início", "Anfang", "Start", "Start", "Start", "Start"], "\(sku)")
        #expect(pack.title(nil) == "Start" && pack.description("de") == "Zehn.")
      }
    }
  }

  @Test func anInvoiceSpeaksItsReadersLanguage() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      func title(_ telegramID: Int64, _ language: String? = nil) async throws -> String {
        let catalog = try await catalog(fixture)
        let request = CheckoutRequest(
          telegramID: telegramID, item: .pack(sku: "start", discountPercent: 10),
          language: language, idempotencyKey: UUID().uuidString)
        return try await fixture.pool.transaction(in: fixture.scope) { tx in
          try await tx.openCheckout(
            request, with: fixture.bot, catalog, fixture.platform.secrets, in: fixture.scope,
            at: fixture.scope.now
          ).0.title
        }
      }
      // Nobody said what the person reads: the workspace is Brazilian.
      #expect(try await title(96) == "Início")
      #expect(try await title(96, "en") == "Start")
      try await fixture.pool.execute(
        "update customers set language_code = 'en' where telegram_id = 96", in: fixture.scope)
      #expect(try await title(96) == "Start")
      #expect(try await title(96, "pt") == "Início")
    }
  }

  @Test func staffBuyWhatIsForThemWhoeverIsKnownFirst() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      func add(_ id: Int64) async throws {
        try await StaffMember.add(
          id, name: "Ana", by: Self.ana, in: fixture.scope, fixture.pool)
      }
      await #expect(throws: Checkout.Refusal.notAvailable) {
        try await fixture.checkout("test", for: 94)
      }
      // One has never been seen, the other is a customer.
      _ = try await fixture.checkout("start", for: 95)
      #expect(try await seen(fixture, by: 94).first?.sku == "try")
      try await add(94)
      try await add(95)
      #expect(try await seen(fixture, by: 94).first?.sku == "test")
      #expect(try await seen(fixture, by: 99).first?.sku == "try")
      #expect(try await fixture.checkout("test", for: 94).stars == 1)
      #expect(try await fixture.checkout("test", for: 95).stars == 1)
      await #expect(throws: RuleRefusal.taken) { try await add(94) }
      let all = try await StaffMember.all(in: fixture.scope, fixture.pool)
      #expect(all.map(\.telegramID) == [94, 95] && all[0].addedBy == "ana@example.com")
      #expect(all.allSatisfy { $0.customer?.telegramID == $0.telegramID })
      try await StaffMember.remove(95, by: Self.ana, in: fixture.scope, fixture.pool)
      await #expect(throws: RuleRefusal.notFound) {
        try await StaffMember.remove(95, by: Self.ana, in: fixture.scope, fixture.pool)
      }
      await #expect(throws: Checkout.Refusal.notAvailable) {
        try await fixture.checkout("test", for: 95)
      }
      let lines = try await AuditEntry.history(
        of: "staff", limit: 9, in: fixture.scope, fixture.pool)
      #expect(lines.map(\.action) == ["staff.removed", "staff.added", "staff.added"])
    }
  }

  @Test func ratesAreChangedByOneOwnerAtATime() async throws {
    try await Fixture.with { (fixture: Fixture) async throws -> Void in
      let (scope, pool) = (fixture.scope, fixture.pool)
      #expect(
        try await Rates.of(scope, pool)
          == Rates(currency: "BRL", currencyMicrosPerUSD: 5_400_000, creditCostMicros: 150_000))
      let version = try await Rates.version(in: scope, pool)
      let roubles = MarginTests.roubles
      try await Rates.change(to: roubles, madeFrom: version, by: Self.ana, in: scope, pool)
      #expect(try await Rates.of(scope, pool) == roubles)
      await #expect(throws: RuleRefusal.changed) {
        try await Rates.change(to: roubles, madeFrom: version, by: Self.ana, in: scope, pool)
      }
      let line = try #require(
        try await AuditEntry.history(of: "rates", limit: 9, in: scope, pool).first)
      #expect(
        [line.before, line.after] == [
          ["currency": "BRL", "currency_per_usd": "5.40", "credit_cost": "0.15"],
          ["currency": "RUB", "currency_per_usd": "80.00", "credit_cost": "1.50"],
        ])
      // The other side has rates of its own.
      #expect(try await Rates.of(fixture.live.scope, pool).currency == "BRL")
    }
  }
}
