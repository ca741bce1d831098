import Foundation
import Ledger
import Postgres

extension Transaction {
  /// Posts what a payment bought and the ledger lacks, under the keys that it would have had.
  ///
  /// - Returns: Whether it was lacking until now.
  func creditAgain(
    _ mismatch: Mismatch, _ bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    try await lockCharge(bot.id, mismatch.transactionID)
    guard let payment = try await payment(of: mismatch.charge, in: scope),
      payment.state == .credited, let id = payment.checkoutID,
      let checkout = try await query(
        """
        select * from checkouts where workspace_id = \(scope.workspaceID) and checkout_id = \(id)
        """
      ).first.map(Checkout.init)
    else { throw MismatchRefusal.notFixable }
    try await lockCustomer(payment.customerID, in: scope)
    return switch checkout.product {
    case .pack: try await creditPack(payment, checkout, in: scope, at: at)
    case .plan: try await creditPlan(payment, checkout, mismatch, in: scope, at: at)
    }
  }

  private func creditPack(
    _ payment: Payment, _ checkout: Checkout, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let expiresAt = checkout.creditsValidDays.map { at.addingTimeInterval(Double($0) * 86_400) }
    let account = Account(payment.customerID, unit: checkout.creditUnit)
    let key = "charge:\(payment.botID):\(payment.chargeID)"
    var grants: [(grant: Grant, key: String)] = [
      (
        Grant(
          checkout.credits, source: .payment, charge: payment.charge, isPaid: true,
          expiresAt: expiresAt, stars: checkout.stars), "\(key):paid"
      )
    ]
    if checkout.bonusCredits > 0 {
      let bonus = Grant(
        checkout.bonusCredits, source: .bonus, charge: payment.charge, expiresAt: expiresAt)
      grants.append((bonus, "\(key):bonus"))
    }
    var isNew = false
    for (grant, key) in grants {
      let answer = try await credit(grant, to: account, key: key, in: scope, at: at)
      guard [.applied, .replayed].contains(answer.status) else {
        throw PaymentProblem.posting(grant.source.rawValue, answer.status)
      }
      isNew = isNew || answer.status == .applied
    }
    return isNew
  }

  /// A cycle whose payment is part of no subscription yet is booked as the payment is; of one that
  /// is, the credits alone are missing.
  private func creditPlan(
    _ payment: Payment, _ checkout: Checkout, _ mismatch: Mismatch, in scope: WorkspaceScope,
    at: Date
  ) async throws -> Bool {
    let isCredited = try await !query(
      """
      select from lots where workspace_id = \(scope.workspaceID) and bot_id = \(payment.botID)
        and charge_id = \(payment.chargeID) limit 1
      """
    ).isEmpty
    guard !isCredited else { return false }
    guard let id = payment.subscriptionID else {
      let charge = try await reportedCharge(of: mismatch, in: scope)
      let sale = PlanSale(
        charge, checkout,
        try await subscriptions(of: checkout.id, customer: payment.customerID, in: scope))
      try await payPlan(payment, charge, sale, checkout, isCredited: true, in: scope, at: at)
      return true
    }
    let cycle = try await query(
      """
      select ends_at from subscription_cycles where workspace_id = \(scope.workspaceID)
        and subscription_id = \(id) and cycle = \(payment.chargeID)
      """
    ).first
    guard let cycle, let subscription = try await subscription(id, in: scope) else {
      throw MismatchRefusal.notFixable
    }
    try await creditCycle(
      payment, subscription, until: try cycle.get("ends_at"), checkout, in: scope, at: at)
    try await carryOver(
      payment, subscription, cap: subscription.rolloverCapCredits, in: scope, at: at)
    return true
  }
}
