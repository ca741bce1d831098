import Foundation
import Ledger
import Postgres
import Telegram

extension Transaction {
  func payment(of charge: Charge, in scope: WorkspaceScope) async throws -> Payment? {
    try await query(
      """
      select \(Payment.columns) from payments p where p.workspace_id = \(scope.workspaceID)
        and p.bot_id = \(charge.botID) and p.charge_id = \(charge.chargeID)
      """
    ).first.map(Payment.init)
  }

  /// Records what Telegram reported: the Stars of a charge went back. A case that there is settles
  /// with it; else one opens and settles at once. A refund that arrives before its payment is kept
  /// for it.
  func recordRefund(
    _ refund: RefundedPayment, payerTelegramID: Int64?, refundedAt: Date, by bot: Bot,
    in scope: WorkspaceScope, at: Date
  ) async throws -> PaymentOutcome {
    let charge = Charge(botID: bot.id, chargeID: refund.telegramPaymentChargeID)
    try await lockCharge(bot.id, charge.chargeID)
    let payment = try await payment(of: charge, in: scope)
    let known = try await self.refund(of: charge, in: scope)
    if known?.state == .confirmed {
      return PaymentOutcome(kind: .refundDuplicate, paymentID: payment?.id)
    }
    let actor = Actor(.telegram, "@\(bot.username)")
    if let known {
      try await confirm(known, refundedAt: refundedAt, by: actor, in: scope, at: at)
    } else {
      // Before the row that refers to it, so that an erasure does not come in between.
      if let payment { try await lockCustomer(payment.customerID, in: scope) }
      let opened = try await query(
        """
        insert into refunds (workspace_id, bot_id, charge_id, customer_id, stars, source, state,
          reason, refunded_at, opened_at, state_at)
        values (\(scope.workspaceID), \(bot.id), \(charge.chargeID),
          coalesce(\(payment?.customerID)::bigint, (select customer_id from customers
            where workspace_id = \(scope.workspaceID) and telegram_id = \(payerTelegramID))),
          \(refund.totalAmount), 'telegram', 'confirmed', 'refunded_elsewhere', \(refundedAt),
          \(at), \(at))
        returning *
        """)[0]
      try await settle(Refund(opened), payment, by: actor, in: scope, at: at)
    }
    return PaymentOutcome(kind: .refunded, paymentID: payment?.id)
  }

  /// Telegram gave the Stars of this case back. Safe to repeat. A buyer whose refund was approved
  /// here is told, however late it came through.
  func confirm(
    _ refund: Refund, refundedAt: Date, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard refund.state != .confirmed else { return }
    let wasApproved = refund.state.isUnderWay || refund.state == .failed
    let row = try await query(
      """
      update refunds set state = 'confirmed', state_at = \(at), refunded_at = \(refundedAt),
        hold_key = null, last_error = null,
        notice_state = \(wasApproved ? "due" : nil)
      where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
      returning *
      """)[0]
    let payment = try await payment(of: refund.charge, in: scope)
    try await settle(Refund(row), payment, by: actor, in: scope, at: at)
    if wasApproved {
      try await Job.enqueue(.refundSettle, subject: String(refund.id), in: scope, self)
    }
  }

  /// Takes back what the refunded charge gave: credits by the policy, access, the payment's state.
  private func settle(
    _ refund: Refund, _ payment: Payment?, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    var facts = ["stars": String(refund.stars)]
    var taken: Int64?
    if let payment {
      // Customer, then account, as in payments, grants and trials, so that none waits in a circle.
      try await lockCustomer(payment.customerID, in: scope)
      if payment.state == .credited {
        let policy =
          if let approved = refund.debtPolicy { approved } else {
            try await refundDebtPolicy(in: scope)
          }
        facts["debt_policy"] = policy.rawValue
        let clawback = try await clawback(
          refund.charge, key: "refund:\(refund.botID):\(refund.chargeID)", policy: policy,
          in: scope, at: at)
        // A plan without credits has no lots.
        guard clawback.status == .applied || (clawback.status == .unknown && payment.credits == 0)
        else {
          throw PaymentProblem(
            description: "the clawback was answered \(clawback.status.rawValue)")
        }
        taken = clawback.taken ?? 0
        facts["credits_taken"] = String(taken ?? 0)
        facts["credits_used"] = String(clawback.used ?? 0)
      }
      try await execute(
        """
        update payments set state = 'refunded', refunded_at = \(refund.refundedAt)
        where workspace_id = \(scope.workspaceID) and payment_id = \(payment.id)
        """)
      _ = try await endAccess(
        botID: refund.botID, chargeID: refund.chargeID, reason: "refund", in: scope, at: at)
      if refund.source == .telegram, facts["debt_policy"] == DebtPolicy.debt.rawValue,
        let used = facts["credits_used"].flatMap({ Int64($0) }), used > 0
      {
        try await bringUp(
          .refundWithDebt(stars: refund.stars, credits: used), customerID: payment.customerID,
          payment: payment, refund: refund, in: scope, at: at)
      }
      try await refundCycle(payment, refundedAt: refund.refundedAt ?? at, in: scope, at: at)
      try await audit(
        actor, "payment.refunded", "payment", String(payment.id), after: facts, in: scope, at: at)
    }
    if payment == nil, let customerID = refund.customerID {
      try await bringUp(
        .strangeRefund(stars: refund.stars), customerID: customerID, payment: nil, refund: refund,
        in: scope, at: at)
    }
    if refund.source == .secondPayment {
      try await closeConcerns(about: refund, in: scope, at: at)
    }
    try await audit(
      actor, "refund.confirmed", "refund", String(refund.id), after: facts, in: scope, at: at)
    try await emit(
      .refundConfirmed, refund, paymentID: payment?.id, creditsTaken: taken, in: scope, at: at)
  }
}
