import Foundation
import HTTPTypes
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars
@testable import Web

/// Checks, debits and holds as bots see them.
@Suite struct UsageAPITests {
  private struct Caller {
    let fixture: ServerFixture
    let token: String

    func send(
      _ method: HTTPRequest.Method, _ path: String, _ body: String = "", key: String? = nil
    ) async throws -> (status: Int, body: [String: Any], headers: HTTPFields) {
      var headers: HTTPFields = [.authorization: "Bearer \(token)"]
      if !body.isEmpty { headers[.contentType] = "application/json" }
      if let key, let name = HTTPField.Name("Idempotency-Key") { headers[name] = key }
      let answer = try await fixture.send(method, path, headers: headers, body: body)
      let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
      return (answer.status, json as? [String: Any] ?? [:], answer.headers)
    }
  }

  private static func with(_ body: @Sendable @escaping (Caller) async throws -> Void) async throws {
    try await ServerFixture.with { fixture in
      let id = fixture.workspace.id
      try await fixture.platform.pool.transaction(in: fixture.workspace.scope) { tx in
        let scope = fixture.workspace.scope
        try await tx.execute(
          """
          insert into actions (workspace_id, action, title, price_credits, position, max_units,
            required_entitlement)
          values (\(id), 'song', 'Song', 2, 50, 20, null), (\(id), 'hd', 'HD', 0, 51, 9, 'hd_quality')
          """)
        try await tx.execute(
          """
          insert into action_tiers (workspace_id, action, tier, units_per_day, free_units)
          values (\(id), 'song', 'free', 5, 1)
          """)
        let customer = try await tx.customer(telegramID: 900, name: nil, in: scope, at: scope.now)
        _ = try await tx.credit(
          Grant(20, source: .promo), to: Account(customer.id), key: "test:900", in: scope,
          at: scope.now)
      }
      let token = try await fixture.key([.read, .use])
      try await body(Caller(fixture: fixture, token: token))
    }
  }

  private static let song = #"{"user":900,"action":"song","units":3}"#

  @Test func aCheckTellsTheTierWhatIsFreeAndWhatIsLeft() async throws {
    try await Self.with { caller in
      let answer = try await caller.send(.post, "/v1/checks", Self.song)
      #expect(answer.status == 200)
      #expect(answer.body["allowed"] as? Bool == true && answer.body["tier"] as? String == "free")
      #expect(answer.body["free_units"] as? Int == 1 && answer.body["cost"] as? Int == 4)
      let quota = try #require(answer.body["quota"] as? [String: Any])
      #expect(quota["period"] as? String == "day" && quota["left"] as? Int == 5)
      #expect(quota["resets_at"] is String)
      let refused = try await caller.send(.post, "/v1/checks", #"{"user":900,"action":"hd"}"#)
      #expect(refused.body["reason"] as? String == "no_access")
      #expect(refused.body["entitlement"] as? String == "hd_quality")
      let short = try await caller.send(
        .post, "/v1/checks", #"{"user":901,"action":"song","units":2,"language":"ru"}"#)
      #expect(short.body["reason"] as? String == "insufficient_credits")
      #expect(short.body["paywall"] != nil)
    }
  }

  @Test func aDebitBeyondTheQuotaSaysWhenToComeBack() async throws {
    try await Self.with { caller in
      let first = try await caller.send(.post, "/v1/debits", Self.song, key: "a")
      let debit = try #require(first.body["debit"] as? [String: Any])
      #expect(first.status == 201)
      #expect(debit["cost"] as? Int == 4 && debit["free_units"] as? Int == 1)
      let over = try await caller.send(.post, "/v1/debits", Self.song, key: "b")
      #expect(over.status == 429 && over.body["code"] as? String == "quota_exceeded")
      let quota = try #require(over.body["quota"] as? [String: Any])
      #expect(quota["used"] as? Int == 3 && quota["limit"] as? Int == 5)
      let wait = Int(over.headers[.retryAfter] ?? "") ?? 0
      #expect((1...86_400).contains(wait))
      // More than a whole day's never fits.
      let never = try await caller.send(
        .post, "/v1/debits", #"{"user":900,"action":"song","units":6}"#, key: "c")
      #expect(never.status == 429 && never.headers[.retryAfter] == nil)
      let refused = try await caller.send(
        .post, "/v1/debits", #"{"user":900,"action":"hd"}"#, key: "d")
      #expect(refused.status == 403 && refused.body["entitlement"] as? String == "hd_quality")
      let replay = try await caller.send(.post, "/v1/debits", Self.song, key: "a")
      #expect(replay.status == 200)
      #expect((replay.body["debit"] as? NSDictionary) == (debit as NSDictionary))
    }
  }

  @Test func aHoldIsMadeReadCommittedAndReplayed() async throws {
    try await Self.with { caller in
      let made = try await caller.send(
        .post, "/v1/holds", #"{"user":900,"action":"song","units":4,"ref":"job 7"}"#, key: "h")
      let hold = try #require(made.body["hold"] as? [String: Any])
      #expect(made.status == 201 && hold["state"] as? String == "open")
      #expect(hold["cost"] as? Int == 6 && hold["balance"] as? Int == 14)
      #expect(hold["ref"] as? String == "job 7" && hold["closed_at"] == nil)
      let id = try #require(hold["id"] as? Int)
      let read = try await caller.send(.get, "/v1/holds/\(id)")
      #expect(read.status == 200 && (read.body["hold"] as? NSDictionary) == (hold as NSDictionary))
      let much = try await caller.send(
        .post, "/v1/holds/\(id)/commit", #"{"units":5}"#, key: "m")
      #expect(much.status == 422 && much.body["code"] as? String == "too_many_units")
      let closed = try await caller.send(
        .post, "/v1/holds/\(id)/commit", #"{"units":2}"#, key: "c")
      let used = try #require(closed.body["hold"] as? [String: Any])
      #expect(closed.status == 201 && used["state"] as? String == "committed")
      #expect(used["used_units"] as? Int == 2 && used["used_cost"] as? Int == 2)
      #expect(used["balance"] as? Int == 18)
      let again = try await caller.send(
        .post, "/v1/holds/\(id)/commit", #"{"units":2}"#, key: "c")
      #expect(
        again.status == 200 && (again.body["hold"] as? NSDictionary) == (used as NSDictionary))
      // The first answer stays the first answer.
      let replay = try await caller.send(
        .post, "/v1/holds", #"{"user":900,"action":"song","units":4,"ref":"job 7"}"#, key: "h")
      #expect(replay.status == 200)
      #expect((replay.body["hold"] as? NSDictionary) == (hold as NSDictionary))
      let late = try await caller.send(.post, "/v1/holds/\(id)/release", "{}", key: "r")
      #expect(late.status == 409 && late.body["code"] as? String == "hold_closed")
      #expect(late.body["state"] as? String == "committed")
    }
  }

  @Test func holdsThatAreNotThereAndRequestsThatCannotBe() async throws {
    try await Self.with { caller in
      for path in ["/v1/holds/99", "/v1/holds/x", "/v1/holds/-1", "/v1/holds/9999999999999999999"] {
        let answer = try await caller.send(.get, path)
        #expect(answer.status == 404 && answer.body["code"] as? String == "unknown_hold")
      }
      let release = try await caller.send(.post, "/v1/holds/99/release", key: "r")
      #expect(release.status == 404)
      for ttl in [0, -1, 86_401] {
        let answer = try await caller.send(
          .post, "/v1/holds", #"{"user":900,"action":"song","ttl_seconds":\#(ttl)}"#, key: "t")
        #expect(answer.status == 400 && answer.body["code"] as? String == "invalid_ttl")
      }
      let negative = try await caller.send(
        .post, "/v1/holds/99/commit", #"{"units":-1}"#, key: "n")
      #expect(negative.status == 400)
      let keyless = try await caller.send(.post, "/v1/holds/99/commit", "{}")
      #expect(keyless.body["code"] as? String == "idempotency_key_missing")
    }
  }

  @Test func aCustomersPageForBotsHasTierAndQuotas() async throws {
    try await Self.with { caller in
      _ = try await caller.send(.post, "/v1/debits", Self.song, key: "a")
      for (user, used) in [(900, 3), (987, 0)] {
        let answer = try await caller.send(.get, "/v1/customers/\(user)")
        let tier = try #require(answer.body["tier"] as? [String: Any])
        #expect(tier["key"] as? String == "free")
        let quotas = try #require(answer.body["quotas"] as? [[String: Any]])
        let song = try #require(quotas.first { $0["action"] as? String == "song" })
        #expect(song["used"] as? Int == used && song["left"] as? Int == 5 - used)
      }
    }
  }
}
