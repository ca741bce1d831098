@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import TestSupport

@testable import Web

/// The real server over a migrated database, with one business, one bot on its test side, and
/// somebody for every role.
struct ServerFixture: Sendable {
  let server: Server
  let platform: Platform
  let workspace: Workspace
  let live: Workspace
  let bot: Bot
  let webhookSecret: String
  let client: any TestClientProtocol

  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let address = URL(string: "http://127.0.0.1:8080") ?? root
  /// Read and drawn once: it takes far longer than most tests.
  private static let pages = Result { try Pages(resources: root, publicURL: address) }

  static func with<T: Sendable>(
    _ body: @Sendable @escaping (ServerFixture) async throws -> T
  ) async throws -> T {
    try await withTestDatabase { database in
      let platform = Platform(
        pool: database.pool, secrets: try Secrets(hex: Bytes.hex(Bytes.sha256("a key for tests"))),
        logger: TestCluster.logger)
      let (live, test, bots) = try await DemoWorkspace(platform: platform).open(
        [
          .init(
            token: "7000000001:AAFixtureFixtureFixtureFixtureFixtu", username: "shop_bot",
            name: "Shop", segment: .aiBot, action: "sticker")
        ], endpoint: .sandbox(URL(filePath: "/")), at: Date())
      let secret = try await bots[0].renewWebhookSecret(database.pool)
      let server = Server(
        platform: platform, configuration: .init(resources: root, publicURL: address),
        logger: TestCluster.logger, pages: try pages.get())
      return try await server.application().test(.router) { client in
        try await body(
          ServerFixture(
            server: server, platform: platform, workspace: test, live: live, bot: bots[0],
            webhookSecret: secret, client: client))
      }
    }
  }

  func key(_ scopes: [APIKey.Scope]) async throws -> String {
    try await APIKey.issue(
      for: bot, side: workspace.side, scopes: scopes, at: Date(), platform.pool)
  }

  /// Another business, whose test side nobody of this one belongs to.
  func otherBusiness() async throws -> Workspace {
    try await Workspace.open(
      WorkspaceRequest(
        slug: "other", name: "Other", segment: .aiBot, timeZone: "UTC", locale: "en"),
      at: Date(), platform.pool
    ).test
  }

  /// A signed-in operator with this role.
  ///
  /// - Parameters:
  ///   - role: nil = a member of nothing.
  ///   - other: The workspace; nil = the test side.
  func operatorSession(
    _ role: Role?, of other: Workspace? = nil
  ) async throws -> (cookie: String, csrf: String) {
    let name = role?.rawValue ?? "stranger"
    let email = "\(name)-\(UUID().uuidString.lowercased())@example.com"
    let person = try await Operator.create(
      email: email, name: name, password: "correct horse battery", locale: "en", at: Date(),
      platform)
    if let role { try await person.join(other ?? workspace, as: role, at: Date(), platform.pool) }
    let opened = try await platform.login.open(
      email: email, password: "correct horse battery", userAgent: "test", address: "127.0.0.1",
      at: Date())
    return ("session=\(opened.token)", opened.csrfToken)
  }

  /// A signed-in admin of the platform, who belongs to no workspace.
  func adminSession() async throws -> (person: Operator, cookie: String, csrf: String) {
    let person = try await Operator.create(
      email: "admin-\(UUID().uuidString.lowercased())@example.com", name: "admin",
      password: "correct horse battery", locale: "en", at: Date(), platform)
    try await person.makeAdmin(by: "test", at: Date(), platform.pool)
    let totp = try await platform.secondFactor.begin(for: person)
    let opened = try await platform.secondFactor.confirm(
      code: totp.code(step: TOTP.step(at: Date())), for: person, userAgent: "test",
      address: "127.0.0.1", at: Date()
    ).opened
    let admin = try await Operator.find(email: person.email, platform.pool) ?? person
    return (admin, "session=\(opened.token)", opened.csrfToken)
  }

  /// A browser whose password was right and whose second factor is still to come.
  func halfWaySession() async throws -> (cookie: String, csrf: String) {
    let email = "half-\(UUID().uuidString.lowercased())@example.com"
    let person = try await Operator.create(
      email: email, name: "half", password: "correct horse battery", locale: "en", at: Date(),
      platform)
    let totp = try await platform.secondFactor.begin(for: person)
    _ = try await platform.secondFactor.confirm(
      code: totp.code(step: TOTP.step(at: Date())), for: person, userAgent: "test",
      address: "127.0.0.1", at: Date())
    let opened = try await platform.login.open(
      email: email, password: "correct horse battery", userAgent: "test", address: "127.0.0.1",
      at: Date())
    return ("session=\(opened.token)", opened.csrfToken)
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: String = ""
  ) async throws -> (status: Int, headers: HTTPFields, body: String) {
    let response = try await client.executeRequest(
      uri: path, method: method, headers: headers,
      body: body.isEmpty ? nil : ByteBuffer(string: body))
    return (
      response.status.code, response.headers, String(buffer: response.body)
    )
  }
}
