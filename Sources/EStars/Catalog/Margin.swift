/// What something sold for Stars brings an operator, beside what its credits cost.
public struct Margin: Sendable, Equatable {
  /// Whole units of the currency, rounded half up.
  public let revenue: Int64
  /// Millionths of the currency, rounded half up, for all credits, the bonus too.
  public let costMicros: Int64
  /// Of the cost, rounded half up: (revenue − cost) ÷ cost × 100; nil where credits cost nothing.
  public let percent: Int64?
  /// Stars for one credit, in tenths, rounded half up; nil where there are no credits.
  public let starsPerCreditTenths: Int64?

  /// Whether its credits cost more than it brings.
  public let isLoss: Bool

  /// - Parameter credits: with the bonus.
  public init(stars: Int64, credits: Int64, at rates: Rates) {
    self.init(stars: stars, credits: credits, costing: rates.creditCost, at: rates)
  }

  /// - Parameters:
  ///   - credits: with the bonus.
  ///   - price: what they cost, instead of what the rates say.
  public init(stars: Int64, credits: Int64, costing price: CreditCost, at rates: Rates) {
    let micros = Int128(1_000_000)
    let revenue = Self.halfUp(
      Int128(stars) * Int128(rates.usdMicrosPer100Stars) * Int128(rates.currencyMicrosPerUSD),
      100 * micros * micros)
    // Both as many times as large as the price has credits, so that nothing is rounded before the end.
    let cost = Int128(credits) * Int128(price.micros)
    let earned = revenue * micros * Int128(price.credits)
    self.revenue = Int64(clamping: revenue)
    costMicros = Int64(clamping: Self.halfUp(cost, Int128(price.credits)))
    percent = cost == 0 ? nil : Int64(clamping: Self.halfUp((earned - cost) * 100, cost))
    isLoss = earned < cost
    starsPerCreditTenths =
      credits == 0 ? nil : Int64(clamping: Self.halfUp(Int128(stars) * 10, Int128(credits)))
  }

  /// - Precondition: The divisor is above 0.
  private static func halfUp(_ value: Int128, _ divisor: Int128) -> Int128 {
    let (quotient, rest) = (2 * value + divisor).quotientAndRemainder(dividingBy: 2 * divisor)
    return rest < 0 ? quotient - 1 : quotient
  }
}
