@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Web

/// Operators' data is looked at, never taken away: what no page is does not leave by their doors.
@Suite struct NoExportTests {
  /// What a handler might answer one day, and what becomes of it.
  static let replies: [(name: String, reply: Reply, isPage: Bool)] = {
    let html: HTTPFields = [
      .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
    ]
    func page(but name: HTTPField.Name, _ value: String?) -> HTTPFields {
      var fields = html
      fields[name] = value
      return fields
    }
    let body = Array("<p>".utf8)
    return [
      ("page", .html("<p>"), true),
      ("refused", .html("<p>", status: .unprocessableContent), true),
      ("redirection", .seeOther("/w/x"), true),
      ("csv", Reply(.ok, headers: page(but: .contentType, "text/csv"), body: body), false),
      (
        "json", Reply(.ok, headers: page(but: .contentType, "application/json"), body: body), false
      ),
      ("text", .text("Stars,Credits"), false),
      ("untyped", Reply(.ok, headers: page(but: .contentType, nil), body: body), false),
      (
        "file",
        Reply(.ok, headers: page(but: .contentDisposition, "attachment"), body: body), false
      ),
      ("cacheable", Reply(.ok, headers: page(but: .cacheControl, "max-age=60"), body: body), false),
      ("kept", Reply(.ok, headers: page(but: .cacheControl, nil), body: body), false),
      (
        "shared",
        Reply(
          .ok, headers: page(but: .contentType, "application/json"), shared: SharedBody(body)),
        false
      ),
    ]
  }()

  @Test func whatIsNoPageIsRefused() {
    for (name, reply, isPage) in Self.replies {
      if isPage {
        #expect(throws: Never.self, "\(name)") { try reply.asPage() }
      } else {
        #expect(throws: Reply.NoPage.self, "\(name)") { try reply.asPage() }
      }
    }
  }

  /// Each such answer behind each kind of door for operators.
  @Test func noDoorForOperatorsLetsItOut() async throws {
    let routes = Self.replies.flatMap { name, reply, _ in
      [
        Route(.get, "/account/\(name)", .session { _ in reply }),
        Route(.get, "/login/\(name)", .awaitingTOTP { _ in reply }),
        Route(.get, "/w/:workspace/\(name)", .member(.viewer) { _ in reply }),
        Route(.get, "/admin/\(name)", .admin { _ in reply }),
      ]
    }
    try await ServerFixture.with { fixture in
      let member: HTTPFields = [.cookie: try await fixture.operatorSession(.viewer).cookie]
      let half: HTTPFields = [.cookie: try await fixture.halfWaySession().cookie]
      let admin: HTTPFields = [.cookie: try await fixture.adminSession().cookie]
      try await fixture.server.application(routes).test(.router) { client in
        for (name, reply, isPage) in Self.replies {
          for (path, headers) in [
            ("/account/\(name)", member), ("/login/\(name)", half),
            ("/w/\(fixture.workspace.slug)/\(name)", member), ("/admin/\(name)", admin),
          ] {
            let answer = try await client.executeRequest(
              uri: path, method: .get, headers: headers, body: nil)
            #expect(answer.status == (isPage ? reply.status : .internalServerError), "\(path)")
            #expect(isPage || !String(buffer: answer.body).contains("Stars,Credits"), "\(path)")
          }
        }
      }
    }
  }
}
