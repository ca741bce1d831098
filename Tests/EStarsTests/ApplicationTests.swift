import Foundation
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// What is kept of those who ask, how often they are heard, and links that admins make.
@Suite struct ApplicationTests {
  /// - Returns: Whether it was taken; anything but a refusal is a failure of the test.
  private func apply(
    _ address: String, code: String = "", contact: String = "@ana", at: Date = Date(),
    _ fixture: Fixture
  ) async -> Bool {
    let stamp = FormStamp.make(at: at.addingTimeInterval(-9), fixture.platform.secrets)
    let draft = ApplicationDraft(
      locale: "en", botUsername: "figurinhas_bot", segment: .aiBot, monthlyStars: 10,
      variableCost: "none", contact: contact, pain: "Refunds", invitationCode: code)
    do {
      _ = try await Application.apply(
        draft, stamp: stamp, address: address, at: at, fixture.platform)
      return true
    } catch is Application.ApplyRefusal { return false } catch {
      Issue.record(error)
      return false
    }
  }

  private func admin(_ fixture: Fixture) async throws -> Operator {
    let row = try await fixture.pool.query(
      """
      insert into operators as o (email, name, password_hash, is_admin)
      values ('eve@estars.example', 'Eve', \(Login.nobodysHash), true)
      returning \(Operator.columns)
      """)[0]
    return try Operator(row)
  }

  private func count(_ fixture: Fixture) async throws -> Int {
    try await fixture.pool.query("select count(*) from applications")[0].get("count")
  }

  @Test func addressesAreCountedAndNotKept() async throws {
    try await Fixture.with { fixture in
      let taken = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<30 { group.addTask { await apply("203.0.113.9", fixture) } }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(taken == Limits.applicationsPerAddress)
      // A network of IPv6 is one; IPv4 in its words is the address itself.
      for number in 0..<8 { _ = await apply("2001:db8:1:2::\(number)", fixture) }
      #expect(try await count(fixture) == 2 * Limits.applicationsPerAddress)
      #expect(await !apply("::ffff:203.0.113.9", fixture))
      #expect(await apply("2001:db8:1:3::1", fixture))
      let keys = try await fixture.pool.query("select throttle_key from throttles").map {
        try $0.get("throttle_key", as: String.self)
      }
      #expect(!keys.joined().contains("203.0") && !keys.joined().contains("2001"))
      // The day after it is heard again, and nothing of the day before is left.
      let tomorrow = Date(timeIntervalSinceNow: 86_401)
      #expect(await apply("203.0.113.9", at: tomorrow, fixture))
      _ = try await Throttle.purge(at: tomorrow.addingTimeInterval(86_401), fixture.pool)
      let left: Int = try await fixture.pool.query("select count(*) from throttles")[0]
        .get("count")
      #expect(left == 0)
    }
  }

  /// Each with a form of its own, ten at a time. Ten thousand end the same, only later: after the
  /// fifth nothing is written.
  @Test func twoThousandApplicationsFromOneAddressAreFive() async throws {
    try await Fixture.with { fixture in
      let taken = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<10 {
          group.addTask {
            var taken = 0
            for _ in 0..<200 where await apply("203.0.113.9", fixture) { taken += 1 }
            return taken
          }
        }
        return await group.reduce(0, +)
      }
      #expect(taken == Limits.applicationsPerAddress)
      #expect(try await count(fixture) == taken)
      // They count for nobody else, and are two rows: the address and everybody.
      #expect(await apply("203.0.113.10", fixture))
      let everybody: Int = try await fixture.pool.query(
        "select failures from throttles where throttle_key = 'applications'")[0].get("failures")
      #expect(everybody == taken + 1)
      let rows: Int = try await fixture.pool.query("select count(*) from throttles")[0]
        .get("count")
      #expect(rows == 3)
    }
  }

  @Test func everybodyTogetherIsHeardSoOften() async throws {
    try await Fixture.with { fixture in
      let eve = try await admin(fixture)
      let code = try await InvitationCode.make(
        for: "Meetup", uses: 1, days: 1, by: eve, at: Date(), fixture.pool)
      try await fixture.pool.execute(
        """
        insert into throttles (throttle_key, failures, window_started_at)
        values ('applications', \(Limits.applicationsPerDay - 1), now())
        """)
      #expect(await apply("192.0.2.1", fixture))
      #expect(await !apply("192.0.2.2", fixture))
      // Whoever was invited is heard in any crowd, as often as the code says.
      #expect(await apply("192.0.2.2", code: code, fixture))
      #expect(await !apply("192.0.2.2", code: code, fixture))
    }
  }

  @Test func aCodeIsGoodForItsTimeAndItsUses() async throws {
    try await Fixture.with { fixture in
      let (eve, at) = (try await admin(fixture), Date())
      let code = try await InvitationCode.make(
        for: "Meetup", uses: 2, days: 1, by: eve, at: at, fixture.pool)
      let taken = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<6 {
          group.addTask { await apply("192.0.2.\(number)", code: code, fixture) }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(taken == 2)
      #expect(try await count(fixture) == 2, "a use and its application go together")
      let other = try await InvitationCode.make(
        for: "Other", uses: 9, days: 1, by: eve, at: at, fixture.pool)
      let (late, over) = (at.addingTimeInterval(86_390), at.addingTimeInterval(86_401))
      #expect(await apply("192.0.2.8", code: other, at: late, fixture))
      #expect(await !apply("192.0.2.9", code: other, at: over, fixture))
      let state = try await InvitationCode.all(limit: 1, fixture.pool).first?.state(at: over)
      #expect(state == .over)
    }
  }

  @Test(arguments: ["@Demo_Ana", "t.me/demo_ana", "https://t.me/demo_ana/", "Telegram.me/demo_ana"])
  func aContactIsKnownAgain(_ written: String) async throws {
    try await Fixture.with { fixture in
      for contact in ["demo_ana", written, "demo_anab"] {
        #expect(await apply("192.0.2.1", contact: contact, fixture))
      }
      try await fixture.pool.execute(
        "update applications set bot_username = 'other_' || application_id || '_bot'")
      let all = try await Application.recent(in: nil, limit: 5, fixture.pool)
      let known = try await Application.withDuplicates(among: all, fixture.pool)
      #expect(known == Set(all.dropFirst().map(\.id)))
      #expect(try await all[1].duplicates(fixture.pool).applications.map(\.id) == [all[2].id])
    }
  }

  @Test func ofTwoDecisionsAtOnceOneCounts() async throws {
    try await Fixture.with { fixture in
      let eve = try await admin(fixture)
      for number in 0..<3 { #expect(await apply("192.0.2.\(number)", fixture)) }
      let ids = try await Application.recent(in: nil, limit: 5, fixture.pool).map(\.id)
      func approve(_ id: Int64, _ slug: String) async -> String {
        do {
          return try await Application.approve(
            id,
            opening: WorkspaceRequest(
              slug: slug, name: "Lab", segment: .aiBot, timeZone: "UTC", locale: "en",
              stage: .approved), words: "", by: eve, at: Date(), fixture.platform
          ).workspace.slug
        } catch { return String(reflecting: error) }
      }
      // Two admins read one application.
      async let one = approve(ids[0], "lab-one")
      async let two = approve(ids[0], "lab-two")
      let first = await [one, two]
      #expect(first.filter { $0.hasPrefix("lab-") }.count == 1)
      #expect(first.contains(String(reflecting: Application.Refusal.state)))
      // Two applications are to get one address: the other one stays open.
      async let three = approve(ids[1], "lab-three")
      async let four = approve(ids[2], "lab-three")
      let second = await [three, four]
      #expect(second.contains("lab-three"))
      #expect(second.contains(String(reflecting: Workspace.OpeningProblem.taken)))
      let states = try await Application.recent(in: nil, limit: 5, fixture.pool).map(\.state)
      #expect(states.filter { $0 == .approved }.count == 2 && states.contains(.received))
      let sides = try await Workspace.all(fixture.pool).filter { $0.name == "Lab" }
      #expect(sides.count == 4)
      for side in sides {
        let log = try await AuditEntry.about(
          "workspace", String(side.id), in: side.scope, fixture.pool)
        #expect(log.map(\.action) == ["workspace.approved"])
      }
    }
  }

  /// Admins talk until there is no room; the applicant's answer and the decision always have some.
  @Test func anAnswerFindsRoom() async throws {
    try await Fixture.with { fixture in
      let (eve, at) = (try await admin(fixture), Date())
      #expect(await apply("192.0.2.1", fixture))
      let application = try #require(
        try await Application.recent(in: nil, limit: 1, fixture.pool).first)
      for number in 1..<Limits.applicationMessages {
        try await Application.note(
          "Note \(number)", about: application.id, by: eve, at: at, fixture.pool)
      }
      try await Application.ask("Why?", about: application.id, by: eve, at: at, fixture.pool)
      await #expect(throws: Application.Refusal.tooMany) {
        try await Application.note("x", about: application.id, by: eve, at: at, fixture.pool)
      }
      try await application.answer("Because", at: at, fixture.pool)
      try await Application.decline(
        application.id, because: .other, words: "No", by: eve, at: at, fixture.pool)
      let talk = try await ApplicationMessage.all(of: application, fixture.pool)
      #expect(talk.suffix(3).map(\.body) == ["Why?", "Because", "No"])
    }
  }

  @Test func whatWasDecidedLongAgoIsForgotten() async throws {
    try await Fixture.with { fixture in
      let eve = try await admin(fixture)
      for number in 0..<2 { #expect(await apply("192.0.2.\(number)", fixture)) }
      let ids = try await Application.recent(in: nil, limit: 5, fixture.pool).map(\.id)
      try await Application.decline(
        ids[0], because: .poorFit, words: "Sorry", by: eve, at: Date(), fixture.pool)
      let later = Date(timeIntervalSinceNow: Limits.applicationSeconds - 60)
      #expect(try await Application.purge(at: later, fixture.pool) == 0)
      #expect(
        try await Application.purge(at: later.addingTimeInterval(120), fixture.pool) == 1)
      #expect(try await Application.find(id: ids[1], fixture.pool) != nil)
    }
  }

  @Test func anInvitationOfAnAdminEndsWithItsTimeAndTheAdmin() async throws {
    try await Fixture.with { fixture in
      let eve = try await admin(fixture)
      let token = try await fixture.live.inviteOwner(by: eve, at: Date(), fixture.platform)
      let late = Date(timeIntervalSinceNow: Limits.invitationSeconds + 1)
      #expect(try await Invitation.find(token: token, at: late, fixture.pool) == nil)
      let link = try #require(
        try await Invitation.find(token: token, at: Date(), fixture.pool))
      #expect(link.role == .owner && link.hasBothSides && link.isByAdmin)
      try await fixture.pool.execute("update operators set is_admin = false")
      #expect(try await Invitation.find(token: token, at: Date(), fixture.pool) == nil)
      // Nor does a page that was opened before.
      await #expect(throws: Member.Refusal.notFound) {
        try await link.accept(by: eve, at: Date(), fixture.platform)
      }
    }
  }

  @Test(arguments: [
    ("Figurinhas_Lab_bot", "figurinhas-lab"), ("shopbot", "shop"), ("admin_bot", ""),
    ("a__b_bot", "a-b"), ("my_test_bot", ""), ("Bot_of_bots", "bot-of-bots"),
  ]) func anAddressIsProposed(_ username: String, _ slug: String) {
    #expect(Slug.proposal(for: username) == slug)
  }

  @Test(arguments: [
    ("@shop_bot", "shop_bot"), ("https://t.me/shop_bot?start=x", "shop_bot"),
    ("t.me/Shop_Bot/", "Shop_Bot"), (" telegram.me/shop_bot ", "shop_bot"), ("shop", nil),
    ("1shop_bot", nil), ("shop bot", nil), ("evil.me/shop_bot", nil), ("shop_bot_", nil),
    ("@" + String(repeating: "a", count: 33), nil),
  ]) func aUsernameIsReadAsPeopleWriteIt(_ typed: String, _ username: String?) {
    #expect(ApplicationDraft.username(typed) == username)
  }
}
