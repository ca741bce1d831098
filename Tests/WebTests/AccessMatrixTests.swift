@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// Every route by everybody: who gets in, who is refused and how.
@Suite struct AccessMatrixTests {
  enum Caller: String, CaseIterable {
    case nobody, awaitingTOTP, stranger, admin, viewer, support, manager, owner
    /// Owners of the other side, and of another business.
    case liveOwner, foreignOwner
    case keyRead, keyUse, keySell, keySupport, keyRevoked
    case webhook, webhookWrong
  }

  enum Outcome: Equatable {
    case enters, signIn, notFound, unauthorized, forbidden
  }

  /// What the table below expects of each kind of door.
  private static func expected(_ door: Route.Door, _ caller: Caller) -> Outcome {
    let roles: [Caller: Role] = [
      .viewer: .viewer, .support: .support, .manager: .manager, .owner: .owner,
    ]
    let scopes: [Caller: APIKey.Scope] = [
      .keyRead: .read, .keyUse: .use, .keySell: .sell, .keySupport: .support,
    ]
    let isElsewhere = [.stranger, .admin, .liveOwner, .foreignOwner].contains(caller)
    switch door {
    case .page, .anyone: return .enters
    case .awaitingTOTP where caller == .awaitingTOTP: return .enters
    case .session, .awaitingTOTP:
      return roles[caller] != nil || isElsewhere ? .enters : .signIn
    case .member(let needed, _):
      if isElsewhere { return .notFound }
      guard let role = roles[caller] else { return .signIn }
      return role >= needed ? .enters : .forbidden
    case .admin:
      if caller == .admin { return .enters }
      return roles[caller] != nil || isElsewhere ? .notFound : .signIn
    case .key(let needed, _):
      guard let scope = scopes[caller] else { return .unauthorized }
      return scope == needed ? .enters : .forbidden
    case .webhook: return caller == .webhook ? .enters : .unauthorized
    }
  }

  @Test func theTableOfRoutesIsThis() {
    let routes = Route.all.map { route in
      let door =
        switch route.door {
        case .page, .anyone: "anyone"
        case .session: "session"
        case .awaitingTOTP: "awaiting totp"
        case .member(let role, _): "member \(role.rawValue)"
        case .admin: "admin"
        case .key(let scope, _): "key \(scope.rawValue)"
        case .webhook: "webhook"
        }
      return "\(route.method.rawValue) \(route.path) \(door)"
    }
    #expect(routes.sorted() == Self.doors.sorted())
  }

  /// An admin who looks into a workspace is a viewer there, and must find nothing to change.
  @Test func viewersChangeNothing() {
    for route in Route.all {
      if case .member(.viewer, _) = route.door {
        #expect(route.method == .get, "\(route.method.rawValue) \(route.path)")
      }
    }
  }

  @Test func everyRouteByEveryCaller() async throws {
    try await ServerFixture.with { fixture in
      for caller in Caller.allCases {
        let (headers, csrf) = try await credentials(of: caller, fixture)
        // Whoever belongs elsewhere differs from a stranger in workspaces alone. Logging out ends the
        // caller's session, so it comes last.
        let isElsewhere = [.liveOwner, .foreignOwner].contains(caller)
        let routes = Route.all.filter { !isElsewhere || $0.path.hasPrefix("/w/") }
        for route in routes.sorted(by: { a, _ in a.path != "/logout" }) {
          let outcome = try await outcome(route, headers, csrf: csrf, fixture)
          #expect(
            outcome == Self.expected(route.door, caller),
            "\(caller.rawValue) at \(route.method.rawValue) \(route.path)")
        }
      }
    }
  }

  private func credentials(
    of caller: Caller, _ fixture: ServerFixture
  ) async throws -> (HTTPFields, csrf: String) {
    func bearer(_ scope: APIKey.Scope) async throws -> (HTTPFields, String) {
      ([.authorization: "Bearer \(try await fixture.key([scope]))"], "")
    }
    func session(
      _ role: Role?, of workspace: Workspace? = nil
    ) async throws -> (HTTPFields, String) {
      let opened = try await fixture.operatorSession(role, of: workspace)
      return ([.cookie: opened.cookie], opened.csrf)
    }
    let secret = HTTPField.Name("X-Telegram-Bot-Api-Secret-Token") ?? .cookie
    switch caller {
    case .nobody: return ([:], "")
    case .awaitingTOTP:
      let opened = try await fixture.halfWaySession()
      return ([.cookie: opened.cookie], opened.csrf)
    case .stranger: return try await session(nil)
    case .admin:
      let opened = try await fixture.adminSession()
      return ([.cookie: opened.cookie], opened.csrf)
    case .liveOwner: return try await session(.owner, of: fixture.live)
    case .foreignOwner: return try await session(.owner, of: try await fixture.otherBusiness())
    case .viewer: return try await session(.viewer)
    case .support: return try await session(.support)
    case .manager: return try await session(.manager)
    case .owner: return try await session(.owner)
    case .keyRead: return try await bearer(.read)
    case .keyUse: return try await bearer(.use)
    case .keySell: return try await bearer(.sell)
    case .keySupport: return try await bearer(.support)
    case .keyRevoked:
      let key = try await fixture.key([.read, .use, .sell, .support])
      try await fixture.platform.pool.execute(
        "update api_keys set revoked_at = now() where key_hash = \(Bytes.sha256(key))")
      return ([.authorization: "Bearer \(key)"], "")
    case .webhook: return ([secret: fixture.webhookSecret], "")
    case .webhookWrong: return ([secret: fixture.webhookSecret + "x"], "")
    }
  }

  /// Nothing of an operator's leaves but pages: outside this list every answer, whoever asked, is
  /// HTML, a redirection or an asset, none is a file to keep, and no browser keeps what is behind a
  /// sign-in.
  private func expectNoExport(_ route: Route, _ headers: HTTPFields, _ body: String) {
    let machines = [
      "/v1", "/telegram", "/openapi.json", "/sitemap.xml", "/robots.txt", "/healthz", "/readyz",
    ]
    if let name = HTTPField.Name("Content-Disposition") {
      #expect(headers[name] == nil, "\(route.path)")
    }
    if machines.contains(where: { route.path == $0 || route.path.hasPrefix($0 + "/") }) { return }
    let assets = ["/assets/:asset", "/favicon.ico"]
    let type = headers[.contentType]?.split(separator: ";").first.map(String.init)
    if assets.contains(route.path) {
      #expect(["text/html", "text/css", "text/javascript", "image/svg+xml"].contains(type))
    } else if route.path.contains("docs") {
      #expect(["text/html", "text/x-python"].contains(type), "\(route.path)")
    } else {
      #expect(type == "text/html" || body.isEmpty && type == nil, "\(route.path): \(type ?? "-")")
    }
    let isPublic =
      assets + SitePlace.routes.map(\.path)
      + ["/docs", "/docs/:page", "/pt-br/docs", "/pt-br/docs/:page"]
    if !isPublic.contains(route.path) {
      #expect(headers[.cacheControl] == "no-store", "\(route.path)")
    }
  }

  /// Sends a request that means nothing but enters wherever the caller may.
  private func outcome(
    _ route: Route, _ headers: HTTPFields, csrf: String, _ fixture: ServerFixture
  ) async throws -> Outcome {
    // What each place of a path is filled with, one line each.
    let places = [
      ":action": "none",
      ":alert": "999999",
      ":application": "999999",
      ":business": "999999",
      ":expansion_request": "999999",
      ":invitation_code": "999999",
      ":kind": "none",
      ":tier": "none",
      ":sku": "none",
      ":percent": "10",
      ":telegram_id": "5",
      ":entitlement": "none",
      ":event": "999999",
      ":asset": "none.css",
      ":bot": "\(fixture.bot.id)",
      ":charge": "none",
      ":chat": "-100999",
      ":customer": "999999",
      ":drill_run": "999999",
      ":hold": "999999",
      ":invitation": "999999",
      ":operator": "999999",
      ":session": "999999",
      ":token": "none",
      ":key": "999999",
      ":lot": "999999",
      ":page": "quickstart",
      ":plan": "none",
      ":refund": "999999",
      ":reply_template": "none",
      ":support_case": "999999",
      ":subscription": "999999",
      ":unit": "1",
      ":user": "5",
      ":workspace": fixture.workspace.slug,
    ]
    let path =
      "/"
      + route.path.split(separator: "/").map { places[String($0)] ?? String($0) }
      .joined(separator: "/")
    var headers = headers
    var body = ""
    if route.method == .post {
      let isForm = !Route.isForMachines(route.path)
      headers[.contentType] = isForm ? "application/x-www-form-urlencoded" : "application/json"
      body = isForm ? "csrf=\(csrf)" : "{}"
    }
    let answer = try await fixture.send(route.method, path, headers: headers, body: body)
    expectNoExport(route, answer.headers, answer.body)
    switch answer.status {
    case 303 where answer.headers[.location]?.hasPrefix("/login?next=") == true,
      303 where answer.headers[.location]?.hasPrefix("/login/totp?next=") == true:
      return .signIn
    case 401 where route.path != "/login": return .unauthorized
    case 403: return .forbidden
    case 404 where route.path.hasPrefix("/admin"):
      let own = try await fixture.send(.get, "/admin", headers: headers)
      return own.status == 200 ? .enters : .notFound
    case 404 where route.path.hasPrefix("/w/:workspace"):
      // A member is told that the thing is missing, a stranger that the workspace is: the same
      // page. Which of the two it was shows in whether the workspace's own page opens.
      let own = try await fixture.send(.get, "/w/\(fixture.workspace.slug)", headers: headers)
      return own.status == 200 ? .enters : .notFound
    case 500...:
      Issue.record("\(route.path) answered \(answer.status)")
      return .enters
    default: return .enters
    }
  }

  @Test func formsOfOurOwnPagesArriveThroughAProxy() async throws {
    try await ServerFixture.with { fixture in
      func status(_ origin: String) async throws -> Int {
        try await fixture.send(
          .post, "/login",
          headers: [
            .contentType: "application/x-www-form-urlencoded", .origin: origin,
          ], body: "email=a@example.com&password=b"
        ).status
      }
      let own = try await status("http://127.0.0.1:8080")
      let foreign = try await status("http://evil.example")
      let opaque = try await status("null")
      let statuses: [Int] = [own, foreign, opaque]
      #expect(statuses == [401, 403, 403])
    }
  }

  @Test func nulCharactersAreRefusedInWords() async throws {
    try await ServerFixture.with { fixture in
      let session = try await fixture.operatorSession(.owner)
      let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
      let login = try await fixture.send(
        .post, "/login", headers: form, body: "email=%00&password=x")
      #expect(login.status == 400 || login.status == 401)
      for path in [
        "/w/%00", "/w/\(fixture.workspace.slug)/customers?q=%00",
        "/w/\(fixture.workspace.slug)/payments/1/%00",
      ] {
        let answer = try await fixture.send(.get, path, headers: [.cookie: session.cookie])
        #expect(answer.status < 500, "\(path): \(answer.status)")
      }
    }
  }

  /// And is told the same of what there is and of what there is not.
  @Test func aMemberOfOneSideDoesNotEnterTheOther() async throws {
    try await ServerFixture.with { fixture in
      let session = try await fixture.operatorSession(.owner)
      var answers: [(Int, String)] = []
      for slug in [fixture.live.slug, "no-such-workspace"] {
        let answer = try await fixture.send(
          .get, "/w/\(slug)", headers: [.cookie: session.cookie])
        answers.append((answer.status, answer.body.replacing(/"mono">[^<]*</, with: "")))
      }
      #expect(answers.map(\.0) == [404, 404])
      #expect(answers[0].1 == answers[1].1)
    }
  }

  @Test func aKeySeesItsOwnWorkspaceOnly() async throws {
    try await ServerFixture.with { fixture in
      let liveBot = try await Bot.register(
        token: "7000000009:AAOtherOtherOtherOtherOtherOtherOth", username: "other_bot",
        name: "Other", segment: .aiBot, endpoint: .live, in: fixture.live,
        at: Date(), fixture.platform)
      let foreign = try await APIKey.issue(
        for: liveBot, side: .live, scopes: APIKey.Scope.allCases, at: Date(),
        fixture.platform.pool)
      _ = try await fixture.platform.pool.transaction(in: fixture.workspace.scope) { tx in
        try await tx.execute(
          """
          insert into customers (workspace_id, telegram_id, has_purchased, created_at, last_seen_at)
          values (\(fixture.workspace.id), 77, true, now(), now())
          """)
      }
      func hasPurchased(_ key: String) async throws -> Bool {
        try await fixture.send(
          .get, "/v1/customers/77", headers: [.authorization: "Bearer \(key)"]
        ).body.contains(#""has_purchased":true"#)
      }
      #expect(try await hasPurchased(try await fixture.key([.read])))
      #expect(try await !hasPurchased(foreign))
    }
  }

  @Test func strangePathsAreAnswered() async throws {
    try await ServerFixture.with { fixture in
      for path in ["/nothing", "/w", "/v1", "/assets/..%2f..%2fetc", "/%00", "/w/%ff/x"] {
        let answer = try await fixture.send(.get, path)
        #expect((300..<500).contains(answer.status), "\(path): \(answer.status)")
      }
      let wrong = try await fixture.send(.delete, "/login")
      #expect(wrong.status == 405)
      #expect(wrong.headers[.allow]?.contains("POST") == true)
    }
  }

  @Test func everyAnswerCarriesItsSafetyHeaders() async throws {
    try await ServerFixture.with { fixture in
      for path in ["/", "/login", "/nothing", "/v1/catalog", "/healthz"] {
        let answer = try await fixture.send(.get, path)
        #expect(answer.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true)
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.setCookie] == nil)
      }
    }
  }
}
