import Foundation
import HTTPTypes
import Ledger
import Postgres
import Testing

@_spi(Guard) @testable import EStars
@testable import Web

/// What a suspended business still answers to its bots and its operators.
@Suite struct SuspensionTests {
  private struct Caller {
    let fixture: ServerFixture
    let token: String

    /// - Returns: The status, the body and, of a problem, its code.
    func post(
      _ path: String, _ body: String, key: String = UUID().uuidString
    ) async throws -> (status: Int, body: [String: Any], headers: HTTPFields) {
      var headers: HTTPFields = [
        .authorization: "Bearer \(token)", .contentType: "application/json",
      ]
      if let name = HTTPField.Name("Idempotency-Key") { headers[name] = key }
      let answer = try await fixture.send(.post, path, headers: headers, body: body)
      let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
      return (answer.status, json as? [String: Any] ?? [:], answer.headers)
    }

    func refusal(_ path: String, _ body: String, key: String = UUID().uuidString) async throws
      -> String?
    {
      let answer = try await post(path, body, key: key)
      guard answer.status == 503, answer.headers[.retryAfter] != nil else { return nil }
      return answer.body["code"] as? String
    }
  }

  /// Ann (900) has 20 credits; `sticker` is closed in an outage, `song` goes on.
  private static func with(_ body: @Sendable @escaping (Caller) async throws -> Void) async throws {
    try await ServerFixture.with { fixture in
      let (id, scope) = (fixture.workspace.id, fixture.workspace.scope)
      try await fixture.platform.pool.transaction(in: scope) { tx in
        try await tx.execute(
          """
          insert into actions (workspace_id, action, title, price_credits, position, outage_policy,
            outage_cap_units)
          values (\(id), 'song', 'Song', 2, 50, 'open', 5)
          """)
        let customer = try await tx.customer(telegramID: 900, name: nil, in: scope, at: scope.now)
        _ = try await tx.credit(
          Grant(20, source: .promo), to: Account(customer.id), key: "test:900", in: scope,
          at: scope.now)
      }
      let token = try await fixture.key(APIKey.Scope.allCases)
      try await body(Caller(fixture: fixture, token: token))
    }
  }

  private static let sticker = #"{"user":900,"action":"sticker"}"#
  private static let song = #"{"user":900,"action":"song"}"#

  private func suspend(_ fixture: ServerFixture) async throws {
    // By the other side: a business is suspended as a whole.
    try await fixture.live.suspend(
      reason: "Complaints of <buyers>", by: Actor(.admin, "admin@example.com"), at: Date(),
      fixture.platform)
  }

  @Test func usesGoByTheOutagePolicyAndNothingBegunIsLost() async throws {
    try await Self.with { caller in
      let before = try await caller.post("/v1/debits", Self.sticker, key: "before")
      let made = try await caller.post("/v1/holds", Self.sticker, key: "hold")
      let kept = try await caller.post("/v1/holds", Self.sticker, key: "kept")
      let ids = [made, kept].compactMap { ($0.body["hold"] as? [String: Any])?["id"] as? Int }
      #expect(before.status == 201 && ids.count == 2)
      try await suspend(caller.fixture)

      let check = try await caller.post("/v1/checks", Self.sticker)
      #expect(check.status == 200 && check.body["allowed"] as? Bool == false)
      #expect(check.body["reason"] as? String == "suspended")
      #expect(check.body["balance"] as? Int == 17)
      // Buying would not help.
      let poor = try await caller.post("/v1/checks", #"{"user":901,"action":"sticker"}"#)
      #expect(poor.body["reason"] as? String == "suspended" && poor.body["paywall"] == nil)
      #expect(try await caller.refusal("/v1/debits", Self.sticker) == "workspace_suspended")
      #expect(try await caller.refusal("/v1/holds", Self.sticker) == "workspace_suspended")
      let open = try await caller.post("/v1/checks", Self.song)
      #expect(open.body["allowed"] as? Bool == true && open.body["reason"] as? String == "allowed")
      #expect(try await caller.post("/v1/debits", Self.song).status == 201)
      #expect(try await caller.post("/v1/holds", Self.song).status == 201)
      let unknown = try await caller.post("/v1/debits", #"{"user":900,"action":"none"}"#)
      #expect(unknown.body["code"] as? String == "unknown_action")

      // What was begun before is finished, and a lost answer is told again.
      let replay = try await caller.post("/v1/debits", Self.sticker, key: "before")
      #expect(replay.status == 200)
      #expect((replay.body["debit"] as? NSDictionary) == (before.body["debit"] as? NSDictionary))
      #expect(try await caller.post("/v1/holds", Self.sticker, key: "hold").status == 200)
      #expect(try await caller.post("/v1/holds/\(ids[0])/commit", "{}").status == 201)
      #expect(try await caller.post("/v1/holds/\(ids[1])/release", "{}").status == 201)

      try await caller.fixture.live.resume(
        by: Actor(.admin, "admin@example.com"), at: Date(), caller.fixture.platform)
      #expect(try await caller.post("/v1/debits", Self.sticker).status == 201)
    }
  }

  @Test func nothingNewIsSoldAndEverythingElseGoesOn() async throws {
    try await Self.with { caller in
      let sale = #"{"user":900,"sku":"start"}"#
      let trial = #"{"user":902,"engagement":10,"intent":10}"#
      // Without a Telegram that answers, the sale itself ends there; its key is known.
      let known = try await caller.post("/v1/checkouts", sale, key: "sale")
      try await suspend(caller.fixture)
      #expect(try await caller.refusal("/v1/checkouts", sale) == "workspace_suspended")
      #expect(try await caller.refusal("/v1/trial-grants", trial) == "workspace_suspended")
      #expect(
        try await caller.refusal("/v1/subscriptions", #"{"user":902,"plan":"pro"}"#)
          == "workspace_suspended")
      let again = try await caller.post("/v1/checkouts", sale, key: "sale")
      #expect(again.body["code"] as? String == known.body["code"] as? String)
      #expect(again.body["code"] as? String != "workspace_suspended")
      let complaint = try await caller.post(
        "/v1/support-cases",
        #"{"user":900,"topic":"credits_missing","text":"Where are my credits?"}"#)
      #expect(complaint.status == 201 || complaint.status == 200, "\(complaint.body)")
      for path in ["/v1/catalog?user=900", "/v1/customers/900"] {
        let answer = try await caller.fixture.send(
          .get, path, headers: [.authorization: "Bearer \(caller.token)"])
        #expect(answer.status == 200, "\(path)")
      }
    }
  }

  @Test func operatorsReadWhyAndSellNothingEither() async throws {
    try await Self.with { caller in
      try await suspend(caller.fixture)
      let desk = try await Desk(caller.fixture)
      let page = try await desk.get("packs")
      #expect(page.body.contains("Complaints of &lt;buyers&gt;"))
      let customer = try #require(
        try await Customer.find(
          telegramID: 900, in: caller.fixture.workspace.scope, caller.fixture.platform.pool))
      let path = "customers/\(customer.id)/checkouts"
      var form = try await desk.fields("\(path)/new")
      form["item"] = "pack:start:0"
      let answer = try await desk.post(path, form)
      #expect(answer.status == 409)
      #expect(answer.body.contains("nothing is sold until it is resumed"), "\(answer.body)")
    }
  }
}
