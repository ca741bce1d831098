/// What credits cost an operator: so much for so many. A price for ten need not divide by ten.
public struct CreditCost: Sendable, Equatable {
  /// Millionths of the currency, for all of `credits`.
  public let micros: Int64
  public let credits: Int64

  /// - Precondition: There is at least one credit.
  public init(micros: Int64, forCredits credits: Int64) {
    self.micros = micros
    self.credits = credits
  }
}

extension Rates {
  public var creditCost: CreditCost { CreditCost(micros: creditCostMicros, forCredits: 1) }
}
