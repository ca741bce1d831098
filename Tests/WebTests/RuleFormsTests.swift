@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// Forms of the rules as a browser sends them, and what bots are told by those rules.
@Suite struct RuleFormsTests {
  private func key(_ fixture: ServerFixture, _ scopes: APIKey.Scope...) async throws -> String {
    try await fixture.key(scopes)
  }

  private func api(
    _ fixture: ServerFixture, _ path: String, _ body: String, token: String,
    idempotencyKey: String = UUID().uuidString
  ) async throws -> (status: Int, headers: HTTPFields, body: String) {
    let name = HTTPField.Name("Idempotency-Key") ?? .via
    return try await fixture.send(
      .post, path,
      headers: [
        .authorization: "Bearer \(token)", .contentType: "application/json", name: idempotencyKey,
      ], body: body)
  }

  @Test func aFormThatIsSentBackChangesWhatWasTyped() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      var form = try await desk.fields("actions/stem_separation")
      #expect(form["month:free"] == "3" && form["free:pro"] == "5" && form["cost"] == "0.45")
      form["price"] = "1.000"
      form["cost"] = "0,5"
      form["day:free"] = "1"
      form["month:free"] = ""
      form["required"] = "api_access"
      form["reason"] = "Dearer servers"
      let saved = try await desk.post("actions/stem_separation", form)
      #expect(saved.status == 303)
      let page = try await desk.get("actions/stem_separation").body
      for words in [
        "Dearer servers", "R$0.45", "R$0.50", "Free: units a month", "API access", "1,000",
      ] { #expect(page.contains(words), "\(words)") }
      let now = try await desk.fields("actions/stem_separation")
      #expect(now["price"] == "1000" && now["day:free"] == "1" && now["month:free"] == "")
    }
  }

  @Test func aFormOfOldRulesIsRefusedAndSaysWhatChanged() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      var mine = try await desk.fields("actions/sticker")
      var theirs = mine
      theirs["price"] = "7"
      #expect(try await desk.post("actions/sticker", theirs).status == 303)
      mine["price"] = "3"
      mine["title"] = "My sticker"
      let refused = try await desk.post("actions/sticker", mine)
      #expect(refused.status == 409)
      #expect(refused.body.contains("Somebody changed this") && refused.body.contains("My sticker"))
      #expect(refused.body.contains("Credits per unit"))
      #expect(try await desk.fields("actions/sticker")["price"] == "7")
      // Having seen it, the form may be sent again.
      let version = try #require(
        refused.body.firstMatch(of: /name="version" value="([0-9]+)"/)?.output.1)
      mine["version"] = String(version)
      #expect(try await desk.post("actions/sticker", mine).status == 303)
      #expect(try await desk.fields("actions/sticker")["price"] == "3")
    }
  }

  @Test func whatDoesNotFitIsSaidAndKept() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      var form = try await desk.fields("actions/sticker")
      let bad = [
        "price": "-1", "cost": "1.2.3", "currency": "reais", "max": "0", "month:pro": "1e9",
        "title": "", "reason": String(repeating: "x", count: 501),
      ]
      form.merge(bad) { _, new in new }
      let refused = try await desk.post("actions/sticker", form)
      #expect(refused.status == 422)
      for field in bad.keys {
        #expect(refused.body.contains("href=\"#\(field)\""), "\(field)")
      }
      #expect(refused.body.contains("value=\"1e9\"") && refused.body.contains("value=\"-1\""))
      #expect(try await desk.fields("actions/sticker")["price"] == "1")
      let made = try await desk.post(
        "actions",
        [
          "key": "Voice!", "title": "<b>Voice</b>", "price": "1", "currency": "BRL", "max": "1",
          "cap": "0",
        ])
      #expect(made.status == 422 && made.body.contains("&lt;b&gt;Voice&lt;/b&gt;"))
      let ok = try await desk.post(
        "actions",
        [
          "key": "voice", "title": "Voice", "price": "1", "currency": "brl", "max": "1",
          "day:free": "2",
        ])
      #expect(ok.status == 303 && ok.headers[.location]?.hasSuffix("/actions/voice") == true)
      #expect(try await desk.post("actions/voice/withdrawal", [:]).status == 303)
      #expect(try await desk.get("actions").body.contains("Withdrawn"))
      #expect(try await desk.post("actions/none/withdrawal", [:]).status == 404)
    }
  }

  @Test func tiersFeaturesPaywallAndPolicyThroughTheirForms() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let feature = try await desk.post("entitlements", ["key": "beta", "title": "Beta"])
      let again = try await desk.post("entitlements", ["key": "beta", "title": "Beta"])
      #expect(feature.status == 303 && again.status == 422)
      let tier = ["key": "beta", "title": "Testers", "entitlement": "beta"]
      #expect(try await desk.post("tiers", tier).status == 303)
      #expect(try await desk.post("tiers", tier).status == 422)
      #expect(try await desk.post("tiers/pro/removal", [:]).status == 409)
      #expect(try await desk.post("tiers/beta/removal", [:]).status == 303)
      #expect(try await desk.post("entitlements/beta", ["title": "Early"]).status == 303)
      #expect(try await desk.get("entitlements").body.contains("Early"))

      let words = ["state": "wait_first_purchase", "language": "pt-BR", "body": "Oi, escolha um."]
      #expect(try await desk.post("paywall", words).status == 303)
      let token = try await key(fixture, .use)
      func text(_ user: Int) async throws -> String {
        let answer = try await api(
          fixture, "/v1/checks",
          #"{"user":\#(user),"action":"sticker"}"#, token: token)
        return answer.body
      }
      #expect(try await text(71).contains(#""text":"Oi, escolha um.""#))
      #expect(
        try await desk.post(
          "paywall", ["state": "wait_first_purchase", "language": "pt-br", "body": " "]
        ).status == 422)
      #expect(try await desk.post("paywall/reset", words).status == 303)
      #expect(try await text(71).contains("Você ainda não tem créditos"))
      #expect(try await desk.get("paywall?language=%00%3Cb%3E").status == 200)

      var policy = try await desk.fields("trials")
      policy["per_day"] = "x"
      policy["sources"] = "yandex"
      #expect(try await desk.post("trials", policy).status == 422)
      policy["per_day"] = "0"
      #expect(try await desk.post("trials", policy).status == 303)
      #expect(try await desk.post("trials", policy).status == 409)
    }
  }

  @Test func aTrialGrantIsAnsweredStoredAndReplayed() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let token = try await key(fixture, .use)
      let body = #"{"user":72,"engagement":5,"intent":4,"source":"Google"}"#
      let first = try await api(
        fixture, "/v1/trial-grants", body, token: token, idempotencyKey: "t-1")
      #expect(first.status == 201)
      #expect(
        first.body
          == #"{"trial_grant":{"balance":1,"credits":1,"daily_limit":20,"given_today":1,"#
          + #""granted":true,"min_score":12,"paid_source":true,"reason":"granted","score":14,"#
          + #""user":72}}"#)
      let replay = try await api(
        fixture, "/v1/trial-grants", body, token: token, idempotencyKey: "t-1")
      #expect(replay.status == 200 && replay.body == first.body)
      #expect(replay.headers[.idempotencyReplayed] == "true")
      let reused = try await api(
        fixture, "/v1/debits", #"{"user":72,"action":"sticker"}"#, token: token,
        idempotencyKey: "t-1")
      #expect(reused.status == 409)
      let refused = try await api(fixture, "/v1/trial-grants", body, token: token)
      #expect(refused.status == 201 && refused.body.contains(#""reason":"has_credits""#))
      for bad in [
        #"{"user":72,"engagement":11,"intent":4}"#, #"{"user":72,"engagement":1.5,"intent":4}"#,
        #"{"user":0,"engagement":1,"intent":4}"#, #"{"user":72,"intent":4}"#,
        #"{"user":72,"engagement":1,"intent":4,"source":"\#(String(repeating: "s", count: 61))"}"#,
        #"{"user":72,"engagement":1,"intent":4,"source":"a\u0000b"}"#,
      ] {
        #expect(
          try await api(fixture, "/v1/trial-grants", bad, token: token).status == 400, "\(bad)")
      }
      let page = try await Desk(fixture, .viewer).get("trials").body
      #expect(page.contains("Given") && page.contains("14, 12") && page.contains("Google"))
      #expect(page.contains("Has credits") && !page.contains("Use this policy"))
    }
  }
}
