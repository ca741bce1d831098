import Foundation
import Testing

@testable import EStars

/// What packs bring, in whole numbers: the catalogue of the sticker bot, to the last rouble.
@Suite struct MarginTests {
  struct Offer: Sendable, CustomTestStringConvertible {
    let sku: String
    let credits: Int64
    let bonus: Int64
    let stars: Int64
    let revenue: Int64
    let percent: Int64
    let perCredit: Int64
    let discounted: [Int64]
    var testDescription: String { sku }

    init(
      _ sku: String, _ credits: Int64, _ bonus: Int64, _ stars: Int64, _ revenue: Int64,
      _ percent: Int64, _ perCredit: Int64, _ discounted: [Int64]
    ) {
      self.sku = sku
      self.credits = credits
      self.bonus = bonus
      self.stars = stars
      self.revenue = revenue
      self.percent = percent
      self.perCredit = perCredit
      self.discounted = discounted
    }
  }

  /// 80 ₽ a dollar, 15 ₽ for ten credits.
  static let roubles = Rates(
    currency: "RUB", currencyMicrosPerUSD: 80_000_000, creditCostMicros: 1_500_000)

  static let offers = [
    Offer("try", 5, 4, 49, 51, 278, 54, [44, 42, 37]),
    Offer("start", 10, 0, 75, 78, 420, 75, [68, 64, 56]),
    Offer("pop", 30, 0, 175, 182, 304, 58, [158, 149, 131]),
    Offer("pro", 100, 0, 500, 520, 247, 50, [450, 425, 375]),
    Offer("max", 250, 0, 1125, 1170, 212, 45, [1013, 956, 844]),
  ]

  @Test(arguments: offers) func theSourceTableToTheLastDigit(_ offer: Offer) {
    let margin = Margin(stars: offer.stars, credits: offer.credits + offer.bonus, at: Self.roubles)
    #expect(margin.revenue == offer.revenue && margin.percent == offer.percent)
    #expect(margin.starsPerCreditTenths == offer.perCredit && !margin.isLoss)
    #expect(margin.costMicros == (offer.credits + offer.bonus) * 1_500_000)
    let prices = [10, 15, 25].map { Pack.discounted(stars: offer.stars, percent: $0) }
    #expect(prices == offer.discounted)
  }

  /// As the source has it: (credits ÷ 10) × 15 ₽.
  @Test(arguments: offers) func aPriceForTenCreditsGivesTheSame(_ offer: Offer) {
    let credits = offer.credits + offer.bonus
    let price = CreditCost(micros: 15_000_000, forCredits: 10)
    let margin = Margin(stars: offer.stars, credits: credits, costing: price, at: Self.roubles)
    #expect(margin == Margin(stars: offer.stars, credits: credits, at: Self.roubles))
  }

  @Test func aPriceThatDoesNotDivideIsRoundedAtTheEndAlone() {
    let price = CreditCost(micros: 10_000_000, forCredits: 3)
    let three = Margin(stars: 29, credits: 9, costing: price, at: Self.roubles)
    #expect(three.revenue == 30 && three.costMicros == 30_000_000)
    #expect(three.percent == 0 && !three.isLoss)
    let one = Margin(stars: 29, credits: 10, costing: price, at: Self.roubles)
    #expect(one.costMicros == 33_333_333 && one.percent == -10 && one.isLoss)
    // More than what comes in by a third of a millionth, which the cost itself does not show.
    let close = CreditCost(micros: 90_000_001, forCredits: 3)
    #expect(Margin(stars: 29, credits: 1, costing: close, at: Self.roubles).isLoss)
    #expect(
      Margin(stars: 29, credits: 1, costing: close, at: Self.roubles).costMicros == 30_000_000)
    let most = Rates(
      currency: "RUB", usdMicrosPer100Stars: Rates.usdRange.upperBound,
      currencyMicrosPerUSD: Rates.currencyRange.upperBound, creditCostMicros: 0)
    let credits = 2 * Limits.packCredits
    let largest = CreditCost(micros: Rates.costRange.upperBound, forCredits: credits)
    let margin = Margin(
      stars: Limits.packStars, credits: credits, costing: largest, at: most)
    #expect(margin.costMicros == Rates.costRange.upperBound && !margin.isLoss)
  }

  @Test func aLossIsALossHoweverSmall() {
    // 50 ₽ of revenue, 50.1 of cost: −0 %.
    let rates = Rates(
      currency: "RUB", usdMicrosPer100Stars: 100_000_000, currencyMicrosPerUSD: 1_000_000,
      creditCostMicros: 5_010_000)
    let margin = Margin(stars: 50, credits: 10, at: rates)
    #expect(margin.revenue == 50 && margin.percent == 0 && margin.isLoss)
    #expect(Margin(stars: 51, credits: 10, at: rates).isLoss == false)
    // −2.5 % is rounded half up, too: towards the larger.
    let half = Rates(
      currency: "RUB", usdMicrosPer100Stars: 100_000_000, currencyMicrosPerUSD: 1_000_000,
      creditCostMicros: 4_000_000)
    #expect(Margin(stars: 39, credits: 10, at: half).percent == -2)
    #expect(Margin(stars: 41, credits: 10, at: half).percent == 3)
    #expect(Margin(stars: 1, credits: 10, at: half).percent == -97)
  }

  @Test func revenueIsRoundedHalfUpToWholeUnitsFirst() {
    let rates = Rates(
      currency: "EUR", usdMicrosPer100Stars: 50_000_000, currencyMicrosPerUSD: 1_000_000,
      creditCostMicros: 1)
    #expect(Margin(stars: 1, credits: 1, at: rates).revenue == 1)
    #expect(Margin(stars: 3, credits: 1, at: rates).revenue == 2)
    let less = Rates(
      currency: "EUR", usdMicrosPer100Stars: 49_999_999, currencyMicrosPerUSD: 1_000_000,
      creditCostMicros: 1)
    #expect(Margin(stars: 1, credits: 1, at: less).revenue == 0)
  }

  @Test func nothingOverflowsAndNothingIsDividedByZero() {
    let most = Rates(
      currency: "RUB", usdMicrosPer100Stars: Rates.usdRange.upperBound,
      currencyMicrosPerUSD: Rates.currencyRange.upperBound,
      creditCostMicros: Rates.costRange.upperBound)
    let margin = Margin(
      stars: Limits.packStars, credits: 2 * Limits.packCredits, at: most)
    #expect(margin.revenue == 1_000_000_000_000 && margin.costMicros == .max)
    let free = Rates(currency: "RUB", currencyMicrosPerUSD: 80_000_000, creditCostMicros: 0)
    #expect(Margin(stars: 49, credits: 9, at: free).percent == nil)
    #expect(Margin(stars: 49, credits: 0, at: free).starsPerCreditTenths == nil)
    #expect(!Margin(stars: 49, credits: 9, at: free).isLoss)
    #expect(Pack.discounted(stars: 1, percent: 90) == 1)
  }

  @Test func currenciesAreThoseOfISO4217() {
    for code in ["BRL", "RUB", "USD", "EUR", "JPY", "INR", "brl"] {
      #expect(Rates.isCurrency(code), "\(code)")
    }
    for code in ["", "R$", "ABC", "XXXX"] { #expect(!Rates.isCurrency(code), "\(code)") }
  }
}
