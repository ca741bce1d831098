import Foundation
import Ledger
import Postgres

extension Timeline {
  /// The newest entries of the whole workspace.
  public static func recent(
    _ limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Movement] {
    try await movements(
      "true order by e.xid desc, e.account_id, e.version desc limit \(limit)", in: scope, pool)
  }

  /// Entries that filled or burned a charge's lots, newest first.
  public static func of(
    _ payment: Payment, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Movement] {
    try await movements(
      """
      e.account_id = \(payment.customerID) and e.lot_ids && array(
          select l.lot_id from lots l where l.workspace_id = \(scope.workspaceID)
            and l.unit = e.unit and l.bot_id = \(payment.botID)
            and l.charge_id = \(payment.chargeID))
        order by e.version desc limit 200
      """, in: scope, pool)
  }

  static func movements(
    _ condition: SQL, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Movement] {
    let rows = try await pool.query(
      """
      select e.kind::text, e.operation::text, e.account_id, e.unit, e.version, e.amount,
        e.balance_after, e.created_at, e.action, e.units, e.reason, e.lot_ids,
        e.lot_amounts, case when e.kind = 'credit' then e.idempotency_key end as key
      from entries e where e.workspace_id = \(scope.workspaceID) and \(condition)
      """, in: scope)
    let accounts = try Set(rows.map { try $0.get("account_id", as: Int64.self) })
    let lotIDs = try Set(rows.flatMap { try $0.get("lot_ids", as: [Int64].self) })
    let lots = try await pool.query(
      """
      select account_id, unit, lot_id, source, bot_id, charge_id from lots
      where workspace_id = \(scope.workspaceID) and account_id = any(\(Array(accounts)))
        and lot_id = any(\(Array(lotIDs)))
      """, in: scope)
    var known: [[Int64]: Row] = [:]
    for lot in lots {
      known[[try lot.get("account_id"), try lot.get("unit"), try lot.get("lot_id")]] = lot
    }
    let grants = try await CreditGrant.byPosting(
      rows.compactMap { try $0.getIfPresent("key", as: String.self) }, in: scope, pool)
    return try rows.map { row in
      let key = try row.getIfPresent("key", as: String.self)
      return try Movement(row, lots: known, given: key.flatMap { grants[$0] })
    }
  }
}

extension Timeline.Movement {
  fileprivate init(_ row: Row, lots: [[Int64]: Row], given: CreditGrant?) throws {
    kind = try row.get("kind")
    operation = try row.get("operation")
    accountID = try row.get("account_id")
    version = try row.get("version")
    amount = try row.get("amount")
    balanceAfter = try row.get("balance_after")
    at = try row.get("created_at")
    action = try row.getIfPresent("action")
    units = try row.getIfPresent("units")
    reason = try given?.reason ?? row.getIfPresent("reason")
    givenBy = given?.grantedBy
    let isFilling = amount > 0
    let account = accountID
    unit = try row.get("unit")
    let number = Int64(unit)
    self.lots = try zip(
      row.get("lot_ids", as: [Int64].self), row.get("lot_amounts", as: [Int64].self)
    ).map { id, amount in
      let lot = lots[[account, number, id]]
      return Timeline.LotMove(
        lot: id, source: try lot?.get("source") ?? "adjustment",
        amount: isFilling ? amount : -amount, botID: try lot?.getIfPresent("bot_id"),
        chargeID: try lot?.getIfPresent("charge_id"))
    }
  }
}
