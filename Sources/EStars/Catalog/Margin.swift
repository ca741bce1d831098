/// What something sold for Stars brings an operator, beside what its credits cost.
public struct Margin: Sendable, Equatable {
  /// Whole units of the currency, rounded half up.
  public let revenue: Int64
  /// Millionths of the currency, for all credits, the bonus too.
  public let costMicros: Int64
  /// Of the cost, rounded half up: (revenue − cost) ÷ cost × 100; nil where credits cost nothing.
  public let percent: Int64?
  /// Stars for one credit, in tenths, rounded half up; nil where there are no credits.
  public let starsPerCreditTenths: Int64?

  /// - Parameter credits: with the bonus.
  public init(stars: Int64, credits: Int64, at rates: Rates) {
    let micros = Int128(1_000_000)
    let revenue = Self.halfUp(
      Int128(stars) * Int128(rates.usdMicrosPer100Stars) * Int128(rates.currencyMicrosPerUSD),
      100 * micros * micros)
    let cost = Int128(credits) * Int128(rates.creditCostMicros)
    self.revenue = Int64(clamping: revenue)
    costMicros = Int64(clamping: cost)
    percent = cost == 0 ? nil : Int64(clamping: Self.halfUp((revenue * micros - cost) * 100, cost))
    starsPerCreditTenths =
      credits == 0 ? nil : Int64(clamping: Self.halfUp(Int128(stars) * 10, Int128(credits)))
  }

  /// Whether its credits cost more than it brings.
  public var isLoss: Bool { Int128(revenue) * 1_000_000 < Int128(costMicros) }

  /// - Precondition: The divisor is above 0.
  private static func halfUp(_ value: Int128, _ divisor: Int128) -> Int128 {
    let (quotient, rest) = (2 * value + divisor).quotientAndRemainder(dividingBy: 2 * divisor)
    return rest < 0 ? quotient - 1 : quotient
  }
}
