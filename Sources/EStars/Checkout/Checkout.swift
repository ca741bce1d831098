import Foundation
import Ledger
import Postgres

/// An invoice that a customer may pay. It keeps a copy of the pack or plan as it was sold, and every
/// step it took is a row of `checkout_transitions`.
public struct Checkout: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    /// Nobody has begun to pay it.
    case pending
    /// Telegram asked whether it may be paid, and it may.
    case validating
    /// It is paid, and what was bought is being booked.
    case processing
    case completed
    /// Telegram asked whether it may be paid, and it may not; the buyer may try again.
    case rejected
    /// It is paid, and what was bought could not be booked yet.
    case failed
    case cancelled
    case expired

    /// Nothing was paid, and it may still be.
    public var isOpen: Bool { [.pending, .validating, .rejected].contains(self) }
  }

  public enum Product: String, Sendable { case pack, plan }

  /// How the invoice gets to its buyer.
  public enum Delivery: String, Sendable {
    /// Whoever passes it on.
    case link
    /// A message of the bot in the buyer's chat.
    case chat
  }

  public let id: Int64
  public let botID: Int64
  public let customerID: Int64
  public let product: Product
  /// Of the pack, or the plan.
  public let sku: String
  public let state: State
  /// Why it is in its state: a code.
  public let stateReason: String
  public let stateAt: Date
  public let title: String
  public let description: String
  public let creditUnit: Int16
  public let credits: Int64
  public let bonusCredits: Int64
  public let stars: Int64
  public let creditsValidDays: Int?
  /// Of a plan: Telegram renews it every so many seconds.
  public let periodSeconds: Int?
  /// Of a pack that was sold cheaper; `stars` is what it costs with it.
  public let discountPercent: Int
  public let delivery: Delivery
  /// The bot, the operator or the job that asked for it.
  public let openedBy: String
  /// Of the invoice in the chat; nil until Telegram has said that it is there.
  public let messageID: Int64?
  /// Sendings into the chat whose outcome Telegram never told.
  let sendAttempts: Int
  /// When a pre-checkout was accepted last.
  public let acceptedAt: Date?
  public let resume: String?
  public let fingerprint: Int64
  public let payload: String?
  public let invoiceLink: String?
  public let createdAt: Date
  public let expiresAt: Date

  init(_ row: Row) throws {
    id = try row.get("checkout_id")
    botID = try row.get("bot_id")
    customerID = try row.get("customer_id")
    product = Product(rawValue: try row.get("product")) ?? .pack
    sku = try row.get("sku")
    state = State(rawValue: try row.get("state")) ?? .cancelled
    stateReason = try row.get("state_reason")
    stateAt = try row.get("state_at")
    title = try row.get("title")
    description = try row.get("description")
    creditUnit = try row.get("credit_unit")
    credits = try row.get("credits")
    bonusCredits = try row.get("bonus_credits")
    stars = try row.get("stars")
    creditsValidDays = try row.getIfPresent("credits_valid_days")
    periodSeconds = try row.getIfPresent("period_seconds")
    discountPercent = try row.get("discount_percent")
    delivery = Delivery(rawValue: try row.get("delivery")) ?? .link
    openedBy = try row.get("opened_by")
    messageID = try row.getIfPresent("message_id")
    sendAttempts = try row.get("send_attempts")
    acceptedAt = try row.getIfPresent("accepted_at")
    resume = try row.getIfPresent("resume")
    fingerprint = try row.get("fingerprint")
    payload = try row.getIfPresent("payload")
    invoiceLink = try row.getIfPresent("invoice_link")
    createdAt = try row.get("created_at")
    expiresAt = try row.get("expires_at")
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Checkout? {
    try await pool.query(
      "select * from checkouts where workspace_id = \(scope.workspaceID) and checkout_id = \(id)",
      in: scope
    ).first.map(Checkout.init)
  }
}

extension Checkout {
  /// Closes what is open and over its time, and forgets old questions of Telegram.
  static func expireDue(in scope: WorkspaceScope, _ pool: Pool) async throws {
    var closed = Int64(Limits.checkoutsAtOnce)
    while closed == Int64(Limits.checkoutsAtOnce) {
      closed = try await pool.query(
        """
        select checkouts_expire(\(scope.workspaceID), \(Limits.checkoutsAtOnce), \(scope.now)) as n
        """, in: scope)[0].get("n")
    }
    try await pool.execute(
      """
      delete from pre_checkout_queries where workspace_id = \(scope.workspaceID)
        and at < \(scope.now.addingTimeInterval(-Limits.preCheckoutQuerySeconds))
      """, in: scope)
  }
}

extension Transaction {
  /// Moves a checkout on. Postgres writes the step down and refuses one that there is not.
  func step(
    _ checkout: Checkout, to state: Checkout.State, _ reason: String, in scope: WorkspaceScope,
    at: Date
  ) async throws {
    try await execute(
      """
      update checkouts set state = \(state.rawValue), state_reason = \(reason), state_at = \(at)
      where workspace_id = \(scope.workspaceID) and checkout_id = \(checkout.id)
      """)
  }
}
