@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// A browser: it keeps its cookie, and sends forms with the token of the page before.
private actor Browser {
  let fixture: ServerFixture
  private(set) var cookie = ""

  init(_ fixture: ServerFixture) { self.fixture = fixture }

  typealias Answer = (status: Int, headers: HTTPFields, body: String)

  func get(_ path: String) async throws -> Answer {
    try await keep(fixture.send(.get, path, headers: [.cookie: cookie]))
  }

  /// - Parameter page: The page with the form; nil: it carries no token.
  func post(_ path: String, on page: String?, _ form: [String: String]) async throws -> Answer {
    var form = form
    if let page {
      let body = try await get(page).body
      form["csrf"] =
        body.firstMatch(of: /name="csrf" value="([^"]*)"/).map { String($0.output.1) } ?? ""
    }
    let pairs = form.map { name, value in
      "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
    }
    return try await keep(
      fixture.send(
        .post, path,
        headers: [.cookie: cookie, .contentType: "application/x-www-form-urlencoded"],
        body: pairs.joined(separator: "&")))
  }

  private func keep(_ answer: Answer) -> Answer {
    if let set = answer.headers[.setCookie] {
      cookie = String(set.prefix { $0 != ";" })
      #expect(set.contains("HttpOnly") && set.contains("SameSite=Lax"))
    }
    return answer
  }

  func signIn(_ email: String, _ password: String, next: String = "") async throws -> Answer {
    try await post(
      "/login", on: nil, ["email": email, "password": password, "next": next])
  }
}

@Suite struct TeamPagesTests {
  private static let password = "correct horse battery"

  private static func secret(_ page: String) throws -> String {
    try #require(page.firstMatch(of: /<code>([^<]+)<\/code>/).map { String($0.output.1) })
  }

  private static func path(_ address: String) -> String {
    address.replacing("http://127.0.0.1:8080", with: "")
  }

  @Test func aWholeLifeInATeam() async throws {
    try await ServerFixture.with { fixture in
      let owner = try await Desk(fixture, .owner)
      let team = "/w/\(fixture.workspace.slug)"
      // Invited by a link that is shown once.
      let made = try await owner.post("invitations", ["name": "Bo & co", "role": "support"])
      #expect(made.status == 201 && made.headers[.cacheControl] == "no-store")
      let link = Self.path(try Self.secret(made.body))
      #expect(try await owner.get("team").body.contains("Bo &amp; co"))
      #expect(try await !owner.get("team").body.contains(link))
      let bo = Browser(fixture)
      let page = try await bo.get(link)
      #expect(page.status == 200 && page.body.contains("Support"))
      let form = ["name": "Bo", "email": "bo@example.com", "password": Self.password]
      let short = try await bo.post(link, on: nil, form.merging(["password": "a"]) { $1 })
      #expect(short.status == 422 && short.body.contains("value=\"bo@example.com\""))
      let joined = try await bo.post(
        link, on: nil, form.merging(["again": Self.password]) { $1 })
      #expect(joined.status == 303 && joined.headers[.location] == team)
      #expect(try await bo.get(team).status == 200)
      #expect(try await Browser(fixture).get(link).status == 404, "the link is used up")
      // A role below an owner's changes nothing.
      let mate = try #require(
        try await Member.all(in: fixture.workspace.scope, fixture.platform.pool)
          .first { $0.email == "bo@example.com" })
      let refused = try await bo.post(
        "\(team)/team/\(mate.id)/role", on: "/account", ["role": "owner"])
      #expect(refused.status == 403)
      let raised = try await owner.post("team/\(mate.id)/role", ["role": "manager"])
      #expect(raised.status == 303)
      let shown = try await owner.get("team/\(mate.id)").body
      #expect(shown.contains("changed the role") && shown.contains("Manager"))
      // A reset link sets a new password and ends what is open.
      let reset = try await owner.post("team/\(mate.id)/resets", ["kind": "password"])
      let resetLink = Self.path(try Self.secret(reset.body))
      let other = Browser(fixture)
      let again = "another fine password"
      #expect(
        try await other.post(resetLink, on: nil, ["password": again, "again": "no"]).status == 422)
      let set = try await other.post(resetLink, on: nil, ["password": again, "again": again])
      #expect(set.status == 303 && set.headers[.location] == "/login?reset=1")
      #expect(try await bo.get(team).status == 303, "signed out")
      #expect(try await other.get(resetLink).status == 404)
      #expect(try await bo.signIn("bo@example.com", Self.password).status == 401)
      #expect(try await bo.signIn("bo@example.com", again).status == 303)
      // Off the team at once.
      #expect(try await owner.post("team/\(mate.id)/removal", [:]).status == 422)
      #expect(try await owner.post("team/\(mate.id)/removal", ["confirmed": "1"]).status == 303)
      #expect(try await bo.get(team).status == 404)
      let log = try await owner.get("audit?kind=operator&subject=bo%40example.com").body
      for words in [
        "joined the team", "changed the role", "set a new password", "removed from the team",
      ] { #expect(log.contains(words), "\(words)") }
      #expect(try await owner.get("audit?from=2026-02-31").body.contains("field-problem"))
    }
  }

  @Test func signingInTakesBothStepsAndRotatesTheSession() async throws {
    try await ServerFixture.with { fixture in
      let person = try await Operator.create(
        email: "ana@example.com", name: "Ana", password: Self.password, locale: "en", at: Date(),
        fixture.platform)
      try await person.join(fixture.workspace, as: .viewer, at: Date(), fixture.platform.pool)
      let team = "/w/\(fixture.workspace.slug)"
      let ana = Browser(fixture)
      #expect(try await ana.signIn(person.email, Self.password).status == 303)
      let before = await ana.cookie
      #expect(
        try await ana.post("/account/totp", on: "/account/totp", ["password": "wrong"]).status
          == 422)
      let setup = try await ana.post(
        "/account/totp", on: "/account/totp", ["password": Self.password])
      let totp = try #require(TOTP(base32: try Self.secret(setup.body)))
      #expect(setup.body.contains("otpauth://totp/eStars:ana%40example.com?secret="))
      let wrong = try await ana.post(
        "/account/totp/confirmation", on: "/account/totp", ["code": "000000"])
      let (kept, first) = (try Self.secret(wrong.body), try Self.secret(setup.body))
      #expect(wrong.status == 422 && kept == first)
      let step = TOTP.step(at: Date())
      let on = try await ana.post(
        "/account/totp/confirmation", on: "/account/totp", ["code": totp.code(step: step)])
      #expect(on.status == 201)
      let codes = on.body.matches(of: /<li>([a-z2-7-]{19})<\/li>/).map { String($0.output.1) }
      #expect(codes.count == 10)
      #expect(try await fixture.send(.get, team, headers: [.cookie: before]).status == 303)
      #expect(try await ana.get(team).status == 200, "goes on in a new session")
      let current = await ana.cookie
      // Signing in over it ends it, and the password alone opens nothing.
      let half = try await ana.signIn(person.email, Self.password, next: team)
      #expect(half.headers[.location]?.hasPrefix("/login/totp?next=") == true)
      #expect(try await fixture.send(.get, team, headers: [.cookie: current]).status == 303)
      let halfCookie = await ana.cookie
      for path in [team, "/account", "/account/totp", "/workspaces"] {
        let answer = try await ana.get(path)
        #expect(answer.headers[.location]?.hasPrefix("/login/totp?next=") == true, "\(path)")
      }
      let form = try await fixture.send(
        .post, "/login/totp",
        headers: [.cookie: halfCookie, .contentType: "application/x-www-form-urlencoded"],
        body: "code=\(codes[0])&csrf=wrong")
      #expect(form.status == 403, "a form of another session")
      let bad = try await ana.post("/login/totp", on: "/login/totp", ["code": "000000"])
      #expect(bad.status == 422)
      let full = try await ana.post(
        "/login/totp", on: "/login/totp", ["code": codes[0], "next": team])
      #expect(full.status == 303 && full.headers[.location] == team)
      #expect(await ana.cookie != halfCookie)
      #expect(try await ana.get(team).status == 200)
      #expect(
        try await fixture.send(.get, "/login/totp", headers: [.cookie: halfCookie])
          .headers[.location]?.hasPrefix("/login?next=") == true)
    }
  }

  @Test func sessionsAreListedAndEnded() async throws {
    try await ServerFixture.with { fixture in
      let person = try await Operator.create(
        email: "ana@example.com", name: "Ana", password: Self.password, locale: "en", at: Date(),
        fixture.platform)
      try await person.join(fixture.workspace, as: .viewer, at: Date(), fixture.platform.pool)
      let (here, there, third) = (Browser(fixture), Browser(fixture), Browser(fixture))
      for browser in [here, there, third] {
        _ = try await browser.signIn(person.email, Self.password)
      }
      let stranger = try await Desk(fixture, .owner)
      let list = try await here.get("/account/sessions").body
      let ids = list.matches(of: /sessions\/(\d+)\/revocation/).map { String($0.output.1) }
      #expect(ids.count == 2 && list.contains("This one"))
      // Nobody ends somebody else's.
      let foreign = try await fixture.send(
        .post, "/account/sessions/\(ids[0])/revocation",
        headers: [
          .cookie: stranger.cookie, .contentType: "application/x-www-form-urlencoded",
        ], body: "csrf=\(stranger.csrf)")
      #expect(foreign.status == 404)
      let path = "/account/sessions"
      #expect(
        try await here.post("\(path)/\(ids[0])/revocation", on: path, [:]).status == 303)
      #expect(
        try await [there.get("/account").status, third.get("/account").status].sorted()
          == [200, 303])
      #expect(try await here.post("\(path)/revocation", on: path, [:]).status == 303)
      #expect(try await [there, third].asyncAll { try await $0.get("/account").status == 303 })
      #expect(try await here.get("/account").status == 200)
      // The workspace is told of both; a third time ends nothing and says nothing.
      #expect(try await here.post("\(path)/revocation", on: path, [:]).status == 303)
      let told = try await AuditEntry.about(
        "operator", person.email, in: fixture.workspace.scope, fixture.platform.pool
      ).filter { $0.action == "operator.sessions_revoked" }
      #expect(told.count == 2 && told.allSatisfy { $0.actor.name == person.email })
      // A new password signs everybody else out, and this browser goes on in a new session.
      _ = try await there.signIn(person.email, Self.password)
      let old = await here.cookie
      let wrong = try await here.post(
        "/account/password", on: "/account",
        ["present": "not mine at all", "password": "brand new words", "again": "brand new words"])
      #expect(wrong.status == 422)
      let changed = try await here.post(
        "/account/password", on: "/account",
        ["present": Self.password, "password": "brand new words", "again": "brand new words"])
      #expect(changed.status == 303)
      #expect(try await there.get("/account").status == 303)
      #expect(try await fixture.send(.get, "/account", headers: [.cookie: old]).status == 303)
      let saved = try await here.post(
        "/account", on: "/account", ["name": "Ana <b>", "locale": "pt-BR"])
      #expect(saved.status == 303)
      let portuguese = try await here.get("/account").body
      #expect(portuguese.contains("lang=\"pt-BR\"") && portuguese.contains("Ana &lt;b&gt;"))
    }
  }

  @Test func anAdminSetsUpASecondFactorFirst() async throws {
    try await ServerFixture.with { fixture in
      let session = try await fixture.operatorSession(.viewer)
      try await fixture.platform.pool.execute("update operators set is_admin = true")
      for path in ["/w/\(fixture.workspace.slug)", "/account", "/workspaces"] {
        let answer = try await fixture.send(.get, path, headers: [.cookie: session.cookie])
        #expect(answer.status == 303 && answer.headers[.location] == "/account/totp", "\(path)")
      }
      let page = try await fixture.send(
        .get, "/account/totp", headers: [.cookie: session.cookie])
      #expect(page.status == 200 && page.body.contains("needs a second factor"))
    }
  }

  @Test func onlyPathsOfOurOwnFollowALogin() {
    for path in ["/w/x?a=1", "/workspaces", "/account/totp", "/invitations/abc"] {
      #expect(LoginController.path(path) == path)
    }
    for path in ["//evil.example", "https://evil.example", "/\\evil", "/w\r\nX: y", "/login", ""] {
      #expect(LoginController.path(path) == nil, "\(path)")
    }
  }
}

extension Array {
  fileprivate func asyncAll(_ holds: (Element) async throws -> Bool) async throws -> Bool {
    for element in self where try await !holds(element) { return false }
    return true
  }
}
