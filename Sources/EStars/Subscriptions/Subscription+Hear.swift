import Foundation
import Ledger
import Postgres
import Telegram

/// Telegram's word that a subscription's renewal has changed.
struct ReportedRenewal: Sendable {
  let telegramID: Int64
  let payload: String
  let state: BotSubscriptionUpdated.State
}

/// Why word of a subscription cannot be taken yet: its first payment has not arrived. It stays in
/// the inbox and is tried again.
struct UnknownSubscription: Error {}

extension Transaction {
  /// - Throws: ``UnknownSubscription``
  func hear(
    _ update: ReportedRenewal, updateID: Int64, _ bot: Bot, _ secrets: Secrets,
    in scope: WorkspaceScope, at: Date
  ) async throws -> PaymentOutcome {
    func outcome(_ kind: PaymentOutcome.Kind) -> PaymentOutcome {
      PaymentOutcome(kind: kind, paymentID: nil)
    }
    guard let payload = try? InvoicePayload(update.payload, in: scope, secrets) else {
      return outcome(.subscriptionUnmatched)
    }
    let customer = try await query(
      """
      select customer_id from customers
      where workspace_id = \(scope.workspaceID) and telegram_id = \(update.telegramID)
      """
    ).first?.get("customer_id", as: Int64.self)
    guard let customer else { throw UnknownSubscription() }
    try await lockCustomer(customer, in: scope)
    let known = try await subscriptions(of: payload.checkoutID, customer: customer, in: scope)
      .map(\.0)
    guard let subscription = known.first(where: { $0.state.isRunning }) ?? known.first else {
      throw UnknownSubscription()
    }
    guard subscription.counts(updateID, at: at),
      // What we stopped nobody else can switch on: such word is older than our call. It is newer
      // where we have asked since to let it go on, and wait for the answer.
      !(update.state == .active && subscription.staysStopped)
    else { return outcome(.subscriptionStale) }
    try await stamp(updateID, subscription, in: scope, at: at)
    switch update.state {
    case .canceled: try await hearCanceled(subscription, in: scope, at: at)
    case .active: try await hearActive(subscription, in: scope, at: at)
    case .failed: try await hearFailed(subscription, in: scope, at: at)
    default: return outcome(.subscriptionUnmatched)
    }
    try await settle(subscription.id, in: scope, at: at)
    return outcome(.subscriptionRecorded)
  }

  private func stamp(
    _ updateID: Int64?, _ subscription: Subscription, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      update subscriptions set last_update_id = coalesce(\(updateID)::bigint, last_update_id),
        last_update_at = \(at)
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
      """)
  }

  private func hearCanceled(
    _ subscription: Subscription, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard [.on, .failed, .allowed].contains(subscription.renewal) else { return }
    let isOurs = subscription.wish == .cancel
    try await endRenewal(
      subscription, by: isOurs ? subscription.wishBy ?? "user" : "user", in: scope, at: at)
  }

  /// The renewal is over, by Telegram's own word or its answer to ours.
  func endRenewal(
    _ subscription: Subscription, by: String, in scope: WorkspaceScope, at: Date
  ) async throws {
    let cause = Subscription.Cause(rawValue: by) ?? .operator
    try await execute(
      """
      update subscriptions set renewal = 'off', renewal_ended_by = \(cause.rawValue),
        renewal_wish = case when renewal_wish = 'allow' then renewal_wish end,
        renewal_wish_by = case when renewal_wish = 'allow' then renewal_wish_by end,
        renewal_wish_at = case when renewal_wish = 'allow' then renewal_wish_at end,
        renewal_error = null
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
      """)
    let isByItself = [.upgrade, .downgrade, .refund].contains(cause)
    try await note(
      .cancel, of: subscription, by: isByItself ? "job" : by,
      reason: isByItself ? cause.rawValue : "", in: scope, at: at)
    try await emit(.subscriptionCanceled, subscription.id, in: scope, at: at)
  }

  private func hearActive(
    _ subscription: Subscription, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard subscription.renewal != .on else { return }
    try await writeOn(subscription, in: scope)
    try await note(.reenable, of: subscription, by: "user", in: scope, at: at)
    try await emit(.subscriptionReenabled, subscription.id, in: scope, at: at)
    if subscription.state == .replaced {
      try await ask(.cancel, of: subscription.id, by: .upgrade, in: scope, at: at)
    }
  }

  /// A downgrade that was to come is off the table, too.
  private func writeOn(
    _ subscription: Subscription, in scope: WorkspaceScope
  ) async throws {
    try await execute(
      """
      update subscriptions set renewal = 'on', renewal_ended_by = null, next_plan = null,
        renewal_wish = case when renewal_wish = 'cancel' then renewal_wish end,
        renewal_wish_by = case when renewal_wish = 'cancel' then renewal_wish_by end,
        renewal_wish_at = case when renewal_wish = 'cancel' then renewal_wish_at end,
        renewal_error = null
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
      """)
  }

  private func hearFailed(
    _ subscription: Subscription, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard subscription.renewal == .on else { return }
    try await execute(
      """
      update subscriptions set renewal = 'failed'
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
      """)
    try await note(.fail, of: subscription, by: "telegram", in: scope, at: at)
    try await emit(.subscriptionFailed, subscription.id, in: scope, at: at)
  }

  /// A payment says that the renewal is on, as of its place among the updates.
  func hearPayment(
    _ charge: ReportedCharge, _ subscription: Subscription, in scope: WorkspaceScope, at: Date
  ) async throws {
    let counts =
      if let updateID = charge.updateID { subscription.counts(updateID, at: at) } else {
        subscription.lastUpdateAt.map { charge.paidAt > $0 } ?? true
      }
    guard counts else { return }
    try await stamp(charge.updateID, subscription, in: scope, at: at)
    guard subscription.renewal != .on, !subscription.staysStopped else { return }
    try await writeOn(subscription, in: scope)
  }
}

extension Subscription {
  fileprivate var staysStopped: Bool { isStoppedByUs && wish != .allow }

  /// Whether an update is newer than all that counted so far. Telegram numbers a bot's updates one
  /// after the other and begins anew only after a week without any.
  func counts(_ updateID: Int64, at: Date) -> Bool {
    guard let lastUpdateID, let lastUpdateAt else { return true }
    return at.timeIntervalSince(lastUpdateAt) > Double(Limits.updateSeconds)
      || updateID > lastUpdateID
  }
}
