import Ledger
import Postgres

/// What a payment earned and what is left of that when its Stars go back: in millionths of the
/// workspace's currency, at today's rates.
public struct RefundMargin: Sendable, Equatable {
  public let currency: String
  /// What its Stars are worth.
  public let revenueMicros: Int64
  /// What the work cost that its credits paid for; it stays spent.
  public let costMicros: Int64

  public var beforeMicros: Int64 { revenueMicros - costMicros }
  public var afterMicros: Int64 { -costMicros }

  public static func of(
    _ payment: Payment, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> RefundMargin {
    let rates = try await Rates.of(scope, pool)
    let rows = try await pool.query(uses(of: payment, in: scope), in: scope)
    let cost = try rows.reduce(Int128(0)) { sum, row in
      let micros = Int128(try row.get("micros", as: Int64.self))
      switch try row.getIfPresent("cost_currency", as: String.self) {
      case rates.currency: return sum + micros
      case "USD": return sum + micros * Int128(rates.currencyMicrosPerUSD) / 1_000_000
      // Of an action without a cost that we can count, what a credit costs.
      default:
        return try sum + Int128(row.get("credits", as: Int64.self)) * Int128(rates.creditCostMicros)
      }
    }
    return RefundMargin(
      currency: rates.currency, revenueMicros: rates.micros(ofStars: payment.stars),
      costMicros: Int64(clamping: cost))
  }

  /// The uses that burned the charge's lots, each with the cost of its time, as the figures count it;
  /// of one that other lots paid as well, its part.
  private static func uses(of payment: Payment, in scope: WorkspaceScope) -> SQL {
    """
    select c.cost_currency, coalesce(sum(b.credits), 0)::bigint as credits,
      coalesce(round(sum(b.units * c.unit_cost_micros::numeric * b.credits / b.amount)), 0)::bigint
        as micros
    from (
      select e.action, e.units, e.xid, abs(e.amount) as amount,
        (select sum(m.amount) from unnest(e.lot_ids, e.lot_amounts) m (lot_id, amount)
          where m.lot_id = any(l.ids)) as credits
      from (
        select unit, array_agg(lot_id) as ids, min(lot_id) as first from lots
        where workspace_id = \(scope.workspaceID) and bot_id = \(payment.botID)
          and charge_id = \(payment.chargeID) group by unit) l
      join entries e on e.workspace_id = \(scope.workspaceID)
        and e.account_id = \(payment.customerID) and e.unit = l.unit and e.version > l.first
        and e.kind = 'debit' and e.lot_ids && l.ids) b
    left join lateral (
      select a.cost_currency, a.unit_cost_micros from action_costs a
      where a.workspace_id = \(scope.workspaceID) and a.action = b.action
        and not pg_visible_in_snapshot(b.xid, a.seen)
      order by pg_snapshot_xmax(a.seen) desc, a.since desc limit 1) c on true
    group by c.cost_currency
    """
  }
}

extension Rates {
  /// What Stars are worth, in millionths of the currency.
  public func micros(ofStars stars: Int64) -> Int64 {
    Int64(
      clamping: Int128(stars) * Int128(usdMicrosPer100Stars) * Int128(currencyMicrosPerUSD)
        / 100_000_000)
  }
}
