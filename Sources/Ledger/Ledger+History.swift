import Foundation
import Postgres

extension Ledger {
  /// What happened to the customer's account.
  public enum Kind: String, Sendable, CaseIterable, SQLDecodable {
    case credit, debit, hold, release, expire, clawback, forgive

    public init(sqlText: String) throws { self = try decoded(sqlText) }
  }

  /// The other leg of a movement.
  public enum CounterAccount: String, Sendable, CaseIterable, SQLDecodable {
    case issued, used, held, expired, refunded, forgiven

    public init(sqlText: String) throws { self = try decoded(sqlText) }
  }

  /// What was asked for. One request may take several movements.
  public enum Operation: String, Sendable, CaseIterable, SQLDecodable {
    case credit, debit, hold, commit, release, clawback, expire
    case holdCharge = "hold_charge"

    public init(sqlText: String) throws { self = try decoded(sqlText) }
  }

  /// Credits that a movement burned from a lot or filled into it.
  public struct Part: Sendable, Equatable {
    public let lotID: Int64
    public let amount: Int64
    public let source: LotSource
    public let charge: Charge?
  }

  /// One movement: the customer's leg and, by `counter`, the other one.
  public struct Entry: Sendable {
    public let version: Int64
    public let kind: Kind
    public let operation: Operation
    public let counter: CounterAccount
    /// What it adds to the customer's balance.
    public let amount: Int64
    public let balanceAfter: Int64
    public let createdAt: Date
    public let requested: Int64?
    public let units: Int32?
    public let action: String?
    public let ref: String?
    public let reason: String?
    public let key: String?
    public let holdKey: String?
    /// In burn order. What debt swallowed is in no lot.
    public let parts: [Part]
  }

  /// An account's movements, newest first: at most `limit` of those older than `version`.
  public func history(
    of account: Account, before version: Int64? = nil, limit: Int = 50, in scope: WorkspaceScope
  ) async throws -> [Entry] {
    let rows = try await pool.query(
      """
      select * from ledger_history(\(scope.workspaceID), \(account.id), \(account.unit),
        \(version), \(min(limit, Limits.historyPage)))
      """, in: scope)
    return try rows.map(Entry.init)
  }
}

extension Ledger.Entry {
  init(_ row: Row) throws {
    version = try row.get("version")
    kind = try row.get("kind")
    operation = try row.get("operation")
    counter = try row.get("counter")
    amount = try row.get("amount")
    balanceAfter = try row.get("balance_after")
    createdAt = try row.get("created_at")
    requested = try row.getIfPresent("requested")
    units = try row.getIfPresent("units")
    action = try row.getIfPresent("action")
    ref = try row.getIfPresent("ref")
    reason = try row.getIfPresent("reason")
    key = try row.getIfPresent("idempotency_key")
    holdKey = try row.getIfPresent("hold_key")
    let lotIDs: [Int64] = try row.get("lot_ids")
    let amounts: [Int64] = try row.get("lot_amounts")
    let sources: [String] = try row.get("lot_sources")
    let bots: [Int64?] = try row.get("lot_bots")
    let charges: [String?] = try row.get("lot_charges")
    parts = try lotIDs.indices.map { index in
      Ledger.Part(
        lotID: lotIDs[index], amount: amounts[index],
        source: try LotSource(sqlText: sources[index]),
        charge: Charge(botID: bots[index], chargeID: charges[index]))
    }
  }
}
