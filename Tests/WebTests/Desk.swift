@_spi(Guard) import EStars
import Foundation
import HTTPTypes

@testable import Web

/// A signed-in operator who reads pages and sends their forms as a browser does.
struct Desk: Sendable {
  let fixture: ServerFixture
  let cookie: String
  let csrf: String

  init(_ fixture: ServerFixture, _ role: Role = .manager) async throws {
    self.fixture = fixture
    (cookie, csrf) = try await fixture.operatorSession(role)
  }

  func get(_ path: String) async throws -> (status: Int, headers: HTTPFields, body: String) {
    try await fixture.send(
      .get, "/w/\(fixture.workspace.slug)/\(path)", headers: [.cookie: cookie])
  }

  func post(
    _ path: String, _ form: [String: String]
  ) async throws -> (status: Int, headers: HTTPFields, body: String) {
    let unreserved = CharacterSet.alphanumerics
    let pairs = form.merging(["csrf": csrf]) { own, _ in own }.map { name, value in
      [name, value].map { $0.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }
        .joined(separator: "=")
    }
    return try await fixture.send(
      .post, "/w/\(fixture.workspace.slug)/\(path)",
      headers: [.cookie: cookie, .contentType: "application/x-www-form-urlencoded"],
      body: pairs.joined(separator: "&"))
  }

  /// The fields of the page's rules form, as a browser would send them back.
  func fields(_ path: String) async throws -> [String: String] {
    let page = try await get(path).body
    var fields: [String: String] = [:]
    for match in page.matches(of: /<input[^>]* name="([^"]+)"[^>]*>/) {
      let isUnchecked =
        match.output.0.contains("type=\"checkbox\"") && !match.output.0.contains(" checked")
      let value = match.output.0.firstMatch(of: /value="([^"]*)"/)?.output.1 ?? ""
      if !isUnchecked, fields[String(match.output.1)] == nil {
        fields[String(match.output.1)] = String(value)
      }
    }
    for match in page.matches(of: /(?s)<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)<\/textarea>/) {
      fields[String(match.output.1)] = String(match.output.2)
    }
    for match in page.matches(of: /(?s)<select[^>]* name="([^"]+)".*?<\/select>/) {
      let chosen = match.output.0.firstMatch(of: /value="([^"]*)" selected/)?.output.1 ?? ""
      fields[String(match.output.1)] = String(chosen)
    }
    return fields
  }
}
