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
