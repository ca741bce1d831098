import Foundation
import Ledger
import Postgres

/// An invoice that a customer may pay: open → paid or cancelled. It keeps a copy of the pack as it
/// was sold.
public struct Checkout: Sendable, Equatable {
  public enum State: String, Sendable { case open, paid, cancelled }

  public let id: Int64
  public let botID: Int64
  public let customerID: Int64
  public let sku: String
  public let state: State
  public let title: String
  public let description: String
  public let creditUnit: Int16
  public let credits: Int64
  public let bonusCredits: Int64
  public let stars: Int64
  public let creditsValidDays: Int?
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
    sku = try row.get("sku")
    state = State(rawValue: try row.get("state")) ?? .cancelled
    title = try row.get("title")
    description = try row.get("description")
    creditUnit = try row.get("credit_unit")
    credits = try row.get("credits")
    bonusCredits = try row.get("bonus_credits")
    stars = try row.get("stars")
    creditsValidDays = try row.getIfPresent("credits_valid_days")
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
