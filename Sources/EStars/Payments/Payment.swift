import Foundation
import Ledger
import Postgres

/// Stars that a customer paid to a bot. One row per charge, for ever.
public struct Payment: Sendable, Equatable {
  public enum State: String, Sendable { case credited, unmatched, refunded }

  /// How we learned of it: by an update of Telegram's, or from Telegram's books.
  public enum Source: String, Sendable { case update, reconciliation }

  public let id: Int64
  public let botID: Int64
  public let chargeID: String
  public let customerID: Int64
  public let checkoutID: Int64?
  public let state: State
  public let stars: Int64
  public let sku: String?
  public let title: String?
  public let credits: Int64
  public let bonusCredits: Int64
  public let isRecurring: Bool
  public let product: Checkout.Product
  /// Of a plan: what it began or renewed.
  public let subscriptionID: Int64?
  /// Why a person should look at it: `unknown_payload`, `second_payment`, `buyer_differs`,
  /// `amount_differs`.
  public let review: String?
  public let source: Source
  public let paidAt: Date
  public let refundedAt: Date?
  /// How far its refund case is; nil while there is none.
  public let refundState: Refund.State?

  public var charge: Charge { Charge(botID: botID, chargeID: chargeID) }

  /// Of `payments p`, the state of the charge's refund case among them.
  static let columns: SQL = """
    p.*, (select r.state from refunds r where r.workspace_id = p.workspace_id
      and r.bot_id = p.bot_id and r.charge_id = p.charge_id) as refund_state
    """

  init(_ row: Row) throws {
    id = try row.get("payment_id")
    botID = try row.get("bot_id")
    chargeID = try row.get("charge_id")
    customerID = try row.get("customer_id")
    checkoutID = try row.getIfPresent("checkout_id")
    state = State(rawValue: try row.get("state")) ?? .unmatched
    stars = try row.get("stars")
    sku = try row.getIfPresent("sku")
    title = try row.getIfPresent("title")
    credits = try row.get("credits")
    bonusCredits = try row.get("bonus_credits")
    isRecurring = try row.get("is_recurring")
    product = Checkout.Product(rawValue: try row.get("product")) ?? .pack
    subscriptionID = try row.getIfPresent("subscription_id")
    review = try row.getIfPresent("review")
    source = Source(rawValue: try row.get("source")) ?? .update
    paidAt = try row.get("paid_at")
    refundedAt = try row.getIfPresent("refunded_at")
    refundState = try row.getIfPresent("refund_state", as: String.self)
      .flatMap(Refund.State.init(rawValue:))
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Payment? {
    try await pool.query(
      """
      select \(columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and p.payment_id = \(id)
      """, in: scope
    ).first.map(Payment.init)
  }

  /// A customer's payments, newest first.
  ///
  /// - Parameter from: Only those paid or refunded from then on and before `until`.
  public static func of(
    customer id: Int64, from: Date = .distantPast, until: Date = .distantFuture,
    limit: Int = 200, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Payment] {
    try await pool.query(
      """
      select \(columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and customer_id = \(id)
        and coalesce(refunded_at, paid_at) >= \(from) and paid_at < \(until)
      order by paid_at desc, payment_id desc limit \(limit)
      """, in: scope
    ).map(Payment.init)
  }

  public static func find(
    botID: Int64, chargeID: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Payment? {
    guard chargeID.utf8.count <= 2048, !chargeID.contains("\0") else { return nil }
    return try await pool.query(
      """
      select \(columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and bot_id = \(botID)
        and charge_id = \(chargeID)
      """, in: scope
    ).first.map(Payment.init)
  }

  /// The lots that the charge made and what is left of each.
  public func lots(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Balance.Lot] {
    try await pool.query(
      """
      select l.account_id, l.unit, l.lot_id, l.source, l.amount,
        coalesce(o.amount_left, 0) as amount_left, l.expires_at, l.bot_id, l.charge_id, e.created_at
      from lots l
      join entries e on e.workspace_id = l.workspace_id and e.account_id = l.account_id
        and e.unit = l.unit and e.version = l.lot_id
      left join open_lots o on o.workspace_id = l.workspace_id and o.account_id = l.account_id
        and o.unit = l.unit and o.lot_id = l.lot_id
      where l.workspace_id = \(scope.workspaceID) and l.bot_id = \(botID)
        and l.charge_id = \(chargeID)
      order by l.lot_id
      """, in: scope
    ).map(Balance.Lot.init)
  }

  public func checkout(in scope: WorkspaceScope, _ pool: Pool) async throws -> Checkout? {
    guard let checkoutID else { return nil }
    return try await Checkout.find(id: checkoutID, in: scope, pool)
  }
}
