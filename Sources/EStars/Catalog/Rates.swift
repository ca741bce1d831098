import Foundation
import Ledger
import Postgres

/// What Stars bring and credits cost, as an owner entered it. Integers in millionths: no rate is a
/// binary fraction.
public struct Rates: Sendable, Equatable {
  /// ISO 4217: what the operator counts in.
  public var currency: String
  public var usdMicrosPer100Stars: Int64
  public var currencyMicrosPerUSD: Int64
  /// What one credit costs the operator, in millionths of the currency.
  public var creditCostMicros: Int64

  public static let usdRange: ClosedRange<Int64> = 1...1_000_000_000
  public static let currencyRange: ClosedRange<Int64> = 1...1_000_000_000_000
  public static let costRange: ClosedRange<Int64> = 0...1_000_000_000_000

  public init(
    currency: String, usdMicrosPer100Stars: Int64 = 1_300_000, currencyMicrosPerUSD: Int64,
    creditCostMicros: Int64
  ) {
    self.currency = currency
    self.usdMicrosPer100Stars = usdMicrosPer100Stars
    self.currencyMicrosPerUSD = currencyMicrosPerUSD
    self.creditCostMicros = creditCostMicros
  }

  /// Whether ISO 4217 has it.
  public static func isCurrency(_ code: String) -> Bool {
    Locale.Currency.isoCurrencies.contains { $0.identifier == code.uppercased() }
  }

  private init(_ row: Row) throws {
    currency = try row.get("currency")
    usdMicrosPer100Stars = try row.get("usd_micros_per_100_stars")
    currencyMicrosPerUSD = try row.get("currency_micros_per_usd")
    creditCostMicros = try row.get("credit_cost_micros")
  }

  private static func row(of scope: WorkspaceScope) -> SQL {
    """
    select currency, usd_micros_per_100_stars, currency_micros_per_usd, credit_cost_micros
    from workspaces where workspace_id = \(scope.workspaceID)
    """
  }

  private var facts: [String: String] {
    [
      "currency": currency,
      "usd_per_100_stars": ActionRules.decimal(micros: usdMicrosPer100Stars),
      "currency_per_usd": ActionRules.decimal(micros: currencyMicrosPerUSD),
      "credit_cost": ActionRules.decimal(micros: creditCostMicros),
    ]
  }

  public static func of(_ scope: WorkspaceScope, _ pool: Pool) async throws -> Rates {
    try Rates(try await pool.query(row(of: scope), in: scope)[0])
  }

  /// The number of the latest change: a form carries it, and is good until the next one.
  public static func version(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("rates", String(scope.workspaceID), in: scope)
    }
  }

  /// Gives a side its first rates. One that somebody has looked at already keeps its own.
  public static func begin(
    with rates: Rates, on side: Workspace, by actor: Actor, _ pool: Pool
  ) async throws {
    do {
      try await change(to: rates, madeFrom: 0, by: actor, in: side.scope, pool)
    } catch RuleRefusal.changed {
      // It has them.
    }
  }

  /// - Parameter version: of the rates that the form was made from.
  /// - Precondition: The values are in their ranges, as the table demands.
  /// - Throws: ``RuleRefusal/changed``
  public static func change(
    to rates: Rates, madeFrom version: Int64, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let present = try Rates(try await tx.query("\(row(of: scope)) for no key update")[0])
      let subject = String(scope.workspaceID)
      guard try await tx.ruleVersion("rates", subject, in: scope) == version else {
        throw RuleRefusal.changed
      }
      let (before, after) = FactChange.between(present.facts, rates.facts)
      guard before != after else {
        // Somebody has looked at them: from now on they are no guess of ours.
        if version == 0 {
          try await tx.audit(actor, "rates.confirmed", "rates", subject, in: scope, at: scope.now)
        }
        return
      }
      try await tx.execute(
        """
        update workspaces set currency = \(rates.currency),
          usd_micros_per_100_stars = \(rates.usdMicrosPer100Stars),
          currency_micros_per_usd = \(rates.currencyMicrosPerUSD),
          credit_cost_micros = \(rates.creditCostMicros)
        where workspace_id = \(scope.workspaceID)
        """)
      try await tx.audit(
        actor, "rates.edited", "rates", subject, before: before, after: after, in: scope,
        at: scope.now)
    }
  }
}
