import Foundation

/// What a product of one price brings beside what its credits cost. `Public/margins.js` computes the
/// same while somebody types.
struct MarginFigures: Sendable, Equatable {
  var stars: Int64
  var credits: Int64
  var bonus: Int64
  /// Of a discount; 0 = the price itself.
  var percent = 0
  /// Whole units of the currency.
  var revenue: Int64
  /// Millionths of the currency.
  var cost: Int64
  /// nil: credits cost nothing, or it is not judged.
  var margin: Int64?
  /// Stars for one credit, in tenths.
  var starsPerCredit: Int64?
  /// False for what staff alone buy: it is there to try, not to earn.
  var isJudged = true
  var isLoss = false

  func model(_ currency: String, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "stars": .text(format.stars(stars)), "stars_raw": .text(String(stars)),
      "credits_raw": .text(String(credits)), "bonus_raw": .text(String(bonus)),
      "percent_raw": .text(String(percent)), "judged": .flag(isJudged),
      "price": .text(
        percent == 0 ? t["margin.full_price"] : t("margin.off", ["n": String(percent)])),
      "revenue": .text(format.money(format.number(revenue), currency)),
      "cost": .text(format.money(format.decimal(micros: cost), currency)),
      "margin": .text(margin.map { format.percent($0) } ?? "–"),
      "per_credit": .text(format.starsPerCredit(starsPerCredit)),
      "loss": .flag(isLoss),
    ]
  }
}

/// What turns Stars into money, as pages say it and as the script reads it.
struct RatesLabel: Sendable, Equatable {
  var currency: String
  var usdMicrosPer100Stars: Int64
  var currencyMicrosPerUSD: Int64
  var creditCostMicros: Int64

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "usd": .text(String(usdMicrosPer100Stars)), "fx": .text(String(currencyMicrosPerUSD)),
      "unit_cost": .text(String(creditCostMicros)), "currency": .text(currency),
      "words": .text(
        t(
          "margin.rates",
          [
            "usd": format.decimal(micros: usdMicrosPer100Stars), "currency": currency,
            "fx": format.decimal(micros: currencyMicrosPerUSD),
            "cost": format.decimal(micros: creditCostMicros),
          ])),
      "href": .text(Links.rates(page.slug)),
    ]
  }
}

extension Formatting {
  var decimalSeparator: String { language == .ptBR ? "," : "." }

  /// `5.4 ★`; a dash for nil.
  func starsPerCredit(_ tenths: Int64?) -> String {
    tenths.map { number($0 / 10) + decimalSeparator + "\($0 % 10)\u{a0}★" } ?? "–"
  }

  /// `1,234.50` for 1 234 500 000: at least two places, at most six.
  func decimal(micros: Int64) -> String {
    let (whole, rest) = micros.quotientAndRemainder(dividingBy: 1_000_000)
    var places = String(String(1_000_000 + rest).dropFirst())
    while places.count > 2, places.last == "0" { places.removeLast() }
    return number(whole) + decimalSeparator + places
  }
}

/// The pages of the catalogue.
enum CatalogTab: String, Sendable, CaseIterable {
  case packs, rates, staff

  static func model(_ current: CatalogTab, _ page: PageContext) -> TemplateValue {
    .records(allCases) { tab in
      [
        "title": .text(page.strings[.init("catalog_tab.\(tab.rawValue)")]),
        "href": .text("/w/\(page.slug)/\(tab.rawValue)"), "current": .flag(tab == current),
      ]
    }
  }
}
