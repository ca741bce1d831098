import Foundation
import Ledger
import Postgres

/// What putting a mismatch right would do, for whoever is to decide.
public enum MismatchEffect: Sendable, Equatable {
  /// - Parameter balance: Credits free to spend now.
  case credits(Int64, balance: Int64)
  /// A subscription begins or goes on.
  case plan
  /// The payment is none of our checkouts': it is recorded and credits nothing.
  case unmatched
  /// Credits are taken back; a negative change.
  case refund(change: Int64, balance: Int64)
  /// The payment of this refund is not known.
  case refundUnpaid
  /// The entry that the ledger lacks.
  case posting(Int64, balance: Int64)
}

extension Mismatch {
  /// nil: it is closed, or there is nothing to do but to look into it.
  public func effect(
    in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> MismatchEffect? {
    guard state == .open, kind.canBeFixed else { return nil }
    let pool = platform.pool
    let payment = try await Payment.find(
      botID: botID, chargeID: transactionID, in: scope, pool)
    if direction == .outgoing {
      guard let payment, payment.state != .refunded || kind == .creditsMissing else {
        return .refundUnpaid
      }
      let preview = try await RefundPreview.of(payment, in: scope, pool)
      return .refund(
        change: preview.balanceAfter - preview.balanceBefore, balance: preview.balanceBefore)
    }
    if kind == .creditsMissing {
      let bought = payment.map { $0.credits + $0.bonusCredits } ?? 0
      var unit: Int16 = 1
      if let id = payment?.checkoutID, let sale = try await Checkout.find(id: id, in: scope, pool) {
        unit = sale.creditUnit
      }
      return .posting(
        bought, balance: try await available(payment?.customerID, unit, in: scope, pool))
    }
    let line = try await pool.query(
      """
      select t.invoice_payload, c.customer_id from star_transactions t
      left join customers c on c.workspace_id = t.workspace_id and c.telegram_id = t.telegram_id
      where t.workspace_id = \(scope.workspaceID) and t.bot_id = \(botID)
        and t.transaction_id = \(transactionID) and t.direction = 'incoming'
      """, in: scope
    ).first
    guard let text = try line?.getIfPresent("invoice_payload", as: String.self),
      let payload = try? InvoicePayload(text, in: scope, platform.secrets),
      let checkout = try await Checkout.find(id: payload.checkoutID, in: scope, pool)
    else { return .unmatched }
    guard checkout.product == .pack else { return .plan }
    let payer = try line?.getIfPresent("customer_id", as: Int64.self)
    return .credits(
      checkout.credits + checkout.bonusCredits,
      balance: try await available(payer, checkout.creditUnit, in: scope, pool))
  }

  private func available(
    _ customer: Int64?, _ unit: Int16, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64 {
    guard let customer else { return 0 }
    return try await Balance.of(customer: customer, unit: unit, in: scope, pool).available
  }
}
