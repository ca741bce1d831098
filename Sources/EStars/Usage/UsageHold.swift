import Foundation
import Ledger
import Postgres

/// A bot's reservation for work: its units and credits are set aside until it is closed.
public struct UsageHold: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable, SQLDecodable {
    case open, committed, released, expired

    public init(sqlText: String) throws {
      guard let state = State(rawValue: sqlText) else { throw UnknownStatus(text: sqlText) }
      self = state
    }
  }

  public let id: Int64
  /// The bot that made it.
  public let botID: Int64
  public let customerID: Int64
  public let telegramID: Int64
  public let action: String
  public let creditUnit: Int16
  public let units: Int64
  /// Credits per unit when it was made; 0 where an entitlement made it unmetered.
  public let priceCredits: Int64
  /// Of the units, those that the tier had free.
  public let freeUnits: Int64
  /// Credits set aside.
  public let credits: Int64
  public let isUnmetered: Bool
  public let ref: String?
  /// Credits that were left when it was made.
  public let balance: Int64
  public let state: State
  public let createdAt: Date
  /// From then on a job closes it; until the job comes it may still be committed.
  public let expiresAt: Date
  public let closedAt: Date?
  /// Of a committed one.
  public let usedUnits: Int64?
  public let usedCredits: Int64?
  /// Credits that were left when it was closed.
  public let closeBalance: Int64?

  /// From the table `h`, and where it is joined `c` of the customer.
  static func columns(telegramID: SQL = "c.telegram_id") -> SQL {
    """
    h.hold_id, h.bot_id, h.customer_id, \(telegramID) as telegram_id, h.action, h.credit_unit,
    h.units, h.price_credits, h.free_units as hold_free_units, h.credits, h.is_unmetered, h.ref,
    h.balance as hold_balance, h.state, h.created_at, h.expires_at, h.closed_at, h.used_units,
    h.used_credits, h.close_balance
    """
  }

  init(_ row: Row) throws {
    id = try row.get("hold_id")
    botID = try row.get("bot_id")
    customerID = try row.get("customer_id")
    telegramID = try row.get("telegram_id")
    action = try row.get("action")
    creditUnit = try row.get("credit_unit")
    units = try row.get("units")
    priceCredits = try row.get("price_credits")
    freeUnits = try row.get("hold_free_units")
    credits = try row.get("credits")
    isUnmetered = try row.get("is_unmetered")
    ref = try row.getIfPresent("ref")
    balance = try row.get("hold_balance")
    state = try row.get("state")
    createdAt = try row.get("created_at")
    expiresAt = try row.get("expires_at")
    closedAt = try row.getIfPresent("closed_at")
    usedUnits = try row.getIfPresent("used_units")
    usedCredits = try row.getIfPresent("used_credits")
    closeBalance = try row.getIfPresent("close_balance")
  }

  private static let joined: SQL = """
    select \(columns()) from usage_holds h
    join customers c on c.workspace_id = h.workspace_id and c.customer_id = h.customer_id
    """

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> UsageHold? {
    try await pool.query(
      "\(joined) where h.workspace_id = \(scope.workspaceID) and h.hold_id = \(id)", in: scope
    ).first.map(UsageHold.init)
  }
}
