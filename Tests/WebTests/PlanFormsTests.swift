@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// The pages of plans as a browser sees and sends them.
@Suite struct PlanFormsTests {
  /// The cells of the comparison, line by line; a line begins with its label.
  private func comparison(_ html: String) throws -> [[String]] {
    let table = try #require(
      html.firstMatch(of: /(?s)<table class="table comparison">.*?<\/table>/))
    func words(_ html: Substring) -> String {
      html.replacing(/<[^>]*>/, with: "").replacing("\u{a0}", with: " ")
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    return table.output.matches(of: /(?s)<tr>.*?<\/tr>/).map { row in
      row.output.matches(of: /(?s)<t[hd][^>]*>.*?<\/t[hd]>/).map { words($0.output) }
    }
  }

  @Test func plansStandSideBySideWithAllThatTheyBring() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture, .viewer)
      let lines = try comparison(try await desk.get("plans").body)
      #expect(
        lines == [
          ["Plan", "Free free", "Pro pro", "Premium premium", "Enterprise enterprise"],
          ["Credits a month", "50", "500", "2,000", "Unlimited"],
          ["Priority queue", "No", "Yes", "Yes", "Yes"],
          ["HD quality", "No", "Yes", "Yes", "Yes"],
          ["Commercial use", "No", "No", "Yes", "Yes"],
          ["API access", "No", "No", "Yes", "Yes"],
          [
            "Stem separation", "3 a month", "20 a month, first 5 a month free", "No limit",
            "No limit",
          ],
          ["Tier", "Free", "Pro", "Premium", "Enterprise"],
          ["Carried over", "–", "up to 250 credits", "up to 1,000 credits", "–"],
          ["Trial", "–", "7 days, 50 credits", "–", "–"],
          ["Grace after the end", "–", "7 days", "7 days", "7 days"],
          ["Price a month", "Free", "2,000 ★", "6,000 ★", "By agreement"],
        ])
    }
  }

  /// Data, not code: what an operator changes stands in the table.
  @Test func theComparisonFollowsPlansAndRules() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      var rules = try await desk.fields("actions/stem_separation")
      rules["month:pro"] = "25"
      rules["free:pro"] = ""
      #expect(try await desk.post("actions/stem_separation", rules).status == 303)
      var premium = try await desk.fields("plans/premium")
      premium["feature:stem_separation"] = "1"
      premium["place"] = "1"
      #expect(try await desk.post("plans/premium", premium).status == 303)
      #expect(try await desk.post("plans/enterprise/withdrawal", [:]).status == 303)
      let page = try await desk.get("plans").body
      let lines = try comparison(page)
      #expect(lines[0] == ["Plan", "Premium premium", "Free free", "Pro pro"])
      #expect(
        lines.filter { $0[0] == "Stem separation" } == [
          ["Stem separation", "Yes", "No", "No"],
          ["Stem separation", "No limit", "3 a month", "25 a month"],
        ])
      #expect(page.contains("id=\"withdrawn\"") && page.contains("/plans/enterprise"))
    }
  }

  @Test func aFormThatIsSentBackChangesWhatWasTyped() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let form = try await desk.fields("plans/pro")
      #expect(form["stars"] == "2000" && form["credits"] == "500" && form["rollover"] == "250")
      #expect(form["feature:hd_quality"] == "1" && form["feature:api_access"] == nil)
      #expect(form["title:pt-br"] == "Pro" && form["grace"] == "7" && form["trial_days"] == "7")
      #expect(try await desk.post("plans/pro", form).status == 303)
      #expect(try await desk.get("plans/pro").body.contains("Nobody has changed anything"))
      var changed = form
      changed["stars"] = "2.500"
      changed["feature:api_access"] = "1"
      changed["feature:hd_quality"] = nil
      changed["language"] = "de"
      changed["title:other"] = "Profi"
      changed["description:other"] = "500 Punkte im Monat."
      changed["title:pt-br"] = ""
      changed["description:pt-br"] = ""
      changed["reason"] = "Dearer servers"
      #expect(try await desk.post("plans/pro", changed).status == 303)
      let page = try await desk.get("plans/pro").body
      for words in [
        "Dearer servers", "2,000", "2,500", "Profi", "API access, Priority queue",
        "HD quality, Priority queue",
      ] { #expect(page.contains(words), "\(words)") }
      let plan = try #require(
        try await Plan.find("pro", in: fixture.workspace.scope, fixture.platform.pool))
      #expect(plan.stars == 2500 && plan.entitlements == ["priority_queue", "api_access"])
      #expect(plan.names.map(\.language) == ["de"] && plan.title("de") == "Profi")
      // Somebody else's form is of an older plan now.
      let stale = try await desk.post("plans/pro", form.merging(["title": "Mine"]) { $1 })
      #expect(stale.status == 409 && stale.body.contains("value=\"Mine\""))
      #expect(try await desk.fields("plans/pro")["title"] == "Pro")
    }
  }

  @Test func whatDoesNotFitIsSaidAndKept() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      var form = try await desk.fields("plans/pro")
      let bad = [
        "stars": "10001", "credits": "", "rollover": "-1", "grace": "31", "trial_days": "x",
        "title": "", "description": String(repeating: "x", count: 256), "place": "0",
        "title:es": "Solo", "language": "deutsch",
      ]
      form.merge(bad) { $1 }
      let refused = try await desk.post("plans/pro", form)
      #expect(refused.status == 422)
      for field in bad.keys where field != "title:es" {
        #expect(refused.body.contains("href=\"#\(field)\""), "\(field)")
      }
      #expect(refused.body.contains("href=\"#description:es\""))
      #expect(refused.body.contains("value=\"10001\"") && refused.body.contains("value=\"Solo\""))
      #expect(try await desk.fields("plans/pro")["stars"] == "2000")
    }
  }

  @Test func thereIsOneFreePlanAndItIsEverybodys() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let form = [
        "key": "basic", "title": "Basic", "description": "10 credits", "kind": "free",
        "tier": "pro", "credits": "10", "rollover": "0", "grace": "0", "feature:hd_quality": "1",
      ]
      let ranked = try await desk.post("plans", form)
      #expect(ranked.status == 422 && ranked.body.contains("everybody&#39;s"))
      var plain = form.merging(["tier": "free"]) { $1 }
      plain["feature:hd_quality"] = nil
      let second = try await desk.post("plans", plain)
      #expect(second.status == 422 && second.body.contains("There is a free plan already"))
      #expect(try await desk.post("plans/free/withdrawal", [:]).status == 303)
      let made = try await desk.post("plans", plain)
      #expect(made.status == 303 && made.headers[.location]?.hasSuffix("/plans/basic") == true)
      #expect(try await desk.post("plans", plain).status == 422)
      #expect(try await desk.post("plans/free/restoration", [:]).status == 409)
      #expect(try await desk.post("plans/none/withdrawal", [:]).status == 404)
      let custom = form.merging(
        ["key": "studio", "kind": "custom", "credits": "", "title": "<b>Studio</b>"]
      ) { $1 }
      #expect(try await desk.post("plans", custom).status == 303)
      let page = try await desk.get("plans").body
      #expect(page.contains("&lt;b&gt;Studio&lt;/b&gt;") && page.contains("Unlimited"))
    }
  }
}
