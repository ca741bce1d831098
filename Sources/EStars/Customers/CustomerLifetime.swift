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

  public static func of(
    customer id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CustomerLifetime {
    let row = try await pool.query(
      """
      select p.*, d.cost_micros from (
        select count(*) as payments, coalesce(sum(stars), 0)::bigint as paid,
          coalesce(sum(stars) filter (where state = 'refunded'), 0)::bigint as refunded
        from payments where workspace_id = \(scope.workspaceID) and customer_id = \(id)) p
      cross join (
        select (sum(d.cost_micros) filter (where d.cost_currency = w.currency))::bigint
            + min(0 * d.stars) as cost_micros
        from workspaces w
        join customer_days d on d.workspace_id = w.workspace_id and d.customer_id = \(id)
        where w.workspace_id = \(scope.workspaceID)) d
      """, in: scope)[0]
    return CustomerLifetime(
      payments: try row.get("payments"), starsPaid: try row.get("paid"),
      starsRefunded: try row.get("refunded"), costMicros: try row.getIfPresent("cost_micros"))
  }
}
