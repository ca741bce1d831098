import Foundation
import Postgres

/// Reads of what customers have, and the batch door to postings.
public struct Ledger: Sendable {
  let pool: Pool

  public init(pool: Pool) { self.pool = pool }

  public struct Balance: Sendable, Equatable {
    /// What a debit could take now, less what is due to expire; negative when in debt.
    public let available: Int64
    public let held: Int64
    public let version: Int64
  }

  /// A grant with credits left.
  public struct OpenLot: Sendable {
    public let lotID: Int64
    public let amountLeft: Int64
    public let amount: Int64
    public let source: LotSource
    public let charge: Charge?
    public let isPaid: Bool
    /// `Date.distantFuture`: never.
    public let expiresAt: Date
    public let stars: Int64?
    public let reason: String?
  }

  /// Where the credits of a charge's lot are. After the refund, `used` is whatever is gone.
  public struct ChargeLot: Sendable, Equatable {
    public let account: Account
    public let lotID: Int64
    public let source: LotSource
    public let isPaid: Bool
    public let amount: Int64
    public let expiresAt: Date
    public let left: Int64
    /// By the refund that was approved.
    public let refundHeld: Int64
    /// By other holds.
    public let held: Int64
    public let expired: Int64
    public let used: Int64
  }

  public func balance(
    of account: Account, in scope: WorkspaceScope, at time: Date? = nil
  ) async throws -> Balance {
    let row = try await pool.query(
      """
      select * from ledger_balance(\(scope.workspaceID), \(account.id), \(account.unit),
        \(time ?? scope.now))
      """, in: scope)[0]
    return Balance(
      available: try row.get("balance"), held: try row.get("held"),
      version: try row.get("version"))
  }

  /// The account's open lots in burn order, those included that are due but not yet expired.
  public func openLots(
    of account: Account, in scope: WorkspaceScope
  ) async throws -> [OpenLot] {
    let rows = try await pool.query(
      """
      select * from open_lots
      where workspace_id = \(scope.workspaceID) and account_id = \(account.id)
        and unit = \(account.unit)
      order by position
      """, in: scope)
    return try rows.map { row in
      OpenLot(
        lotID: try row.get("lot_id"), amountLeft: try row.get("amount_left"),
        amount: try row.get("amount"), source: try row.get("source"),
        charge: try Charge(
          botID: row.getIfPresent("bot_id"), chargeID: row.getIfPresent("charge_id")),
        isPaid: try row.get("paid"), expiresAt: try row.get("expires_at"),
        stars: try row.getIfPresent("stars"), reason: try row.getIfPresent("reason"))
    }
  }

  /// Where the credits of a charge are, one row a lot; empty when it granted nothing.
  public func lots(of charge: Charge, in scope: WorkspaceScope) async throws -> [ChargeLot] {
    let rows = try await pool.query(
      """
      select * from ledger_charge(\(scope.workspaceID), \(charge.botID), \(charge.chargeID))
      """, in: scope)
    return try rows.map { row in
      ChargeLot(
        account: Account(try row.get("account_id"), unit: try row.get("unit")),
        lotID: try row.get("lot_id"), source: try row.get("source"),
        isPaid: try row.get("paid"), amount: try row.get("amount"),
        expiresAt: try row.get("expires_at"), left: try row.get("amount_left"),
        refundHeld: try row.get("refund_held"), held: try row.get("held"),
        expired: try row.get("expired"), used: try row.get("used"))
    }
  }
}

extension Charge {
  init?(botID: Int64?, chargeID: String?) {
    guard let botID, let chargeID else { return nil }
    self.init(botID: botID, chargeID: chargeID)
  }
}
