import Foundation
import Ledger
import Postgres
import Telegram

/// A charge as Telegram reported it, together with who reported it.
struct ReportedCharge: Sendable {
  let payment: SuccessfulPayment
  let buyerTelegramID: Int64
  /// nil: it was reported without a name.
  let buyerName: CustomerName?
  let paidAt: Date
  var source = Payment.Source.update
  /// Of the update that told of it, which says what came before and what after; nil where there
  /// was none.
  var updateID: Int64?
}

/// What became of a payment or refund that arrived.
public struct PaymentOutcome: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case credited = "payment.credited"
    case unmatched = "payment.unmatched"
    case refundedBefore = "payment.refunded_before"
    case duplicate = "payment.duplicate"
    case refunded = "refund.recorded"
    case refundDuplicate = "refund.duplicate"
    case subscriptionRecorded = "subscription.recorded"
    /// Word of a subscription's renewal that is older than what was heard of it before.
    case subscriptionStale = "subscription.stale"
    case subscriptionUnmatched = "subscription.unmatched"
    case supportOpened = "support.opened"
    /// A buyer's words are in the support case that goes on.
    case supportJoined = "support.joined"
  }

  public let kind: Kind
  public let paymentID: Int64?

  var isDuplicate: Bool { [.duplicate, .refundDuplicate, .subscriptionStale].contains(kind) }
}

extension Transaction {
  /// Only one transaction at a time decides about a charge: its payment and its refund may arrive
  /// together, in any order, several times.
  func lockCharge(_ botID: Int64, _ chargeID: String) async throws {
    try await execute(
      "select pg_advisory_xact_lock(hashtextextended(\(chargeID), \(botID)))")
  }

  /// Records a successful payment: payment, lots, access, checkout and audit, or none of them.
  /// A genuine payment always credits its payer, whatever became of the checkout meanwhile;
  /// pre-checkout is where buyers, prices and expired invoices are refused.
  func recordPayment(
    _ charge: ReportedCharge, to bot: Bot, _ secrets: Secrets, in scope: WorkspaceScope, at: Date
  ) async throws -> PaymentOutcome {
    let chargeID = charge.payment.telegramPaymentChargeID
    try await lockCharge(bot.id, chargeID)
    if let known = try await query(
      """
      select payment_id from payments where workspace_id = \(scope.workspaceID)
        and bot_id = \(bot.id) and charge_id = \(chargeID)
      """
    ).first {
      return PaymentOutcome(kind: .duplicate, paymentID: try known.get("payment_id"))
    }
    let customer = try await customer(
      telegramID: charge.buyerTelegramID, name: charge.buyerName, in: scope, at: at)
    // A name that came along has taken the row already.
    if charge.buyerName == nil { try await lockCustomer(customer.id, in: scope) }
    let checkout = try await checkout(of: charge.payment, secrets, in: scope)
    let refund = try await refund(of: Charge(botID: bot.id, chargeID: chargeID), in: scope)
    if let refund, refund.customerID == nil {
      try await execute(
        """
        update refunds set customer_id = \(customer.id)
        where workspace_id = \(scope.workspaceID) and refund_id = \(refund.id)
        """)
    }
    if let refund { try await closeConcerns(about: refund, in: scope, at: at) }
    let refundedAt = refund?.refundedAt
    let state: Payment.State =
      refundedAt != nil ? .refunded : checkout != nil ? .credited : .unmatched
    var sale: PlanSale?
    if let checkout, checkout.product == .plan {
      sale = try await planSale(charge, of: checkout, by: customer, to: bot, in: scope)
    }
    let review = try await review(of: charge.payment, by: customer, for: checkout, in: scope)
    let payment = try await insertPayment(
      charge, bot, customer, checkout, state, review, refundedAt, in: scope, at: at)
    if let checkout, checkout.state != .completed {
      if checkout.state != .processing {
        try await step(checkout, to: .processing, checkout.state.paidReason, in: scope, at: at)
      }
      try await step(
        checkout, to: .completed, state == .credited ? "credited" : "refunded_before", in: scope,
        at: at)
    }
    if let checkout, let sale {
      try await payPlan(
        payment, charge, sale, checkout, isCredited: state == .credited, in: scope, at: at)
    } else if state == .credited, let checkout {
      try await creditPayment(chargeID, bot, customer, checkout, in: scope, at: at)
    }
    if state == .credited, let checkout {
      try await emitCompleted(payment, checkout, in: scope, at: at)
    }
    if state == .credited {
      if bot.sendsReceipts { try await sayReceipt(of: payment.id, in: scope, at: at) }
      try await recoverCart(by: payment, in: scope, at: at)
    }
    if checkout != nil {
      try await execute(
        """
        update customers set has_purchased = true
        where workspace_id = \(scope.workspaceID) and customer_id = \(customer.id)
          and not has_purchased
        """)
    }
    try await audit(
      Actor(.telegram, "@\(bot.username)"), "payment.\(state.rawValue)", "payment",
      String(payment.id),
      after: ["stars": String(charge.payment.totalAmount), "sku": checkout?.sku ?? ""],
      in: scope, at: at)
    if review == "second_payment", state == .credited {
      let (refund, _) = try await requestRefund(
        payment, source: .secondPayment, reason: .doublePayment, note: "",
        by: Actor(.system, "eStars"), in: scope, at: at)
      try await bringUp(
        .secondPayment(stars: payment.stars), customerID: customer.id, payment: payment,
        refund: refund, in: scope, at: at)
    }
    let kinds: [Payment.State: PaymentOutcome.Kind] = [
      .credited: .credited, .unmatched: .unmatched, .refunded: .refundedBefore,
    ]
    return PaymentOutcome(kind: kinds[state] ?? .unmatched, paymentID: payment.id)
  }

  /// The checkout that the payload names, locked; nil when the payload is not this workspace's.
  private func checkout(
    of payment: SuccessfulPayment, _ secrets: Secrets, in scope: WorkspaceScope
  ) async throws -> Checkout? {
    guard let payload = try? InvoicePayload(payment.invoicePayload, in: scope, secrets)
    else { return nil }
    return try await query(
      """
      select * from checkouts where workspace_id = \(scope.workspaceID)
        and checkout_id = \(payload.checkoutID) for update
      """
    ).first.map(Checkout.init)
  }

  private func insertPayment(
    _ charge: ReportedCharge, _ bot: Bot, _ customer: Customer, _ checkout: Checkout?,
    _ state: Payment.State, _ review: String?, _ refundedAt: Date?, in scope: WorkspaceScope,
    at: Date
  ) async throws -> Payment {
    let payment = charge.payment
    let credits = state == .credited ? checkout?.credits ?? 0 : 0
    let bonus = state == .credited ? checkout?.bonusCredits ?? 0 : 0
    return try await query(
      """
      insert into payments (workspace_id, bot_id, charge_id, provider_charge_id, customer_id,
        checkout_id, state, stars, sku, title, credits, bonus_credits, is_recurring,
        is_first_recurring, product, invoice_payload, review, paid_at, recorded_at, refunded_at,
        source)
      values (\(scope.workspaceID), \(bot.id), \(payment.telegramPaymentChargeID),
        \(payment.providerPaymentChargeID?.replacing("\0", with: "")), \(customer.id), \(checkout?.id), \(state.rawValue),
        \(payment.totalAmount), \(checkout?.sku), \(checkout?.title), \(credits), \(bonus),
        \(payment.isRecurring ?? false), \(payment.isFirstRecurring ?? false),
        \((checkout?.product ?? .pack).rawValue),
        \(payment.invoicePayload.replacing("\0", with: "")),
        \(review), \(charge.paidAt),
        \(at), \(refundedAt), \(charge.source.rawValue))
      returning *, null as refund_state
      """
    ).map(Payment.init)[0]
  }

  /// Why a person should look at a payment; nil = everything is as it was sold.
  private func review(
    of payment: SuccessfulPayment, by customer: Customer, for checkout: Checkout?,
    in scope: WorkspaceScope
  ) async throws -> String? {
    guard let checkout else { return "unknown_payload" }
    if try await isPaidAlready(checkout, payment, in: scope) { return "second_payment" }
    if checkout.customerID != customer.id { return "buyer_differs" }
    return checkout.stars == payment.totalAmount ? nil : "amount_differs"
  }

  /// Whether somebody has paid the checkout before. Renewals of a subscription repeat what its first
  /// payment bought, and may arrive before that one.
  private func isPaidAlready(
    _ checkout: Checkout, _ payment: SuccessfulPayment, in scope: WorkspaceScope
  ) async throws -> Bool {
    guard checkout.state == .completed else { return false }
    guard payment.isRecurring ?? false else { return true }
    guard payment.isFirstRecurring ?? false else { return false }
    return try await !query(
      """
      select from payments where workspace_id = \(scope.workspaceID)
        and checkout_id = \(checkout.id) and is_first_recurring limit 1
      """
    ).isEmpty
  }

  /// The paid lot, the bonus lot and the access that a charge bought.
  private func creditPayment(
    _ chargeID: String, _ bot: Bot, _ customer: Customer, _ checkout: Checkout,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let expiresAt = checkout.creditsValidDays.map { at.addingTimeInterval(Double($0) * 86_400) }
    let charge = Charge(botID: bot.id, chargeID: chargeID)
    let account = Account(customer.id, unit: checkout.creditUnit)
    let paid = try await credit(
      Grant(
        checkout.credits, source: .payment, charge: charge, isPaid: true, expiresAt: expiresAt,
        stars: checkout.stars),
      to: account, key: "charge:\(bot.id):\(chargeID):paid", in: scope, at: at)
    guard paid.status == .applied else { throw PaymentProblem.posting("paid", paid.status) }
    if checkout.bonusCredits > 0 {
      let bonus = try await credit(
        Grant(checkout.bonusCredits, source: .bonus, charge: charge, expiresAt: expiresAt),
        to: account, key: "charge:\(bot.id):\(chargeID):bonus", in: scope, at: at)
      guard bonus.status == .applied else { throw PaymentProblem.posting("bonus", bonus.status) }
    }
    let terms = try await query(
      """
      select entitlement, days from checkout_entitlements
      where workspace_id = \(scope.workspaceID) and checkout_id = \(checkout.id)
      order by entitlement
      """)
    for term in terms {
      try await grantAccess(
        term.get("entitlement"), days: term.getIfPresent("days"), customerID: customer.id,
        botID: bot.id, chargeID: chargeID, in: scope, at: at)
    }
  }
}

extension Checkout.State {
  /// Why a checkout in this state goes on to be booked.
  var paidReason: String {
    switch self {
    case .cancelled, .expired: "paid_late"
    case .failed: "tried_again"
    default: "paid"
    }
  }
}

/// The ledger did not take what a charge bought. The update stays in the inbox and is tried again.
struct PaymentProblem: Error, CustomStringConvertible {
  let description: String

  static func posting(_ lot: String, _ status: PostingStatus) -> PaymentProblem {
    PaymentProblem(description: "the \(lot) lot was answered \(status.rawValue)")
  }
}
