import Foundation
import Postgres

/// Where every credit of a lot went, in credits:
/// granted + joined = used + held + expired + taken back + paid debt + passed on + left.
public struct LotTotals: Sendable, Equatable {
  public let granted: Int64
  /// From later grants that flowed into this lot, because the account had as many as it may.
  public let joined: Int64
  /// By debits.
  public let used: Int64
  /// In open holds.
  public let held: Int64
  /// Booked as expired.
  public let expired: Int64
  /// By refunds: of its own charge what was still there, of other charges what those left owing.
  public let takenBack: Int64
  /// What a refund left the customer owing, paid by these credits.
  public let paidDebt: Int64
  /// Into the older lot that this grant flowed into, or into the lot that a cycle of a subscription
  /// took it over with.
  public let passedOn: Int64
  /// When its charge was refunded, so many were gone already, in one of these ways, and forgiven.
  public let forgiven: Int64
  public let left: Int64

  public var accountedFor: Int64 {
    used + held + expired + takenBack + paidDebt + passedOn + left
  }
}

/// One lot and everything that ever moved in it.
public struct LotHistory: Sendable {
  public struct Movement: Sendable, Equatable {
    /// Of the entry; the customer's timeline shows the same.
    public let version: Int64
    public let kind: Ledger.Kind
    public let operation: Ledger.Operation
    /// Signed, of this lot alone. What debt swallowed at once is in it.
    public let amount: Int64
    /// Of the amount, what paid debt instead of coming into the lot.
    public let paidDebt: Int64
    /// Of the amount, what went into the older lot that this grant flowed into.
    public let passedOn: Int64
    /// Credits left in the lot afterwards.
    public let leftAfter: Int64
    public let at: Date
    public let action: String?
    public let units: Int32?
    public let ref: String?
  }

  public let account: Account
  /// The version of the entry that granted it.
  public let id: Int64
  public let source: LotSource
  public let charge: Charge?
  /// `Date.distantFuture` = never.
  public let expiresAt: Date
  public let grantedAt: Date
  /// The lot that this grant flowed into.
  public let mergedInto: Int64?
  /// Of the grant's posting: says which door it came through.
  public let key: String?
  public let ref: String?
  public let totals: LotTotals
  /// Newest first.
  public let movements: [Movement]
  /// The version to go on from; nil at the end.
  public let olderThan: Int64?
}

extension LotHistory {
  /// - Parameters:
  ///   - before: Only movements before this version of the account.
  ///   - limit: Movements at most.
  /// - Returns: nil when the account has no such lot.
  public static func of(
    _ account: Account, lot id: Int64, before: Int64? = nil, limit: Int,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> LotHistory? {
    let made = try await pool.query(
      """
      select l.*, e.created_at, e.idempotency_key, e.ref, (
          select coalesce(sum(c.amount), 0)::bigint from lots c
          where c.workspace_id = l.workspace_id and c.account_id = l.account_id
            and c.unit = l.unit and c.carried_from = l.lot_id) as carried
      from lots l
      join entries e on e.workspace_id = l.workspace_id and e.account_id = l.account_id
        and e.unit = l.unit and e.version = l.lot_id
      where l.workspace_id = \(scope.workspaceID) and l.account_id = \(account.id)
        and l.unit = \(account.unit) and l.lot_id = \(id)
      """, in: scope
    ).first
    guard let made else { return nil }
    let whole = reading(account, lot: id, in: scope)
    var rows = try await pool.query(
      page(of: whole, before: before, limit: limit + 1), in: scope)
    // Older than the oldest: the totals stand in every row, so one is needed.
    if rows.isEmpty {
      rows = try await pool.query(page(of: whole, before: nil, limit: limit + 1), in: scope)
    }
    let shown = try rows.prefix(limit).map(Movement.init)
    return LotHistory(
      account: account, id: id, source: try made.get("source"),
      charge: try Charge(
        botID: made.getIfPresent("bot_id"), chargeID: made.getIfPresent("charge_id")),
      expiresAt: try made.get("expires_at"), grantedAt: try made.get("created_at"),
      mergedInto: try made.getIfPresent("merged_into"),
      key: try made.getIfPresent("idempotency_key"), ref: try made.getIfPresent("ref"),
      totals: try LotTotals(granted: made.get("amount"), carried: made.get("carried"), rows[0]),
      movements: shown,
      olderThan: rows.count > limit ? shown.last?.version : nil)
  }

  private static func page(of whole: SQL, before: Int64?, limit: Int) -> SQL {
    let older: SQL = before.map { "where version < \($0)" } ?? ""
    return "select * from (\(whole)) w \(older) order by version desc limit \(limit)"
  }

  /// Every movement of the lot with the running balance and the totals. The range of the primary
  /// key from the lot's own entry on is read once; a release looks its hold up by the key, because
  /// what debt swallowed on the way back is in no lot.
  static func reading(_ account: Account, lot id: Int64, in scope: WorkspaceScope) -> SQL {
    """
    select m.*,
      sum(amount - paid_debt - passed_on) over (order by version)::bigint as left_after,
      sum(amount - paid_debt - passed_on) over ()::bigint as left_now,
      coalesce(sum(amount) filter (where kind = 'credit' and version <> \(id)) over (), 0)::bigint
        as joined,
      coalesce(-sum(amount) filter (where kind = 'debit') over (), 0)::bigint as used,
      coalesce(-sum(amount) filter (where kind in ('hold', 'release')) over (), 0)::bigint as held,
      coalesce(-sum(amount) filter (where kind = 'expire') over (), 0)::bigint as expired,
      coalesce(-sum(amount) filter (where kind in ('clawback', 'forgive')) over (), 0)::bigint
        as taken_back,
      coalesce(sum(amount) filter (where kind = 'forgive') over (), 0)::bigint as forgiven,
      sum(paid_debt) over ()::bigint as all_paid_debt,
      sum(passed_on) over ()::bigint as all_passed_on
    from (
      select e.version, e.kind, e.operation, e.created_at, e.action, e.units, e.ref,
        case
          when e.version = \(id) then e.amount
          when e.kind = 'release' then coalesce(h.part, 0)
          when e.kind in ('credit', 'forgive') then p.part
          else -p.part end as amount,
        case
          when e.version = \(id) then e.amount - p.total
          when e.kind = 'release' then coalesce(h.part, 0) - p.part
          else 0 end as paid_debt,
        case when e.version = \(id) then p.total - p.part else 0 end as passed_on
      from entries e
      cross join lateral (
        select coalesce(sum(u.amount) filter (where u.lot_id = \(id)), 0)::bigint as part,
          coalesce(sum(u.amount), 0)::bigint as total
        from unnest(e.lot_ids, e.lot_amounts) u (lot_id, amount)
      ) p
      left join lateral (
        select sum(u.amount)::bigint as part
        from entries b
        cross join lateral unnest(b.lot_ids, b.lot_amounts) u (lot_id, amount)
        where e.kind = 'release' and b.workspace_id = \(scope.workspaceID)
          and b.idempotency_key = e.hold_key and u.lot_id = \(id)
      ) h on true
      where e.workspace_id = \(scope.workspaceID) and e.account_id = \(account.id)
        and e.unit = \(account.unit) and e.version >= \(id)
        and (e.kind = 'release' or e.version = \(id) or e.lot_ids @> array[\(id)::bigint])
    ) m
    where amount <> 0
    """
  }
}

extension LotHistory.Movement {
  fileprivate init(_ row: Row) throws {
    version = try row.get("version")
    kind = try row.get("kind")
    operation = try row.get("operation")
    amount = try row.get("amount")
    paidDebt = try row.get("paid_debt")
    passedOn = try row.get("passed_on")
    leftAfter = try row.get("left_after")
    at = try row.get("created_at")
    action = try row.getIfPresent("action")
    units = try row.getIfPresent("units")
    ref = try row.getIfPresent("ref")
  }
}

extension LotTotals {
  /// - Parameter carried: What left as expired and went into another lot.
  fileprivate init(granted: Int64, carried: Int64, _ row: Row) throws {
    self.granted = granted
    joined = try row.get("joined")
    used = try row.get("used")
    held = try row.get("held")
    expired = try row.get("expired") - carried
    takenBack = try row.get("taken_back")
    paidDebt = try row.get("all_paid_debt")
    passedOn = try row.get("all_passed_on") + carried
    forgiven = try row.get("forgiven")
    left = try row.get("left_now")
  }
}
