import Foundation
import Ledger
import Postgres

/// What a bot is told when a payment was credited.
private struct PaymentCompleted: Encodable {
  let payment: Int64
  let sku: String
  let title: String
  let stars: Int64
  let credits: Int64
  let bonusCredits: Int64
  /// Credits the customer has now.
  let balance: Int64
  /// The note that the bot left with the checkout.
  let resume: String?
}

extension Transaction {
  func emitCompleted(
    _ payment: Payment, _ checkout: Checkout, in scope: WorkspaceScope, at: Date
  ) async throws {
    let balance = try await query(
      """
      select balance from accounts where workspace_id = \(scope.workspaceID)
        and account_id = \(payment.customerID) and unit = \(checkout.creditUnit)
      """
    ).first?.get("balance", as: Int64.self)
    try await emit(
      .paymentCompleted,
      PaymentCompleted(
        payment: payment.id, sku: checkout.sku, title: checkout.title, stars: payment.stars,
        credits: payment.credits, bonusCredits: payment.bonusCredits, balance: balance ?? 0,
        resume: checkout.resume),
      botID: payment.botID, customerID: payment.customerID, in: scope, at: at)
  }
}
