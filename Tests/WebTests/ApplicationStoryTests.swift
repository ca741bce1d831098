@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

@Suite struct ApplicationStoryTests {
  private static func secret(_ page: String) throws -> String {
    try #require(page.firstMatch(of: /<code>([^<]+)<\/code>/).map { String($0.output.1) })
  }

  private static func path(_ address: String) -> String {
    address.replacing("http://127.0.0.1:8080", with: "")
  }

  /// From the form to the owner's first page.
  @Test func somebodyAsksIsReadAndComesIn() async throws {
    try await ServerFixture.with { fixture in
      let pool = fixture.platform.pool
      let link = try await fixture.apply()
      #expect(link.hasPrefix("/applications/"))
      let status = try await fixture.send(.get, link)
      #expect(status.status == 200 && status.headers[.cacheControl] == "no-store")
      #expect(status.body.contains("noindex") && status.body.contains("@figurinhas_lab_bot"))
      #expect(status.body.contains("&lt;script&gt;") && !status.body.contains("<script>alert"))
      let token = link.replacing("/applications/", with: "")
      let stored = try await pool.query("select to_jsonb(a)::text as row from applications a")[0]
        .get("row", as: String.self)
      #expect(!stored.contains(token) && !stored.contains("127.0.0.1"))

      let admin = try await AdminDesk(fixture)
      let application = try #require(try await Application.find(token: token, pool))
      let path = "/admin/applications/\(application.id)"
      #expect(try await admin.get("/admin/applications").body.contains(path))
      let page = try await admin.get(path)
      #expect(page.status == 200 && page.body.contains("value=\"figurinhas-lab\""))
      #expect(page.body.contains("&lt;script&gt;") && page.body.contains("**margin**"))
      #expect(try await admin.post(path + "/notes", ["note": "Knows <b>Bo</b>"]).status == 303)
      #expect(try await admin.post(path + "/notes", ["note": " "]).status == 422)
      #expect(try await !fixture.send(.get, link).body.contains("Knows"))
      // A question, and its answer.
      let early = try await fixture.post(link + "/answer", ["body": "Before anybody asked"])
      #expect(early.status == 303)
      #expect(try await admin.post(path + "/question", ["question": "How many?"]).status == 303)
      #expect(try await fixture.send(.get, link).body.contains("How many?"))
      #expect(try await fixture.post(link + "/answer", ["body": ""]).status == 422)
      #expect(try await fixture.post(link + "/answer", ["body": "<i>Many</i>"]).status == 303)
      let answered = try await admin.get(path).body
      #expect(answered.contains("&lt;i&gt;Many") && !answered.contains("Before anybody"))
      // Addresses that cannot be had are refused beside the field, and what was typed stays.
      let taken = fixture.live.slug
      for slug in ["admin", "Figurinhas Lab", "a", "lab-test", taken, "", "-lab", "lab\u{301}a"] {
        let refused = try await admin.post(
          path + "/approval",
          ["name": "Figurinhas \"Lab\"", "slug": slug, "approval_words": "Welcome"])
        #expect(refused.status == 422 && refused.body.contains("id=\"slug-problem\""), "\(slug)")
        #expect(refused.body.contains("Figurinhas &quot;Lab&quot;"))
      }
      let made = try await admin.post(
        path + "/approval",
        ["name": "Figurinhas Lab", "slug": "figurinhas-lab", "approval_words": "Welcome"])
      #expect(made.status == 201 && made.headers[.cacheControl] == "no-store")
      let invitation = Self.path(try Self.secret(made.body))
      let again = try await admin.post(
        path + "/approval", ["name": "Other", "slug": "other-name"])
      #expect(again.status == 409)
      #expect(try await fixture.send(.get, link).body.contains("Welcome"))
      let live = try #require(try await Workspace.find(slug: "figurinhas-lab", pool))
      #expect(live.stage == .approved && live.locale == "en")
      // Sent again: the first link is good for nothing then.
      let resent = try await admin.post("/admin/workspaces/\(live.id)/invitations")
      #expect(try await fixture.send(.get, invitation).status == 404)
      let newest = Self.path(try Self.secret(resent.body))
      #expect(try await !admin.get("/admin/workspaces/\(live.id)").body.contains(newest))
      let joined = try await fixture.post(
        newest,
        [
          "name": "Ana", "email": "ana@example.com", "password": "correct horse battery",
          "again": "correct horse battery",
        ])
      #expect(joined.status == 303 && joined.headers[.location] == "/w/figurinhas-lab")
      #expect(try await fixture.send(.get, newest).status == 404, "used")
      #expect(try await fixture.send(.get, newest + "x").status == 404, "forged")
      for slug in ["figurinhas-lab", "figurinhas-lab-test"] {
        let side = try #require(try await Workspace.find(slug: slug, pool))
        #expect(side.stage == .pilot)
        let log = try await AuditEntry.search(.init(), limit: 20, in: side.scope, pool)
        #expect(log.contains { $0.action == "workspace.approved" && $0.actor.kind == .admin })
        #expect(log.contains { $0.action == "workspace.stage_changed" })
        let units: Int = try await pool.query(
          "select count(*) from credit_units", in: side.scope)[0].get("count")
        #expect(units == 1)
      }
      let log = try await admin.get("/admin/audit").body
      for words in ["left a note", "asked the applicant", "approved the application"] {
        #expect(log.contains(words), "\(words)")
      }
      #expect(!log.contains("ana_souza") && !log.contains("figurinhas_lab_bot"))
    }
  }
}
