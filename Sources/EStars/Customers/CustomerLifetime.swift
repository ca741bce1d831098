import Ledger
import Postgres

/// What a customer brought and cost since the beginning.
public struct CustomerLifetime: Sendable, Equatable {
  public let payments: Int64
  /// With those that went back.
  public let starsPaid: Int64
  public let starsRefunded: Int64
  /// What the uses cost the operator, in millionths of the workspace's currency; nil while no
  /// figures of the customer are counted.
  public let costMicros: Int64?

  public var netStars: Int64 { starsPaid - starsRefunded }

  public init(payments: Int64, starsPaid: Int64, starsRefunded: Int64, costMicros: Int64?) {
    self.payments = payments
    self.starsPaid = starsPaid
    self.starsRefunded = starsRefunded
    self.costMicros = costMicros
  }

  /// - Parameter rates: By which costs in dollars count in the workspace's currency.
  public static func of(
    customer id: Int64, at rates: Rates, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CustomerLifetime {
    let row = try await pool.query(
      """
      select count(*) as payments, coalesce(sum(stars), 0)::bigint as paid,
        coalesce(sum(stars) filter (where state = 'refunded'), 0)::bigint as refunded
      from payments where workspace_id = \(scope.workspaceID) and customer_id = \(id)
      """, in: scope)[0]
    let costs = try await pool.query(
      """
      select cost_currency, sum(cost_micros)::bigint as micros from customer_days
      where workspace_id = \(scope.workspaceID) and customer_id = \(id) group by cost_currency
      """, in: scope)
    let cost = try costs.reduce(Int64(0)) { sum, row in
      // Of a currency to which no rate leads nothing is known, as in the figures.
      try sum + (rates.micros(row.get("micros"), of: row.get("cost_currency")) ?? 0)
    }
    return CustomerLifetime(
      payments: try row.get("payments"), starsPaid: try row.get("paid"),
      starsRefunded: try row.get("refunded"), costMicros: costs.isEmpty ? nil : cost)
  }
}
