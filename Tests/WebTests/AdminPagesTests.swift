@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// What admins see and decide, and what businesses learn of it.
@Suite struct AdminPagesTests {
  private static func secret(_ page: String) throws -> String {
    try #require(page.firstMatch(of: /<code>([^<]+)<\/code>/).map { String($0.output.1) })
  }

  private static func path(_ address: String) -> String {
    address.replacing("http://127.0.0.1:8080", with: "")
  }

  private static func log(
    _ side: Workspace, _ fixture: ServerFixture
  ) async throws -> [AuditEntry] {
    try await AuditEntry.search(.init(), limit: 50, in: side.scope, fixture.platform.pool)
  }

  @Test func aCodeShortensTheQueue() async throws {
    try await ServerFixture.with { fixture in
      let admin = try await AdminDesk(fixture)
      let codes = "/admin/invitation-codes"
      for form in [
        ["name": "", "uses": "1", "days": "30"], ["name": "Meetup", "uses": "0", "days": "30"],
        ["name": "Meetup", "uses": "1", "days": "x"],
      ] {
        let refused = try await admin.post(codes, form)
        #expect(refused.status == 422 && refused.body.contains("field-problem"))
      }
      let made = try await admin.post(codes, ["name": "<b>Meetup", "uses": "1", "days": "30"])
      #expect(made.status == 201 && made.headers[.cacheControl] == "no-store")
      let code = try Self.secret(made.body)
      #expect(code.wholeMatch(of: /[A-Z2-7]{4}(-[A-Z2-7]{4}){3}/) != nil)
      let list = try await admin.get(codes).body
      #expect(!list.contains(code) && list.contains("&lt;b&gt;Meetup"))
      _ = try await fixture.apply(["bot": "@first_bot", "contact": "first@example.com"])
      let typed = code.lowercased().replacing("-", with: " ")
      let link = try await fixture.apply([
        "bot": "@second_bot", "contact": "second@example.com", "code": typed,
      ])
      #expect(try await fixture.send(.get, link).body.contains("within two working days"))
      let queue = try await admin.get("/admin/applications").body
      let places = ["@second_bot", "@first_bot"].compactMap { queue.range(of: $0)?.lowerBound }
      #expect(places.count == 2 && places[0] < places[1], "the code comes first")
      // Used up, and then one that is taken back.
      let spent = try await fixture.post(
        "/pilot",
        ServerFixture.application.merging(["code": code, "stamp": fixture.stamp()]) { $1 })
      #expect(spent.status == 422 && spent.body.contains("id=\"code-problem\""))
      let other = try Self.secret(
        try await admin.post(codes, ["name": "Other", "uses": "5", "days": "1"]).body)
      let id = try #require(
        try await InvitationCode.all(limit: 1, fixture.platform.pool).first
      ).id
      #expect(try await admin.post("\(codes)/\(id)/revocation").status == 303)
      #expect(try await admin.post("\(codes)/\(id)/revocation").status == 404)
      let revoked = try await fixture.post(
        "/pilot",
        ServerFixture.application.merging(["code": other, "stamp": fixture.stamp()]) { $1 })
      #expect(revoked.status == 422)
      #expect(try await fixture.applicationCount() == 2)
    }
  }

  @Test func whatIsKnownAlreadyIsShown() async throws {
    try await ServerFixture.with { fixture in
      let admin = try await AdminDesk(fixture)
      let owner = try await fixture.operatorSession(.owner, of: fixture.live)
      #expect(!owner.cookie.isEmpty)
      let email = try #require(
        try await OperatorRecord.owners(of: fixture.live.id, fixture.platform.pool).first
      ).person.email
      _ = try await fixture.apply(["bot": "@Somebody_bot", "contact": "@ANA"])
      _ = try await fixture.apply(["bot": "@nobody_bot", "contact": "@ana"])
      _ = try await fixture.apply(["bot": "@SHOP_bot", "contact": email.uppercased()])
      _ = try await fixture.apply(["bot": "@alone_bot", "contact": "@alone"])
      let list = try await admin.get("/admin/applications").body
      #expect(list.matches(of: /known already/).count == 3)
      let found = try await Application.recent(in: nil, limit: 10, fixture.platform.pool)
      func page(_ bot: String) async throws -> String {
        let id = try #require(found.first { $0.botUsername == bot }).id
        return try await admin.get("/admin/applications/\(id)").body
      }
      #expect(try await page("nobody_bot").contains("@Somebody_bot · @ANA"))
      let shop = try await page("SHOP_bot")
      #expect(shop.contains("/admin/workspaces/\(fixture.live.id)") && shop.contains("Account"))
      #expect(try await page("alone_bot").contains("No other application"))
    }
  }

  @Test func aBusinessIsSuspendedResumedAndLookedInto() async throws {
    try await ServerFixture.with { fixture in
      let admin = try await AdminDesk(fixture)
      let path = "/admin/workspaces/\(fixture.live.id)"
      let page = try await admin.get(path)
      #expect(page.status == 200 && page.body.contains("@shop_bot"))
      #expect(try await admin.get("/admin/workspaces?named=no+such").body.contains("No workspace"))
      let list = try await admin.get("/admin/workspaces?stage=open").body
      #expect(list.contains(path))
      #expect(try await admin.get("/admin/workspaces/\(fixture.workspace.id)").status == 404)
      #expect(try await admin.post(path + "/suspension", ["reason": ""]).status == 422)
      let reason = "Chargebacks <script>"
      #expect(try await admin.post(path + "/suspension", ["reason": reason]).status == 303)
      #expect(try await admin.post(path + "/suspension", ["reason": "again"]).status == 409)
      let suspended = try await admin.get(path).body
      #expect(suspended.contains("Chargebacks &lt;script&gt;"))
      for side in [fixture.live, fixture.workspace] {
        let stage = try await Workspace.find(slug: side.slug, fixture.platform.pool)?.stage
        #expect(stage == .suspended)
        let line = try await Self.log(side, fixture).first { $0.action == "workspace.suspended" }
        #expect(line?.actor == Actor(.admin, admin.person.email) && line?.reason == reason)
      }
      #expect(try await admin.post(path + "/resumption", ["reason": "Solved"]).status == 303)
      #expect(try await admin.post(path + "/resumption", ["reason": "Solved"]).status == 409)
      // Nobody looks in without a reason, and then as a viewer, for an hour.
      let own = "/w/\(fixture.workspace.slug)"
      #expect(try await admin.get(own).status == 404)
      #expect(try await admin.post(path + "/visits", ["reason": " "]).status == 422)
      let visit = try await admin.post(path + "/visits", ["reason": "A refund that hangs"])
      #expect(visit.status == 303 && visit.headers[.location] == "/w/\(fixture.live.slug)")
      for side in [fixture.live, fixture.workspace] {
        let seen = try await admin.get("/w/\(side.slug)")
        #expect(seen.status == 200 && seen.body.contains("as an admin, until"))
        let line = try await Self.log(side, fixture).first { $0.action == "workspace.visited" }
        #expect(line?.actor.kind == .admin && line?.reason == "A refund that hangs")
      }
      #expect(try await admin.post(own + "/packs", ["sku": "x"]).status == 403)
      let other = try await AdminDesk(fixture)
      #expect(try await other.get(own).status == 404, "each has visits of their own")
      let person = try #require(
        try await Operator.find(email: admin.person.email, fixture.platform.pool))
      func membership(_ seconds: TimeInterval) async throws -> Membership? {
        try await Membership.find(
          slug: fixture.live.slug, of: person, at: Date(timeIntervalSinceNow: seconds),
          fixture.platform.pool)
      }
      #expect(try await membership(3500)?.role == .viewer)
      #expect(try await membership(3700) == nil)
      let log = try await admin.get("/admin/audit?kind=workspace").body
      #expect(log.contains("looked into the workspace") && log.contains("A refund that hangs"))
    }
  }

  @Test func theListSaysHowABusinessDoes() async throws {
    try await ServerFixture.with { fixture in
      let (admin, pool) = (try await AdminDesk(fixture), fixture.platform.pool)
      let path = "/admin/workspaces/\(fixture.live.id)"
      let calm = try await admin.get("/admin/workspaces").body
      #expect(calm.contains(">Well<") && !calm.contains(">Look into it<"))
      // Trouble of either side is the business's.
      try await pool.execute(
        """
        insert into jobs (workspace_id, kind, subject, run_at, last_error)
        values (\(fixture.workspace.id), 'refund.settle', '1', now(), 'ERROR')
        """)
      try await pool.execute(
        """
        update workspaces set drills_finished_at = now(), drills_passed = 9, drills_failed = 1
        where workspace_id = \(fixture.live.id)
        """)
      let list = try await admin.get("/admin/workspaces").body
      #expect(list.contains(">Look into it<") && list.contains("9 of 10"))
      #expect(try await admin.get(path).body.contains("9 of 10"))
      let business = try #require(try await Business.find(id: fixture.live.id, pool))
      let (live, test) = try await business.health(pool)
      #expect(live.isWell && test?.failingJobs == 1)
    }
  }

  @Test func aWishForMoreBotsIsAnswered() async throws {
    try await ServerFixture.with { fixture in
      let (admin, pool) = (try await AdminDesk(fixture), fixture.platform.pool)
      let live = fixture.live
      func ask() async throws -> Int64 {
        try await pool.query(
          """
          insert into expansion_requests (workspace_id, asked_at, asked_by, body, drill_run_id)
          values (\(live.id), now(), 'ana@example.com', '<b>Three bots', 1)
          returning expansion_request_id
          """)[0].get("expansion_request_id")
      }
      try await pool.execute("update workspaces set stage = 'pilot'")
      let first = try await ask()
      #expect(try await admin.get("/admin").body.contains("/admin/workspaces/\(live.id)"))
      let page = try await admin.get("/admin/workspaces/\(live.id)").body
      #expect(page.contains("&lt;b&gt;Three bots"))
      let path = "/admin/expansion-requests/"
      #expect(try await admin.post("\(path)\(first)/decline", ["reason": ""]).status == 422)
      let declined = try await admin.post("\(path)\(first)/decline", ["reason": "Too early"])
      #expect(declined.status == 303)
      #expect(try await admin.post("\(path)\(first)/approval", ["reason": "x"]).status == 409)
      #expect(try await Workspace.find(slug: live.slug, pool)?.stage == .pilot)
      let second = try await ask()
      let approved = try await admin.post("\(path)\(second)/approval", ["reason": "Well done"])
      #expect(approved.status == 303)
      for side in [live, fixture.workspace] {
        #expect(try await Workspace.find(slug: side.slug, pool)?.stage == .open)
      }
      let actions = try await Self.log(live, fixture).map(\.action)
      #expect(actions.contains("expansion_request.declined"))
      #expect(actions.contains("expansion_request.approved"))
      let answer = try await ExpansionRequest.find(id: second, pool)
      #expect(answer?.answer == "Well done" && answer?.decidedBy == admin.person.email)
    }
  }

  @Test func anAdminHelpsWhoeverLostThePassword() async throws {
    try await ServerFixture.with { fixture in
      let admin = try await AdminDesk(fixture)
      _ = try await fixture.operatorSession(.owner, of: fixture.live)
      let record = try #require(
        try await OperatorRecord.owners(of: fixture.live.id, fixture.platform.pool).first)
      let path = "/admin/operators/\(record.person.id)"
      #expect(try await admin.get("/admin/operators?named=owner-").body.contains(path))
      #expect(try await admin.get(path).body.contains(fixture.live.name))
      let made = try await admin.post(path + "/resets", ["kind": "password"])
      #expect(made.status == 201)
      let link = Self.path(try Self.secret(made.body))
      let password = "another fine password"
      #expect(try await fixture.send(.get, link).status == 200)
      // A link of somebody who is no admin any more opens nothing.
      let pool = fixture.platform.pool
      func admit(_ isAdmin: Bool) async throws {
        try await pool.execute(
          """
          update operators set is_admin = \(isAdmin) where operator_id = \(admin.person.id)
          """)
      }
      try await admit(false)
      #expect(try await fixture.send(.get, link).status == 404)
      #expect(try await admin.get("/admin").status == 404)
      try await admit(true)
      let set = try await fixture.post(link, ["password": password, "again": password])
      #expect(set.status == 303)
      let told = try await Self.log(fixture.live, fixture).first {
        $0.action == "team.reset_made"
      }
      #expect(told?.actor == Actor(.admin, admin.person.email))
      // Not of another admin: that would be a way to everything.
      let other = try await AdminDesk(fixture)
      let refused = try await admin.post(
        "/admin/operators/\(other.person.id)/resets", ["kind": "totp"])
      #expect(refused.status == 409)
    }
  }

  /// The password alone opens nothing.
  @Test func anAdminNeedsASecondFactor() async throws {
    try await ServerFixture.with { fixture in
      let (cookie, _) = try await fixture.operatorSession(.owner)
      try await fixture.platform.pool.execute("update operators set is_admin = true")
      for path in ["/admin", "/w/\(fixture.workspace.slug)", "/workspaces"] {
        let answer = try await fixture.send(.get, path, headers: [.cookie: cookie])
        #expect(answer.status == 303 && answer.headers[.location] == "/account/totp", "\(path)")
      }
    }
  }
}
