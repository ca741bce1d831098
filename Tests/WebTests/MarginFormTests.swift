import EStars
import Foundation
import Testing

@testable import Web

/// The calculator of the site: the formula to the last digit, in both languages, whatever is typed.
@Suite struct MarginFormTests {
  static func view(_ query: [String: String], _ language: Language) throws -> MarginView {
    let file = SitePlace.margin.file(language)
    let page = try ContentPage<MarginContent>(
      source: Data(contentsOf: GoldenTests.root.appending(path: file)), file: file)
    var draft = page.frontMatter.draft
    draft.take(query)
    return MarginView(draft, on: page.frontMatter, in: language)
  }

  /// What the rates of the sticker bot are called in a form.
  static let roubles = ["currency": "rub", "fx": "80", "usd": "1.30", "per": "ten", "cost": "15"]

  @Test(arguments: Language.allCases)
  func aWholePriceListGivesTheSourceTable(_ language: Language) throws {
    let view = try Self.view(Self.roubles, language)
    let result = try #require(view.result)
    #expect(result.currency == "RUB")
    #expect(result.packs.map(\.revenue) == [51, 78, 182, 520, 1170])
    #expect(result.packs.map(\.margin) == [278, 420, 304, 247, 212])
    #expect(result.packs.map(\.starsPerCredit) == [54, 75, 58, 50, 45])
    #expect(
      result.packs.map(\.cost) == [13_500_000, 15_000_000, 45_000_000, 150_000_000, 375_000_000])
  }

  @Test func theCostMayBeThatOfACreditOrOfAPack() throws {
    let pack = Self.roubles.merging(["stars": "49", "credits": "5", "bonus": "4"]) { $1 }
    for (per, cost) in [("credit", "1.5"), ("ten", "15"), ("pack", "13.5")] {
      let result = try #require(
        try Self.view(pack.merging(["per": per, "cost": cost]) { $1 }, .en).result)
      #expect(result.pack.margin == 278 && result.pack.cost == 13_500_000, "\(per)")
      #expect(result.packs.map(\.margin) == [278, 420, 304, 247, 212], "\(per)")
      #expect(result.breakEvenStars == 13, "\(per)")
    }
    // A price of the whole pack that no number of credits divides.
    let odd = try #require(
      try Self.view(
        pack.merging(["credits": "3", "bonus": "", "per": "pack", "cost": "10"]) { $1 }, .en
      ).result)
    #expect(odd.pack.cost == 10_000_000 && odd.pack.margin == 410)
  }

  @Test func aLossSaysSoAndNoPriceMayBeEnough() throws {
    let dear = Self.roubles.merging(["per": "credit", "cost": "100"]) { $1 }
    let result = try #require(try Self.view(dear, .en).result)
    #expect(result.pack.isLoss && result.pack.margin == -95)
    let losses = result.packs.filter(\.isLoss)
    #expect(losses.count == result.packs.count)
    #expect(result.breakEvenStars == 9_615)
    let hopeless = dear.merging(["cost": "1000000", "credits": "1000000"]) { $1 }
    let never = try #require(try Self.view(hopeless, .en).result)
    #expect(never.breakEvenStars == nil)
    let free = try #require(try Self.view(dear.merging(["cost": "0"]) { $1 }, .en).result)
    #expect(free.pack.margin == nil && !free.pack.isLoss && free.breakEvenStars == 1)
  }

  @Test(arguments: [
    ("1,234.5", Language.en, 1_234_500_000), ("1,234", .en, 1_234_000_000),
    ("1,5", .en, 1_500_000), ("1.234", .en, 1_234_000), ("0,450", .en, 450_000),
    ("1.234,5", .ptBR, 1_234_500_000), ("1.234", .ptBR, 1_234_000_000),
    ("1.5", .ptBR, 1_500_000), ("1,234", .ptBR, 1_234_000), ("0.450", .ptBR, 450_000),
    ("5,40", .ptBR, 5_400_000), (" 5.40 ", .ptBR, 5_400_000),
  ])
  func amountsAreReadAsTheLanguageWritesThem(
    _ typed: String, _ language: Language, _ micros: Int64
  ) {
    #expect(Typed.micros(typed, max: .max, in: language) == micros)
  }

  @Test(arguments: ["", "-1", "1e3", "1,2,3", "1.234.5", "R$ 5", "½", "٣", "0x10", "1.0000001"])
  func whatIsNoAmountIsRefused(_ typed: String) {
    for language in Language.allCases {
      #expect(Typed.micros(typed, max: .max, in: language) == nil)
    }
  }

  @Test func everythingWrongIsNamedAndKept() throws {
    let typed = [
      "stars": "0", "credits": "ten", "bonus": "-1", "cost": "cheap", "per": "week", "usd": "0",
      "currency": "<b>", "fx": "",
    ]
    let view = try Self.view(typed, .ptBR)
    #expect(view.result == nil)
    #expect(
      Set(view.problems.map(\.field))
        == ["stars", "credits", "bonus", "cost", "per", "usd", "currency", "fx"])
    #expect(view.draft.cost == "cheap" && view.draft.currency == "<B>")
  }

  @Test func aPageAnswersToItsAddress() async throws {
    try await ServerFixture.with { fixture in
      let plain = try await fixture.send(.get, "/margin")
      #expect(plain.status == 200 && plain.headers[.eTag] != nil)
      let query = "stars=49&credits=5&bonus=4&cost=15&per=ten&usd=1%2C30&currency=rub&fx=80"
      let right = try await fixture.send(.get, "/pt-br/margin?\(query)")
      #expect(right.status == 200 && right.headers[.setCookie] == nil)
      #expect(right.body.contains("278%") && right.body.contains("1.170\u{a0}RUB"))
      let wrong = try await fixture.send(.get, "/margin?stars=%22%3E%3Cscript%3E&fx=80")
      #expect(wrong.status == 422)
      #expect(wrong.body.contains("value=\"&quot;&gt;&lt;script&gt;\""))
      #expect(wrong.body.contains("href=\"#stars\"") && wrong.body.contains("stars-problem"))
      #expect(wrong.body.contains("value=\"80\"") && !wrong.body.contains("<script>"))
    }
  }
}
