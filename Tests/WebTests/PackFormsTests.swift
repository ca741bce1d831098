@_spi(Guard) import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// The catalogue's forms as a browser sends them, and what bots are told by them.
@Suite struct PackFormsTests {
  private static func pack(
    _ sku: String, _ credits: String, _ stars: String, bonus: String = "", audience: String
  ) -> [String: String] {
    [
      "sku": sku, "title": sku.capitalized, "description": "\(credits) credits.",
      "credits": credits, "bonus": bonus, "stars": stars, "audience": audience,
      "listing": "listed",
    ]
  }

  /// The text of a page's table rows: cells by a bar, as they are read.
  private func rows(_ page: String) -> [String] {
    page.matches(of: /(?s)<tr[^>]*>(.*?)<\/tr>/).map { match in
      match.output.1.matches(of: /(?s)<t[hd][^>]*>(.*?)<\/t[hd]>/).map { cell in
        cell.output.1.replacing(/<span[^>]* hidden>[^<]*<\/span>/, with: "")
          .replacing(/<[^>]*>/, with: " ").split(whereSeparator: \.isWhitespace)
          .joined(separator: " ")
      }.joined(separator: " | ")
    }
  }

  private func catalog(
    _ fixture: ServerFixture, _ token: String, _ query: String = "user=4711"
  ) async throws -> String {
    try await fixture.send(
      .get, "/v1/catalog?\(query)", headers: [.authorization: "Bearer \(token)"]
    ).body
  }

  /// Somebody types the sticker bot's catalogue in, and reads the document's own figures.
  @Test func theSourceDocumentsCatalogueToTheLastDigit() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture, .owner)
      for sku in ["test", "try", "start", "pop", "pro", "max"] {
        #expect(try await desk.post("packs/\(sku)/withdrawal", [:]).status == 303)
      }
      var rates = try await desk.fields("rates")
      #expect(rates["usd"] == "1.30" && rates["currency"] == "BRL" && rates["fx"] == "5.40")
      rates.merge(["currency": "rub", "fx": "80", "cost": "1,5"]) { _, new in new }
      #expect(try await desk.post("rates", rates).status == 303)
      for pack in [
        Self.pack("t", "1", "1", audience: "admins"),
        Self.pack("trying", "5", "49", bonus: "4", audience: "first_purchase"),
        Self.pack("st", "10", "75", audience: "everyone"),
        Self.pack("po", "30", "175", audience: "everyone"),
        Self.pack("pr", "100", "500", audience: "everyone"),
        Self.pack("ma", "250", "1.125", audience: "everyone"),
      ] {
        let made = try await desk.post("packs", pack)
        #expect(made.status == 303, "\(made.body)")
        for percent in ["10", "15", "25"] where pack["audience"] != "admins" {
          let sku = pack["sku"] ?? ""
          #expect(
            try await desk.post("packs/\(sku)/discounts", ["percent": percent]).status == 303)
        }
      }
      let page = rows(try await desk.get("packs").body)
      for line in [
        "T t | Staff only | On sale | 1 | – | 1.0 ★ | 1 RUB | 1.50 RUB | – | 1 ★",
        "Trying trying | First purchase only | On sale | 5 | +4 | 5.4 ★ | 51 RUB | 13.50 RUB"
          + " | 278% | 49 ★",
        "St st | Everybody | On sale | 10 | – | 7.5 ★ | 78 RUB | 15.00 RUB | 420% | 75 ★",
        "Po po | Everybody | On sale | 30 | – | 5.8 ★ | 182 RUB | 45.00 RUB | 304% | 175 ★",
        "Pr pr | Everybody | On sale | 100 | – | 5.0 ★ | 520 RUB | 150.00 RUB | 247% | 500 ★",
        "Ma ma | Everybody | On sale | 250 | – | 4.5 ★ | 1,170 RUB | 375.00 RUB | 212%"
          + " | 1,125 ★",
        "Full price | 49 ★ | 75 ★ | 175 ★ | 500 ★ | 1,125 ★",
        "−10% | 44 ★ | 68 ★ | 158 ★ | 450 ★ | 1,013 ★",
        "−15% | 42 ★ | 64 ★ | 149 ★ | 425 ★ | 956 ★",
        "−25% | 37 ★ | 56 ★ | 131 ★ | 375 ★ | 844 ★",
      ] { #expect(page.contains(line), "\(line) in \(page)") }
    }
  }

  @Test func anEditIsSeenByBotsAndKeptWithItsHistory() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      let token = try await fixture.key([.read])
      var form = try await desk.fields("packs/start")
      #expect(form["stars"] == "75" && form["title:pt-br"] == "Início" && form["days:pro"] == "")
      form.merge([
        "stars": "90", "bonus": "2", "title": "Starter", "days:hd_quality": "30", "days:pro": "0",
        "title:pt-br": "Começo", "language": "DE", "title:other": "Anfang",
        "description:other": "Zehn.", "reason": "Dearer servers",
      ]) { _, new in new }
      let saved = try await desk.post("packs/start", form)
      #expect(saved.status == 303)
      let page = try await desk.get("packs/start").body
      for words in ["Dearer servers", "pt-br: Name", "HD quality: days", "Começo", "for good"] {
        #expect(page.contains(words), "\(words)")
      }
      #expect(rows(page).contains { $0.hasPrefix("−10%") && $0.hasSuffix("| 81 ★") })
      let german = try await catalog(fixture, token, "user=4711&language=de-AT")
      #expect(german.contains(#""title":"Anfang""#) && german.contains(#""stars":90"#))
      // Nobody said what the user reads: the workspace is Brazilian.
      #expect(try await catalog(fixture, token).contains(#""title":"Começo""#))
      let english = try await catalog(fixture, token, "user=4711&language=en")
      #expect(english.contains(#""title":"Starter""#) && !english.contains("Começo"))
      #expect(
        english.contains(
          #""entitlements":[{"days":30,"entitlement":"hd_quality"},{"entitlement":"pro"}]"#))
      let use = try await fixture.key([.use])
      let refused = try await fixture.send(
        .post, "/v1/checks",
        headers: [.authorization: "Bearer \(use)", .contentType: "application/json"],
        body: #"{"user":4711,"action":"sticker","language":"de"}"#)
      #expect(refused.body.contains(#""title":"Anfang""#))
      // The form in hand is of the past.
      form["language"] = ""
      form["title:other"] = ""
      form["description:other"] = ""
      let stale = try await desk.post("packs/start", form)
      #expect(stale.status == 409 && stale.body.contains("Somebody changed this"))
      var now = try await desk.fields("packs/start")
      #expect(now["title:de"] == "Anfang" && now["description:de"] == "Zehn.")
      now["listing"] = "hidden"
      now["title:de"] = ""
      now["description:de"] = ""
      #expect(try await desk.post("packs/start", now).status == 303)
      #expect(try await !catalog(fixture, token).contains(#""sku":"start""#))
      #expect(try await desk.fields("packs/start")["title:de"] == nil)
    }
  }

  @Test func calculatingKeepsNothing() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture, .owner)
      var form = try await desk.fields("packs/max")
      form["stars"] = "200"
      form["calculate"] = "1"
      let tried = try await desk.post("packs/max", form)
      #expect(tried.status == 200 && tried.body.contains("Nothing is saved yet"))
      // 200 Stars are 14 BRL; 250 credits cost 37.50.
      let line = rows(tried.body).first { $0.hasPrefix("Full price") }
      #expect(line == "Full price | 0.8 ★ | R$14 | −63% Loss-making | 200 ★")
      #expect(rows(tried.body).contains { $0.hasPrefix("−25%") && $0.hasSuffix("| 150 ★") })
      #expect(try await desk.fields("packs/max")["stars"] == "1125")
      let new = Self.pack("bulk", "10", "1", audience: "everyone").merging(
        ["calculate": "1"]) { own, _ in own }
      let made = try await desk.post("packs", new)
      #expect(made.status == 200 && made.body.contains("Loss-making"))
      #expect(try await desk.get("packs/bulk").status == 404)
      var rates = try await desk.fields("rates")
      rates["cost"] = "1"
      rates["calculate"] = "1"
      let worse = try await desk.post("rates", rates)
      #expect(worse.status == 200)
      #expect(rows(worse.body).contains("👑 Pro | 500 ★ | R$35 | R$100.00 | −65% Loss-making"))
      #expect(try await desk.fields("rates")["cost"] == "0.15")
    }
  }

  @Test func whatDoesNotFitIsSaidAndKept() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture, .owner)
      var form = try await desk.fields("packs/pop")
      let bad = [
        "title": "", "description": String(repeating: "x", count: 256), "credits": "0",
        "stars": "100001", "bonus": "-1", "days": "x", "days:pro": "3651",
        "emoji": String(repeating: "💎", count: 17), "title:es": "Popular",
        "language": "klingon!", "title:other": "x", "reason": String(repeating: "x", count: 501),
      ]
      form.merge(bad) { _, new in new }
      let refused = try await desk.post("packs/pop", form)
      #expect(refused.status == 422)
      for field in bad.keys where !["title:es", "title:other"].contains(field) {
        #expect(refused.body.contains("href=\"#\(field)\""), "\(field)")
      }
      // A name without its description, and the other way round.
      for field in ["description:es", "title", "stars"] {
        #expect(refused.body.contains("id=\"\(field)-problem\""), "\(field)")
      }
      #expect(refused.body.contains("value=\"100001\"") && refused.body.contains("klingon!"))
      #expect(refused.body.contains("Description in Spanish: Write something here."))
      #expect(try await desk.fields("packs/pop")["stars"] == "175")

      let names = ["new", "Start!", "start", String(repeating: "a", count: 29)]
      for sku in names {
        let made = try await desk.post(
          "packs", Self.pack(sku, "1", "1", audience: "everyone"))
        #expect(made.status == 422 && made.body.contains("href=\"#sku\""), "\(sku)")
      }
      for percent in ["0", "91", "x", "10"] {
        let made = try await desk.post("packs/pop/discounts", ["percent": percent])
        #expect(made.status == 422 && made.body.contains("href=\"#percent\""), "\(percent)")
      }
      #expect(try await desk.post("packs/none/discounts", ["percent": "5"]).status == 404)
      #expect(try await desk.post("packs/pop/discounts/11/withdrawal", [:]).status == 404)
      #expect(try await desk.get("packs/pop-10").status == 404)

      var rates = try await desk.fields("rates")
      rates.merge(["usd": "0", "currency": "ABC", "fx": "1e3", "cost": "-1"]) { _, new in new }
      let wrong = try await desk.post("rates", rates)
      #expect(wrong.status == 422)
      for field in ["usd", "currency", "fx", "cost"] {
        #expect(wrong.body.contains("href=\"#\(field)\""), "\(field)")
      }
    }
  }

  @Test func discountsAndStaffThroughTheirForms() async throws {
    try await ServerFixture.with { (fixture: ServerFixture) async throws -> Void in
      let desk = try await Desk(fixture)
      #expect(try await desk.post("packs/pop/discounts/15/withdrawal", [:]).status == 303)
      #expect(
        rows(try await desk.get("packs").body).contains("−15% | 42 ★ | 64 ★ | – | 425 ★ | 956 ★"))
      #expect(try await desk.get("packs/pop").body.contains("Put back on sale"))
      #expect(try await desk.post("packs/pop/discounts/15/restoration", [:]).status == 303)
      #expect(
        rows(try await desk.get("packs").body).contains(
          "−15% | 42 ★ | 64 ★ | 149 ★ | 425 ★ | 956 ★"))

      let token = try await fixture.key([.read])
      #expect(try await !catalog(fixture, token).contains(#""sku":"test""#))
      let added = try await desk.post("staff", ["telegram_id": "4 711", "name": "Bia"])
      #expect(added.status == 303)
      #expect(try await desk.get("staff").body.contains("Bia"))
      for typed in ["4711", "", "x", "-5", "0"] {
        let again = try await desk.post("staff", ["telegram_id": typed])
        #expect(again.status == 422 && again.body.contains("href=\"#telegram_id\""), "\(typed)")
      }
      // Nobody has seen the person yet.
      #expect(try await catalog(fixture, token).contains(#""sku":"test""#))
      #expect(try await desk.post("staff/4711/removal", [:]).status == 303)
      #expect(try await !catalog(fixture, token).contains(#""sku":"test""#))
      #expect(try await desk.post("staff/4711/removal", [:]).status == 404)
    }
  }
}
