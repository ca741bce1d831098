@_spi(Guard) import EStars
import Foundation
import HTTPTypes

@testable import Web

/// A signed-in admin who reads pages and sends their forms as a browser does.
struct AdminDesk: Sendable {
  typealias Answer = (status: Int, headers: HTTPFields, body: String)

  let fixture: ServerFixture
  let person: Operator
  private let cookie: String
  private let csrf: String

  init(_ fixture: ServerFixture) async throws {
    self.fixture = fixture
    (person, cookie, csrf) = try await fixture.adminSession()
  }

  func get(_ path: String) async throws -> Answer {
    try await fixture.send(.get, path, headers: [.cookie: cookie])
  }

  func post(_ path: String, _ form: [String: String] = [:]) async throws -> Answer {
    try await fixture.post(
      path, form.merging(["csrf": csrf]) { own, _ in own }, [.cookie: cookie])
  }
}

extension ServerFixture {
  /// Sends a form as a browser does that is signed in nowhere.
  func post(
    _ path: String, _ form: [String: String], _ headers: HTTPFields = [:]
  ) async throws -> AdminDesk.Answer {
    let pairs = form.map { name, value in
      "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
    }
    var headers = headers
    headers[.contentType] = "application/x-www-form-urlencoded"
    return try await send(.post, path, headers: headers, body: pairs.joined(separator: "&"))
  }

  /// A stamp of a form that was drawn so many seconds ago.
  func stamp(_ seconds: TimeInterval = 20) -> String {
    FormStamp.make(at: Date(timeIntervalSinceNow: -seconds), platform.secrets)
  }

  static let application = [
    "bot": "https://t.me/figurinhas_lab_bot", "segment": "ai_bot", "stars": "12,000",
    "cost": "0.45 BRL a picture", "contact": "@ana_souza",
    "pain": "Refunds <script>alert(1)</script> eat the **margin**",
  ]

  /// Sends an application.
  ///
  /// - Returns: The path of its private link.
  func apply(_ words: [String: String] = [:]) async throws -> String {
    let form = Self.application.merging(["stamp": stamp()]) { own, _ in own }
      .merging(words) { _, other in other }
    return try await post("/pilot", form).headers[.location] ?? "refused"
  }

  func applicationCount() async throws -> Int {
    try await platform.pool.query("select count(*) from applications")[0].get("count")
  }
}
