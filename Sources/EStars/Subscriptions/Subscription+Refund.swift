import Foundation
import Ledger
import Postgres

extension Transaction {
  /// The Stars of a cycle went back: its time is not paid any more, and Telegram is asked not to
  /// renew. The caller holds the customer's row and has taken the credits back.
  func refundCycle(
    _ payment: Payment, refundedAt: Date, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard let id = payment.subscriptionID, let subscription = try await subscription(id, in: scope)
    else { return }
    let cut = try await execute(
      """
      update subscription_cycles set refunded_at = \(refundedAt)
      where workspace_id = \(scope.workspaceID) and subscription_id = \(id)
        and cycle = \(payment.chargeID) and refunded_at is null
      """)
    guard cut == 1 else { return }
    try await note(
      .refund, of: subscription, by: "telegram", chargeID: payment.chargeID, in: scope, at: at)
    try await ask(.cancel, of: id, by: .refund, in: scope, at: at)
    try await settle(id, in: scope, at: at)
  }
}
