import Foundation
import Postgres

extension Ledger {
  /// An open hold whose time is over.
  public struct DueHold: Sendable, Equatable {
    public let holdKey: String
    public let account: Account
    public let amount: Int64
    public let expiresAt: Date
  }

  /// Accounts with lots that may be due, soonest first: to be expired.
  public func dueAccounts(
    in scope: WorkspaceScope, at time: Date? = nil, limit: Int = Limits.sweep
  ) async throws -> [Account] {
    let rows = try await pool.query(
      """
      select account_id, unit from accounts
      where workspace_id = \(scope.workspaceID) and due_at <= \(time ?? scope.now)
        and due_at < 'infinity'
      order by due_at limit \(limit)
      """, in: scope)
    return try rows.map { Account(try $0.get("account_id"), unit: try $0.get("unit")) }
  }

  /// Holds that nobody closed in time, soonest first: to be released. Those behind a bot's open hold
  /// close with it, never behind its back.
  public func dueHolds(
    in scope: WorkspaceScope, at time: Date? = nil, limit: Int = Limits.sweep
  ) async throws -> [DueHold] {
    let rows = try await pool.query(
      """
      select hold_key, account_id, unit, amount, expires_at from holds h
      where workspace_id = \(scope.workspaceID) and expires_at <= \(time ?? scope.now)
        and expires_at < 'infinity'
        and not exists (
          select from usage_holds u
          where u.workspace_id = h.workspace_id and u.state = 'open'
            and starts_with(h.hold_key, 'api:') and u.idempotency_key = substr(h.hold_key, 5))
      order by expires_at limit \(limit)
      """, in: scope)
    return try rows.map { row in
      DueHold(
        holdKey: try row.get("hold_key"),
        account: Account(try row.get("account_id"), unit: try row.get("unit")),
        amount: try row.get("amount"), expiresAt: try row.get("expires_at"))
    }
  }
}
