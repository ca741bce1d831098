import Foundation
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// Who comes in, who goes, and links that work once.
@Suite struct TeamTests {
  private static let password = "correct horse battery"

  private func person(
    _ name: String, _ role: Role?, _ fixture: Fixture, on sides: [Workspace]? = nil
  ) async throws -> Operator {
    // Nobody signs in here, so nobody waits for a hash.
    let row = try await fixture.pool.query(
      """
      insert into operators as o (email, name, password_hash)
      values (\(name + "@example.com"), \(name), \(Login.nobodysHash))
      returning \(Operator.columns)
      """)[0]
    let person = try Operator(row)
    if let role {
      for side in sides ?? [fixture.workspace] {
        try await person.join(side, as: role, at: Date(), fixture.pool)
      }
    }
    return person
  }

  private func actor(_ person: Operator) -> Actor { Actor(.operator, person.email) }

  private func role(of person: Operator, in side: Workspace, _ pool: Pool) async throws -> Role? {
    try await Member.find(id: person.id, in: side.scope, pool)?.role
  }

  private func invite(
    _ role: Role, by owner: Operator, on sides: [Workspace]? = nil, _ fixture: Fixture
  ) async throws -> String {
    try await Invitation.make(
      for: "Somebody", as: role, on: sides ?? [fixture.workspace], by: actor(owner),
      in: fixture.scope, fixture.pool)
  }

  @Test func anInvitationLetsOnePersonIn() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture, on: [fixture.workspace, fixture.live])
      let token = try await invite(
        .support, by: owner, on: [fixture.workspace, fixture.live], fixture)
      let link = try #require(
        try await Invitation.find(token: token, at: Date(), fixture.pool))
      #expect(link.hasBothSides && link.madeBy == owner.email)
      let opened = try await link.accept(
        email: " New@Example.com", name: "New", password: Self.password, locale: "en",
        userAgent: "", address: "a", at: Date(), fixture.platform)
      let session = try #require(
        try await Session.find(token: opened.token, at: Date(), fixture.pool))
      #expect(session.operator.email == "new@example.com")
      for side in [fixture.workspace, fixture.live] {
        #expect(try await role(of: session.operator, in: side, fixture.pool) == .support)
        let told = try await AuditEntry.about(
          "operator", "new@example.com", in: side.scope, fixture.pool)
        #expect(told.map(\.action) == ["team.joined"])
        #expect(told.first?.after["invited_by"] == owner.email)
      }
      // Used up, for the link and for whoever still has its page open.
      #expect(try await Invitation.find(token: token, at: Date(), fixture.pool) == nil)
      let other = try await person("other", nil, fixture)
      await #expect(throws: Member.Refusal.notFound) {
        try await link.accept(by: other, at: Date(), fixture.platform)
      }
      #expect(try await role(of: other, in: fixture.workspace, fixture.pool) == nil)
    }
  }

  @Test func manyAtOnceUseALinkOnce() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture)
      let token = try await invite(.viewer, by: owner, fixture)
      let link = try #require(try await Invitation.find(token: token, at: Date(), fixture.pool))
      var people: [Operator] = []
      for number in 0..<6 { people.append(try await person("p\(number)", nil, fixture)) }
      let joined = await withTaskGroup(of: Bool.self) { group in
        for person in people {
          group.addTask {
            (try? await link.accept(by: person, at: Date(), fixture.platform)) != nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(joined == 1)
      #expect(try await Member.all(in: fixture.scope, fixture.pool).count == 2)
    }
  }

  @Test func anInvitationEndsWithItsTimeAndItsMaker() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture)
      let second = try await person("second", .owner, fixture)
      let late = Date(timeIntervalSinceNow: Limits.invitationSeconds + 1)
      let token = try await invite(.owner, by: second, fixture)
      #expect(try await Invitation.find(token: token, at: Date(), fixture.pool) != nil)
      #expect(try await Invitation.find(token: token, at: late, fixture.pool) == nil)
      let open = try #require(try await Invitation.find(token: token, at: Date(), fixture.pool))
      try await Member.change(
        second.id, to: .manager, on: [fixture.workspace], by: actor(owner), fixture.pool)
      #expect(try await Invitation.find(token: token, at: Date(), fixture.pool) == nil)
      // Nor does a page that was opened before.
      let friend = try await person("friend", nil, fixture)
      await #expect(throws: Member.Refusal.notFound) {
        try await open.accept(by: friend, at: Date(), fixture.platform)
      }
      let taken = try await invite(.viewer, by: owner, fixture)
      let id = try #require(
        try await Invitation.waiting(in: fixture.scope, fixture.pool).first
      ).id
      try await Invitation.revoke(id, by: actor(owner), in: fixture.scope, fixture.pool)
      #expect(try await Invitation.find(token: taken, at: Date(), fixture.pool) == nil)
      await #expect(throws: Member.Refusal.notFound) {
        try await Invitation.revoke(id, by: actor(owner), in: fixture.scope, fixture.pool)
      }
    }
  }

  @Test func anInvitationReachesOnlyWhatItsMakerOwns() async throws {
    try await Fixture.with { fixture in
      let both = [fixture.workspace, fixture.live]
      _ = try await person("boss", .owner, fixture, on: both)
      let owner = try await person("owner", .owner, fixture, on: both)
      let token = try await invite(.owner, by: owner, on: both, fixture)
      let link = try #require(try await Invitation.find(token: token, at: Date(), fixture.pool))
      try await owner.join(fixture.live, as: .viewer, at: Date(), fixture.pool)
      let friend = try await person("friend", nil, fixture)
      try await link.accept(by: friend, at: Date(), fixture.platform)
      #expect(try await role(of: friend, in: fixture.workspace, fixture.pool) == .owner)
      #expect(try await role(of: friend, in: fixture.live, fixture.pool) == nil)
    }
  }

  @Test func anInvitationNeverLowersARole() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture)
      let token = try await invite(.viewer, by: owner, fixture)
      let link = try #require(try await Invitation.find(token: token, at: Date(), fixture.pool))
      try await link.accept(by: owner, at: Date(), fixture.platform)
      #expect(try await role(of: owner, in: fixture.workspace, fixture.pool) == .owner)
    }
  }

  @Test func aWorkspaceKeepsAnOwner() async throws {
    try await Fixture.with { fixture in
      let one = try await person("one", .owner, fixture)
      let two = try await person("two", .owner, fixture)
      // Each takes the other's place away at the same moment.
      let done = await withTaskGroup(of: Bool.self) { group in
        for (mover, moved) in [(one, two), (two, one)] {
          group.addTask {
            do {
              try await Member.change(
                moved.id, to: .viewer, on: [fixture.workspace], by: actor(mover), fixture.pool)
              return true
            } catch { return (error as? Member.Refusal) != .lastOwner }
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(done == 1)
      let left = try #require(
        try await Member.all(in: fixture.scope, fixture.pool).first { $0.role == .owner })
      for refused in [Role.manager, nil] {
        await #expect(throws: Member.Refusal.lastOwner) {
          if let refused {
            try await Member.change(
              left.id, to: refused, on: [fixture.workspace], by: actor(one), fixture.pool)
          } else {
            try await Member.remove(
              left.id, from: [fixture.workspace], by: actor(one), fixture.pool)
          }
        }
      }
    }
  }

  @Test func whoLeavesLeavesTheCasesToo() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture)
      let helper = try await person("helper", .support, fixture)
      let customer = try await fixture.pool.query(
        """
        insert into customers (workspace_id, telegram_id, created_at, last_seen_at)
        values (\(fixture.workspace.id), 8100001, now(), now()) returning customer_id
        """, in: fixture.scope)[0].get("customer_id", as: Int64.self)
      try await fixture.pool.execute(
        """
        insert into support_cases (workspace_id, bot_id, customer_id, topic, subject, source,
          assigned_to, opened_at, waits_since, last_message_at)
        values (\(fixture.workspace.id), \(fixture.bot.id), \(customer), 'other', 'Hello', 'buyer',
          \(helper.id), now(), now(), now())
        """, in: fixture.scope)
      try await Member.remove(
        helper.id, from: [fixture.workspace, fixture.live], by: actor(owner), fixture.pool)
      #expect(try await role(of: helper, in: fixture.workspace, fixture.pool) == nil)
      let free = try await fixture.count(
        "select count(*) from support_cases where assigned_to is null")
      #expect(free == 1)
      let line = try #require(
        try await AuditEntry.about("operator", helper.email, in: fixture.scope, fixture.pool)
          .last)
      #expect(line.action == "team.removed" && line.before == ["role": "support"])
      #expect(line.after == ["unassigned_cases": "1"] && line.actor == actor(owner))
      await #expect(throws: Member.Refusal.notFound) {
        try await Member.remove(
          helper.id, from: [fixture.workspace], by: actor(owner), fixture.pool)
      }
    }
  }

  @Test func ownersResetOnlyThoseWhoAreTheirsAlone() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture)
      let mine = try await person("mine", .manager, fixture)
      let shared = try await person(
        "shared", .viewer, fixture, on: [fixture.workspace, fixture.live])
      let admin = try await person("admin", .viewer, fixture)
      try await fixture.pool.execute(
        "update operators set is_admin = true where operator_id = \(admin.id)")
      func may(_ id: Int64) async throws -> Bool {
        try await ResetLink.mayBeMade(for: id, by: owner.email, fixture.pool)
      }
      #expect(try await may(mine.id))
      for other in [shared, admin, owner] { #expect(try await !may(other.id), "\(other.name)") }
      let member = try #require(
        try await Member.find(id: shared.id, in: fixture.scope, fixture.pool))
      await #expect(throws: Member.Refusal.notYours) {
        try await ResetLink.make(
          .password, for: member, by: actor(owner), in: fixture.scope, fixture.pool)
      }
    }
  }

  @Test func aResetLinkSetsOnePassword() async throws {
    try await Fixture.with { fixture in
      let owner = try await person("owner", .owner, fixture)
      let mine = try await person("mine", .manager, fixture)
      let member = try #require(
        try await Member.find(id: mine.id, in: fixture.scope, fixture.pool))
      func make() async throws -> String {
        try await ResetLink.make(
          .password, for: member, by: actor(owner), in: fixture.scope, fixture.pool)
      }
      func find(_ token: String, at: Date = Date()) async throws -> ResetLink? {
        try await ResetLink.find(token: token, at: at, fixture.pool)
      }
      let (old, token) = (try await make(), try await make())
      #expect(try await find(old) == nil, "a newer one takes its place")
      let late = Date(timeIntervalSinceNow: Limits.resetSeconds + 1)
      #expect(try await find(token, at: late) == nil)
      let link = try #require(try await find(token))
      let session = try await Session.open(
        for: mine.id, awaitsTOTP: false, userAgent: "", address: "", at: Date(), fixture.pool)
      await #expect(throws: Operator.CreationProblem.password) {
        try await link.set(password: "short", at: Date(), fixture.platform)
      }
      try await link.set(password: Self.password, at: Date(), fixture.platform)
      #expect(try await Session.find(token: session.token, at: Date(), fixture.pool) == nil)
      #expect(try await find(token) == nil)
      await #expect(throws: ResetLink.Refusal.gone) {
        try await link.set(password: "another good one", at: Date(), fixture.platform)
      }
      let opened = try await fixture.platform.login.open(
        email: mine.email, password: Self.password, userAgent: "", address: "", at: Date())
      #expect(!opened.awaitsTOTP)
      let actions = try await AuditEntry.about(
        "operator", mine.email, in: fixture.scope, fixture.pool
      ).map(\.action)
      #expect(actions == ["team.reset_made", "team.reset_made", "operator.password_reset"])
      // A link that its maker lost the right to make.
      let next = try await make()
      try await mine.join(fixture.live, as: .owner, at: Date(), fixture.pool)
      #expect(try await find(next) == nil)
    }
  }

  @Test func aSecondFactorIsTakenOffByLinkAndPassword() async throws {
    try await Fixture.with { fixture in
      let person = try await Operator.create(
        email: "ana@example.com", name: "Ana", password: Self.password, locale: "en", at: Date(),
        fixture.platform)
      let factor = fixture.platform.secondFactor
      let totp = try await factor.begin(for: person)
      _ = try await factor.confirm(
        code: totp.code(step: TOTP.step(at: Date())), for: person, userAgent: "", address: "a",
        at: Date())
      let token = try await ResetLink.make(.totp, for: person, fixture.platform)
      let link = try #require(try await ResetLink.find(token: token, at: Date(), fixture.pool))
      await #expect(throws: Login.Refusal.mismatch) {
        try await link.removeSecondFactor(
          password: "not the password", address: "a", at: Date(), fixture.platform)
      }
      try await link.removeSecondFactor(
        password: Self.password, address: "a", at: Date(), fixture.platform)
      #expect(try await Operator.find(email: person.email, fixture.pool)?.secondFactorSince == nil)
      #expect(try await RecoveryCode.left(of: person, fixture.pool) == 0)
      #expect(try await ResetLink.find(token: token, at: Date(), fixture.pool) == nil)
    }
  }

  @Test func theLogIsSearchedByEverything() async throws {
    try await Fixture.with { fixture in
      let (ana, bo) = (Actor(.operator, "ana@example.com"), Actor(.job, "refund.settle"))
      let start = Date(timeIntervalSince1970: 1_795_000_000)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        for number in 0..<6 {
          try await tx.audit(
            number.isMultiple(of: 2) ? ana : bo, number < 3 ? "pack.edited" : "plan.edited",
            number < 3 ? "pack" : "plan", "p\(number)", in: fixture.scope,
            at: start.addingTimeInterval(Double(number / 2) * 3600))
        }
      }
      func found(_ filter: AuditEntry.Filter, before: Int64? = nil, limit: Int = 50) async throws
        -> [AuditEntry]
      {
        try await AuditEntry.search(
          filter, before: before, limit: limit, in: fixture.scope, fixture.pool
        ).filter { $0.subject.hasPrefix("p") && $0.subject.count == 2 }
      }
      func subjects(_ filter: AuditEntry.Filter) async throws -> [String] {
        try await found(filter).map(\.subject)
      }
      let mine = AuditEntry.Filter(until: start.addingTimeInterval(86_400))
      #expect(try await subjects(mine) == ["p5", "p4", "p3", "p2", "p1", "p0"])
      #expect(try await subjects(.init(actor: ana.name)) == ["p4", "p2", "p0"])
      #expect(try await subjects(.init(actor: bo.name, action: "plan.edited")) == ["p5", "p3"])
      #expect(try await subjects(.init(subjectKind: "pack", subject: "p1")) == ["p1"])
      #expect(
        try await subjects(
          .init(
            from: start.addingTimeInterval(3600), until: start.addingTimeInterval(7200)))
          == ["p3", "p2"])
      // Page by page, lines of the same moment among them.
      var (pages, before): ([String], Int64?) = ([], nil)
      while let page = try? await found(
        .init(action: "pack.edited"), before: before, limit: 2), let last = page.last
      {
        pages += page.map(\.subject)
        before = last.id
      }
      #expect(pages == ["p2", "p1", "p0"])
      let names = try await AuditEntry.names(in: fixture.scope, fixture.pool)
      #expect(names.actors.contains(ana.name) && names.actions.contains("plan.edited"))
      #expect(Set(names.subjectKinds).isSuperset(of: ["pack", "plan"]))
      #expect(try await AuditEntry.names(in: fixture.live.scope, fixture.pool).actors.isEmpty)
    }
  }
}
