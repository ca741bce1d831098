import Foundation
import Ledger
import Postgres

/// Where the Stars of a workspace stand: what Telegram holds, what customers may still ask for.
public struct StarsStanding: Sendable, Equatable {
  /// What Telegram says that the bots have, as they were compared last; nil: none was.
  public let balance: Int64?
  /// When the oldest of those figures was asked for.
  public let balanceAt: Date?
  /// Paid within the last 21 days and not given back: Telegram keeps them for so long.
  public let held: Int64
  /// Credits that customers have and have not used, those set aside among them.
  public let liabilityCredits: Int64
  /// Of those that were paid for: what was paid, share by share.
  public let liabilityStars: Int64
  /// The same in millionths of the workspace's currency, and what delivering all of it costs.
  public let liabilityMicros: Int64
  public let costMicros: Int64
  public let currency: String
  /// Stars of refund cases that are open, and of payments of the last 24 hours of whose credits
  /// nothing was used.
  public let exposure: Int64

  /// What can be withdrawn: the balance without what Telegram still keeps.
  public var withdrawable: Int64? { balance.map { max(0, $0 - held) } }

  public static func load(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> StarsStanding {
    let (id, now) = (scope.workspaceID, scope.now)
    let compared = try await Reconciliation.latest(done: true, in: scope, pool).values
      .filter { $0.balanceStars != nil }
    let row = try await pool.query(
      """
      select w.currency, s.held, l.credits, l.stars, e.exposure,
        round(l.stars * (w.usd_micros_per_100_stars::numeric / 100)
          * (w.currency_micros_per_usd::numeric / 1000000))::bigint as micros,
        (l.credits::numeric * w.credit_cost_micros)::bigint as cost_micros
      from workspaces w,
        lateral (\(held(id, now))) s, lateral (\(liability(id))) l, lateral (\(exposure(scope))) e
      where w.workspace_id = \(id)
      """, in: scope)[0]
    return StarsStanding(
      balance: compared.isEmpty ? nil : compared.compactMap(\.balanceStars).reduce(0, +),
      balanceAt: compared.compactMap(\.finishedAt).min(), held: try row.get("held"),
      liabilityCredits: try row.get("credits"), liabilityStars: try row.get("stars"),
      liabilityMicros: try row.get("micros"), costMicros: try row.get("cost_micros"),
      currency: try row.get("currency"), exposure: try row.get("exposure"))
  }

  private static func held(_ id: Int64, _ now: Date) -> SQL {
    """
    select coalesce(sum(t.stars), 0)::bigint as held from star_transactions t
    where t.workspace_id = \(id) and t.direction = 'incoming' and t.partner = 'user'
      and t.at > \(now.addingTimeInterval(-Limits.starHoldSeconds))
      and not exists (select from star_transactions o where o.workspace_id = t.workspace_id
        and o.bot_id = t.bot_id and o.transaction_id = t.transaction_id
        and o.direction = 'outgoing')
    """
  }

  private static func liability(_ id: Int64) -> SQL {
    """
    select (select coalesce(sum(balance), 0) from accounts
        where workspace_id = \(id) and balance > 0)::bigint
      + (select coalesce(sum(amount), 0) from holds where workspace_id = \(id))::bigint as credits,
      (select coalesce(round(sum(stars::numeric * amount_left / amount)), 0) from open_lots
        where workspace_id = \(id) and paid)::bigint as stars
    """
  }

  /// What buyers may still ask back by the workspace's rule for refunds, and what they have asked.
  private static func exposure(_ scope: WorkspaceScope) -> SQL {
    """
    select coalesce(sum(p.stars), 0)::bigint as exposure from payments p
    cross join (\(RefundPolicy.row(of: scope))) rule
    where p.workspace_id = \(scope.workspaceID) and p.state <> 'refunded' and (
      exists (select from refunds r where r.workspace_id = p.workspace_id and r.bot_id = p.bot_id
        and r.charge_id = p.charge_id
        and r.state in ('requested', 'approved', 'sending', 'unknown', 'failed'))
      or p.paid_at > \(scope.now)::timestamptz - rule.max_age_hours * interval '1 hour'
        and exists (select from open_lots o where o.workspace_id = p.workspace_id
          and o.bot_id = p.bot_id and o.charge_id = p.charge_id and o.paid
          and o.account_id = p.customer_id
          and o.amount_left * 100 >= o.amount * (100 - rule.max_used_percent)))
    """
  }
}
