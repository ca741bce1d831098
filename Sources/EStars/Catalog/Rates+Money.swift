extension Rates {
  /// What Stars bring, in millionths of the currency, rounded half up.
  public func micros(stars: Int64) -> Int64 { micros(of: Int128(stars) * 1_000_000) }

  /// - Parameter starMicros: Millionths of a Star.
  public func micros(starMicros: Int64) -> Int64 { micros(of: Int128(starMicros)) }

  private func micros(of starMicros: Int128) -> Int64 {
    let value = starMicros * Int128(usdMicrosPer100Stars) * Int128(currencyMicrosPerUSD)
    let divisor: Int128 = 100 * 1_000_000 * 1_000_000
    let (quotient, rest) = (2 * value + divisor).quotientAndRemainder(dividingBy: 2 * divisor)
    return Int64(clamping: rest < 0 ? quotient - 1 : quotient)
  }

  /// An amount of a currency in the workspace's, both in millionths; nil where no rate leads there.
  /// Dollars go by the workspace's rate.
  public func micros(_ amount: Int64, of other: String) -> Int64? {
    if other == currency || amount == 0 { return amount }
    guard other == "USD" else { return nil }
    return Int64(clamping: Int128(amount) * Int128(currencyMicrosPerUSD) / 1_000_000)
  }
}

extension Rates {
  /// What credits cost the operator once they are used, in millionths of the currency.
  public func cost(ofCredits credits: Int64) -> Int64 {
    Int64(clamping: Int128(max(credits, 0)) * Int128(creditCostMicros))
  }
}
