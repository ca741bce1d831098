import Foundation
import HTTPTypes
import Ledger
import Postgres
import Telegram
import Testing

@_spi(Guard) @testable import EStars
@testable import Web

/// The way of an invited owner from nothing to a bot that can sell.
@Suite struct OnboardingTests {
  /// An owner of a business that has nothing yet.
  private struct Newcomer: Sendable {
    let fixture: ServerFixture
    let live: Workspace
    let test: Workspace
    let cookie: String
    let csrf: String

    init(_ fixture: ServerFixture) async throws {
      self.fixture = fixture
      (live, test) = try await Workspace.open(
        WorkspaceRequest(
          slug: "novo", name: "Novo", segment: .aiBot, timeZone: "America/Sao_Paulo",
          locale: "pt-BR", stage: .pilot), at: Date(), fixture.platform.pool)
      let email = "owner-\(UUID().uuidString.lowercased())@example.com"
      let person = try await Operator.create(
        email: email, name: "Owner", password: "correct horse battery", locale: "en", at: Date(),
        fixture.platform)
      for side in [live, test] {
        try await person.join(side, as: .owner, at: Date(), fixture.platform.pool)
      }
      let opened = try await fixture.platform.login.open(
        email: email, password: "correct horse battery", userAgent: "test",
        address: "127.0.0.1", at: Date())
      (cookie, csrf) = ("session=\(opened.token)", opened.csrfToken)
    }

    func get(_ path: String) async throws -> String {
      let answer = try await fixture.send(.get, path, headers: [.cookie: cookie])
      #expect(answer.status == 200, "\(path)")
      return answer.body
    }

    func post(
      _ path: String, _ form: [String: String] = [:]
    ) async throws -> (status: Int, location: String?, body: String) {
      let unreserved = CharacterSet.alphanumerics
      let pairs = form.merging(["csrf": csrf]) { own, _ in own }.map { name, value in
        [name, value].map { $0.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }
          .joined(separator: "=")
      }
      let answer = try await fixture.send(
        .post, path,
        headers: [.cookie: cookie, .contentType: "application/x-www-form-urlencoded"],
        body: pairs.joined(separator: "&"))
      return (answer.status, answer.headers[.location], answer.body)
    }

    /// The steps that the page shows as done.
    func done() async throws -> [String] {
      try await get("/w/novo/onboarding")
        .matches(of: /(?s)<li class="first-step" id="([a-z-]+)">.*?class="state state-([a-z]+)"/)
        .filter { $0.output.2 == "good" }.map { String($0.output.1) }
    }

    func count(_ sql: SQL, _ side: Workspace) async throws -> Int {
      try await fixture.platform.pool.query(sql, in: side.scope)[0].get("count")
    }
  }

  private static let settings = [
    "name": "Novo <b>", "locale": "en", "time_zone": "Asia/Almaty", "policy": "refuse",
    "version": "0",
  ]
  private static let rates = ["usd": "1.30", "currency": "BRL", "fx": "5.40", "cost": "0.15"]

  @Test func aBusinessIsSettledOnBothSides() async throws {
    try await ServerFixture.with { fixture in
      let owner = try await Newcomer(fixture)
      for (field, value) in [
        ("name", ""), ("name", String(repeating: "x", count: 81)), ("locale", "fr"),
        ("time_zone", "GMT+3"), ("time_zone", "Nowhere/Town"), ("policy", "maybe"),
      ] {
        let answer = try await owner.post(
          "/w/novo/settings", Self.settings.merging([field: value]) { $1 })
        #expect(answer.status == 422, "\(field) \(value)")
        #expect(answer.body.contains("href=\"#\(field)\""), "\(field) \(value)")
      }
      let saved = try await owner.post("/w/novo/settings", Self.settings)
      #expect(saved.status == 303 && saved.location == "/w/novo/settings?done=settings")
      for side in [owner.live, owner.test] {
        let now = try #require(try await Workspace.find(id: side.id, fixture.platform.pool))
        #expect(now.name == "Novo <b>" && now.locale == "en")
        #expect(now.timeZone.identifier == "Asia/Almaty")
        #expect(now.preCheckoutOutagePolicy == .refuse)
        #expect(try await fixture.platform.directory.workspace(side.id) == now)
        let log = try await AuditEntry.about(
          "settings", String(side.id), in: side.scope, fixture.platform.pool)
        #expect(log.map(\.action) == ["settings.edited"])
        #expect(log.first?.before["time_zone"] == "America/Sao_Paulo")
      }
      #expect(try await owner.get("/w/novo-test/settings").contains("Novo &lt;b&gt;"))
      // Two windows: the second learns what the first one changed.
      let stale = try await owner.post("/w/novo/settings", Self.settings)
      #expect(stale.status == 409 && stale.body.contains("America/Sao_Paulo"))
      // Rates that are right as they are have been looked at.
      let same = ["cost": "0", "version": "0"].merging(Self.rates) { one, _ in one }
      #expect(try await owner.post("/w/novo/rates", same).status == 303)
      for side in [owner.live, owner.test] {
        let log = try await AuditEntry.about(
          "rates", String(side.id), in: side.scope, fixture.platform.pool)
        #expect(log.map(\.action) == ["rates.confirmed"])
      }
      let viewer = try await fixture.operatorSession(.viewer, of: owner.live)
      let page = try await fixture.send(
        .get, "/w/novo/settings", headers: [.cookie: viewer.cookie])
      #expect(page.status == 200 && !page.body.contains("name=\"time_zone\""))
    }
  }

  @Test func everyStepShowsByWhatIsThere() async throws {
    try await ServerFixture.with { fixture in
      let owner = try await Newcomer(fixture)
      #expect(try await owner.get("/w/novo").contains("href=\"/w/novo/onboarding\""))
      #expect(try await owner.done() == [])
      // Looking at what is right already is a step as well.
      _ = try await owner.post(
        "/w/novo/settings",
        [
          "name": "Novo", "locale": "pt-BR", "time_zone": "America/Sao_Paulo", "policy": "accept",
          "version": "0",
        ])
      _ = try await owner.post("/w/novo/rates", Self.rates.merging(["version": "0"]) { $1 })
      #expect(try await owner.done() == ["settings", "rates"])
      for side in [owner.live, owner.test] {
        let log = try await AuditEntry.about(
          "rates", String(side.id), in: side.scope, fixture.platform.pool)
        #expect(log.map(\.action) == ["rates.edited"])
      }
      try await choosePacks(owner)
      try await chooseActions(owner)
      #expect(try await owner.done() == ["settings", "rates", "packs", "actions"])
      try await makeKey(owner)
      #expect(try await owner.done() == ["settings", "rates", "bot", "packs", "actions", "key"])
      try await fixture.platform.pool.execute(
        """
        update workspaces set drills_finished_at = now(), drills_passed = 10, drills_failed = 0
        where slug = 'novo-test'
        """)
      #expect(try await owner.done().last == "drills")
      let away = try await owner.post("/w/novo/onboarding/dismissal")
      #expect(away.status == 303)
      for slug in ["novo", "novo-test"] {
        #expect(try await !owner.get("/w/\(slug)").contains("/onboarding\""))
      }
      #expect(try await owner.done().count == 7)
    }
  }

  private func choosePacks(_ owner: Newcomer) async throws {
    let (path, pool) = ("/w/novo/onboarding/packs", owner.fixture.platform.pool)
    let page = try await owner.get(path)
    // 49 Stars bring 3 BRL for 1.35 of cost: margin before anything is made.
    #expect(page.contains("Experimente") && page.contains("122"), "\(page)")
    #expect(try await owner.get(path + "?segment=mini_app").contains("name=\"use_month\""))
    let none = try await owner.post(path, ["segment": "ai_bot"])
    #expect(none.status == 422 && none.body.contains("href=\"#templates\""))
    // What is there already is the operator's own.
    try await PackRules.create(
      PackRules(sku: "start", title: "Mine", description: "Mine.", credits: 7, stars: 99),
      reason: "", by: Actor(.operator, "o"), in: owner.live.scope, pool)
    let form = ["segment": "ai_bot", "use_try": "1", "use_start": "1", "use_nothing": "1"]
    for _ in 1...2 {
      let made = try await owner.post(path, form)
      #expect(made.location == "/w/novo/onboarding?done=packs")
    }
    for side in [owner.live, owner.test] {
      let packs = try await PackRules.all(in: side.scope, pool)
      #expect(Set(packs.map(\.sku)) == ["start", "try"])
      let start = packs.first { $0.sku == "start" }
      #expect(start?.title == (side.side == .live ? "Mine" : "Início"))
      let first = packs.first { $0.sku == "try" }
      #expect(first?.bonusCredits == 4 && first?.audience == .firstPurchase)
      #expect(first?.names.map(\.title) == ["Try"])
    }
  }

  private func chooseActions(_ owner: Newcomer) async throws {
    let (path, pool) = ("/w/novo/onboarding/actions", owner.fixture.platform.pool)
    let made = try await owner.post(
      path, ["segment": "mini_app", "use_boost": "1", "use_hd_result": "1"])
    #expect(made.location == "/w/novo/onboarding?done=actions")
    for side in [owner.live, owner.test] {
      let actions = try await ActionRules.all(in: side.scope, pool)
      #expect(actions.map(\.key) == ["boost", "hd_result"])
      #expect(actions[0].allowances["free"]?.perDay == 30)
      #expect(actions[1].unitCostMicros == 300_000 && actions[1].costCurrency == "BRL")
      #expect(actions[1].unmeteredEntitlement == "premium")
    }
  }

  private func makeKey(_ owner: Newcomer) async throws {
    let (path, platform) = ("/w/novo/onboarding/key", owner.fixture.platform)
    #expect(try await owner.get(path).contains("There is no bot") == false)
    let nobody = try await owner.post(path, ["bot": "7000000001"])
    #expect(nobody.status == 422)
    let bot = try await EStars.Bot.register(
      token: "7720000001:AAOnboardingOnboardingOnboardingOn", username: "novo_bot", name: "Novo",
      segment: .aiBot, endpoint: .sandbox(URL(filePath: "/")), in: owner.test, at: Date(),
      platform)
    let made = try await owner.post(path, ["bot": String(bot.id)])
    #expect(made.status == 201)
    let key = try #require(made.body.firstMatch(of: /esk_test_[A-Za-z0-9_-]+/)).output
    #expect(made.body.contains("\"action\":\"boost\"") || made.body.contains("boost"))
    let answer = try await owner.fixture.send(
      .get, "/v1/catalog?user=5001001", headers: [.authorization: "Bearer \(key)"])
    #expect(answer.status == 200 && answer.body.contains("\"sku\":\"start\""))
    #expect(try await !owner.get("/w/novo-test/keys").contains(key))
  }
}
