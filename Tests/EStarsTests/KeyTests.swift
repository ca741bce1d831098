import Foundation
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars

/// API keys: their life, and how their use is noted.
@Suite struct KeyTests {
  private static let owner = Actor(.operator, "owner@example.com")

  private func make(_ fixture: Fixture, _ scopes: [APIKey.Scope]) async throws -> (
    id: Int64, text: String
  ) {
    try await APIKey.create(
      name: "server", botID: fixture.bot.id, scopes: scopes, side: .test, by: Self.owner,
      in: fixture.scope, fixture.pool)
  }

  private func find(_ text: String, _ fixture: Fixture) async throws -> APIKey? {
    try await APIKey.find(hash: Bytes.sha256(text), fixture.pool)
  }

  @Test func aRotatedKeyEndsWhenItsTimeIsOver() async throws {
    try await Fixture.with { fixture in
      let old = try await make(fixture, [.read, .support])
      let new = try await APIKey.rotate(
        old.id, overlap: .hour, side: .test, by: Self.owner, in: fixture.scope, fixture.pool)
      #expect(try await find(new.text, fixture)?.scopes == [.read, .support])
      let ending = try #require(try await find(old.text, fixture))
      let left = try #require(ending.expiresAt).timeIntervalSinceNow
      #expect((3_000...3_600).contains(left))
      #expect(
        !ending.isExpired(at: Date()) && ending.isExpired(at: Date(timeIntervalSinceNow: 3_601)))
      await #expect(throws: APIKey.ChangeProblem.ended) {
        try await APIKey.rotate(
          old.id, overlap: .none, side: .test, by: Self.owner, in: fixture.scope, fixture.pool)
      }
      try await fixture.pool.execute(
        "update api_keys set expires_at = now() where api_key_id = \(old.id)")
      #expect(try await find(old.text, fixture) == nil)
      let record = try await KeyRecord.find(id: old.id, in: fixture.scope, fixture.pool)
      #expect(record?.state(at: Date()) == .ended)
    }
  }

  @Test func aKeyOfAnotherWorkspaceCannotBeTouched() async throws {
    try await Fixture.with { fixture in
      let key = try await make(fixture, [.read])
      let other = fixture.live.scope
      #expect(try await KeyRecord.find(id: key.id, in: other, fixture.pool) == nil)
      await #expect(throws: APIKey.ChangeProblem.notFound) {
        try await APIKey.revoke(key.id, by: Self.owner, in: other, fixture.pool)
      }
      await #expect(throws: APIKey.ChangeProblem.notFound) {
        try await APIKey.rotate(
          key.id, overlap: .day, side: .live, by: Self.owner, in: other, fixture.pool)
      }
      await #expect(throws: APIKey.ChangeProblem.notFound) {
        try await APIKey.create(
          name: "x", botID: fixture.bot.id, scopes: [.read], side: .live, by: Self.owner,
          in: other, fixture.pool)
      }
      #expect(try await find(key.text, fixture) != nil)
    }
  }

  @Test func keysAreListedPageByPage() async throws {
    try await Fixture.with { fixture in
      var made: [Int64] = []
      for _ in 0..<5 { made.append(try await make(fixture, [.use]).id) }
      let first = try await KeyRecord.recent(before: nil, limit: 3, in: fixture.scope, fixture.pool)
      let rest = try await KeyRecord.recent(
        before: first.last?.id, limit: 3, in: fixture.scope, fixture.pool)
      #expect((first + rest).map(\.id) == made.reversed())
      #expect(
        try await KeyRecord.recent(before: nil, limit: 3, in: fixture.live.scope, fixture.pool)
          .isEmpty)
    }
  }

  @Test func aUseIsWrittenOnceAMinute() async throws {
    try await Fixture.with { fixture in
      let made = try await make(fixture, [.read])
      let key = try #require(try await find(made.text, fixture))
      let uses = KeyUses(pool: fixture.pool, logger: fixture.platform.logger)
      let minute = Date(timeIntervalSince1970: 1_800_000_000)
      func row() async throws -> (at: Date?, version: String) {
        let row = try await fixture.pool.query(
          "select last_used_at, xmin::text as version from api_keys where api_key_id = \(key.id)")[
            0]
        return (try row.getIfPresent("last_used_at"), try row.get("version"))
      }
      func until(_ at: Date) async throws -> String {
        for _ in 0..<2000 where try await row().at != at {
          try await Task.sleep(for: .milliseconds(10))
        }
        return try await row().version
      }
      for second in 0..<50 { uses.note(key, at: minute.addingTimeInterval(Double(second))) }
      let first = try await until(minute)
      #expect(try await row().at == minute)
      // Another process that notes the same minute changes nothing.
      let twin = KeyUses(pool: fixture.pool, logger: fixture.platform.logger)
      twin.note(key, at: minute.addingTimeInterval(30))
      uses.note(key, at: minute.addingTimeInterval(61))
      let second = try await until(minute.addingTimeInterval(61))
      #expect(second != first)
      #expect(try await row().at == minute.addingTimeInterval(61))
    }
  }
}
