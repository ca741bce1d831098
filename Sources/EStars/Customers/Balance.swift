import Foundation
import Ledger
import Postgres

/// What a customer can spend now, and where it comes from.
public struct Balance: Sendable, Equatable {
  /// A grant with credits left, in the order they will be used.
  public struct Lot: Sendable, Equatable {
    public let customerID: Int64
    public let unit: Int16
    public let id: Int64
    public let source: String
    public let granted: Int64
    public let left: Int64
    /// `Date.distantFuture` = never.
    public let expiresAt: Date
    public let grantedAt: Date
    public let botID: Int64?
    public let chargeID: String?

    init(_ row: Row) throws {
      customerID = try row.get("account_id")
      unit = try row.get("unit")
      id = try row.get("lot_id")
      source = try row.get("source")
      granted = try row.get("amount")
      left = try row.get("amount_left")
      expiresAt = try row.get("expires_at")
      grantedAt = try row.get("created_at")
      botID = try row.getIfPresent("bot_id")
      chargeID = try row.getIfPresent("charge_id")
    }
  }

  /// Credits free to spend; negative = debt of a refund.
  public let available: Int64
  /// Credits set aside by open holds.
  public let held: Int64
  public let lots: [Lot]

  /// The units that the customer has an account in, and always the first.
  public static func units(
    of customer: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int16] {
    let known = try await pool.query(
      """
      select unit from accounts
      where workspace_id = \(scope.workspaceID) and account_id = \(customer) order by unit
      """, in: scope
    ).map { try $0.get("unit", as: Int16.self) }
    return known.contains(1) ? known : [1] + known
  }

  /// - Parameter unit: The credit unit; a workspace has one unless it defined more.
  public static func of(
    customer id: Int64, unit: Int16 = 1, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Balance {
    // Lots that have expired count for nothing, whether or not a job has booked it yet.
    let lots = try await pool.query(
      """
      select o.*, e.created_at from open_lots o
      join entries e on e.workspace_id = o.workspace_id and e.account_id = o.account_id
        and e.unit = o.unit and e.version = o.lot_id
      where o.workspace_id = \(scope.workspaceID) and o.account_id = \(id) and o.unit = \(unit)
        and o.expires_at > \(scope.now)
      order by o.position
      """, in: scope
    ).map(Lot.init)
    let row = try await pool.query(
      """
      select (select balance from accounts where workspace_id = \(scope.workspaceID)
          and account_id = \(id) and unit = \(unit)) as balance,
        (select coalesce(sum(amount), 0)::bigint from holds
          where workspace_id = \(scope.workspaceID) and account_id = \(id)
            and unit = \(unit)) as held
      """, in: scope)[0]
    let balance = try row.getIfPresent("balance", as: Int64.self) ?? 0
    return Balance(
      available: balance < 0 ? balance : lots.reduce(0) { $0 + $1.left },
      held: try row.get("held"), lots: lots)
  }
}
