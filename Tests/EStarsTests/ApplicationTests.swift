import Foundation
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// What is kept of those who ask, how often they are heard, and links that admins make.
@Suite struct ApplicationTests {
  private static let draft = ApplicationDraft(
    locale: "en", botUsername: "figurinhas_bot", segment: .aiBot, monthlyStars: 10,
    variableCost: "none", contact: "@ana", pain: "Refunds")

  private func apply(_ address: String, at: Date = Date(), _ fixture: Fixture) async -> Bool {
    let stamp = FormStamp.make(at: at.addingTimeInterval(-9), fixture.platform.secrets)
    return
      (try? await Application.apply(
        Self.draft, stamp: stamp, address: address, at: at, fixture.platform)) != nil
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

  @Test func everybodyTogetherIsHeardSoOften() async throws {
    try await Fixture.with { fixture in
      try await fixture.pool.execute(
        """
        insert into throttles (throttle_key, failures, window_started_at)
        values ('applications', \(Limits.applicationsPerDay - 1), now())
        """)
      #expect(await apply("192.0.2.1", fixture))
      #expect(await !apply("192.0.2.2", fixture))
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
