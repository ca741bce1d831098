import Foundation
import Ledger
import Postgres
import Telegram

/// Carries to Telegram what subscriptions are to become. The call sets a switch, so that it may be
/// repeated as often as it takes; what it set counts only when Telegram has said so.
struct SubscriptionCall: Sendable {
  private let platform: Platform

  init(platform: Platform) { self.platform = platform }

  /// - Parameter attempts: How often the job was tried, this time included.
  func edit(_ id: Int64, attempts: Int, in scope: WorkspaceScope) async throws -> Job.Outcome {
    guard let subscription = try await Subscription.find(id: id, in: scope, platform.pool),
      let wish = subscription.wish
    else { return .done }
    guard let chargeID = subscription.firstChargeID,
      let bot = try await platform.directory.bot(subscription.botID),
      let customer = try await Customer.find(
        id: subscription.customerID, in: scope, platform.pool)
    else {
      try await note("estars:no_charge", subscription, in: scope)
      return .done
    }
    let later = Job.Outcome.again(
      after: attempts, longest: Limits.subscriptionPauseSeconds)
    do {
      var client = try platform.telegram(for: bot)
      client.options.timeout = .seconds(Limits.subscriptionCallSeconds)
      try await client.editUserStarSubscription(
        userID: customer.telegramID, chargeID: chargeID, isCanceled: wish == .cancel)
    } catch is Secrets.Problem {
      try await note("estars:token", subscription, in: scope)
      return later
    } catch let error as TelegramError {
      switch error {
      case .api(_, _, let seconds) where error.isTransient:
        try await note(error.shortText, subscription, in: scope)
        if let seconds { return .again(seconds: Double(seconds)) }
        return later
      case .api where !error.isUnauthorized:
        try await giveUp(subscription, error, in: scope)
        return .done
      case .api, .unknownOutcome, .notSent:
        try await note(error.shortText, subscription, in: scope)
        return later
      }
    }
    try await confirm(subscription, in: scope)
    return .done
  }

  private func note(
    _ problem: String, _ subscription: Subscription, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.execute(
      """
      update subscriptions set renewal_error = \(problem)
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
        and renewal_wish_at = \(subscription.wishAt)
      """, in: scope)
  }

  /// Telegram will not do it, however often it is asked: the page says why, and nothing is shown as
  /// changed.
  private func giveUp(
    _ subscription: Subscription, _ error: TelegramError, in scope: WorkspaceScope
  ) async throws {
    try await platform.pool.transaction(in: scope) { tx in
      let left = try await tx.execute(
        """
        update subscriptions set renewal_wish = null, renewal_wish_by = null,
          renewal_wish_at = null, renewal_error = \(error.shortText)
        where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
          and renewal_wish_at = \(subscription.wishAt)
        """)
      guard left == 1 else { return }
      try await tx.audit(
        Self.actor, "subscription.refused", "subscription", String(subscription.id),
        after: ["asked": subscription.wish?.rawValue ?? ""], reason: error.shortText, in: scope,
        at: scope.now)
    }
  }

  /// A wish that was replaced while Telegram was asked is the next run's.
  private func confirm(_ called: Subscription, in scope: WorkspaceScope) async throws {
    try await platform.pool.transaction(in: scope) { tx in
      guard let subscription = try await tx.lockSubscription(called.id, in: scope),
        let wish = subscription.wish, subscription.wishAt == called.wishAt
      else { return }
      let at = scope.now
      let by = subscription.wishBy ?? Subscription.Cause.operator.rawValue
      switch wish {
      case .cancel: try await tx.endRenewal(subscription, by: by, in: scope, at: at)
      case .allow: try await tx.allowRenewal(subscription, by: by, in: scope, at: at)
      }
      try await tx.audit(
        Self.actor, wish == .cancel ? "subscription.canceled" : "subscription.allowed",
        "subscription", String(subscription.id), after: ["asked_by": by], in: scope, at: at)
      try await tx.settle(subscription.id, in: scope, at: at)
    }
  }

  private static let actor = Actor(.job, Job.Kind.subscriptionEdit.rawValue)
}

extension Transaction {
  fileprivate func allowRenewal(
    _ subscription: Subscription, by: String, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      update subscriptions set renewal_wish = null, renewal_wish_by = null, renewal_wish_at = null,
        renewal_error = null, renewal = case when renewal = 'off' then 'allowed' else renewal end
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
      """)
    guard subscription.renewal == .off else { return }
    try await note(.allow, of: subscription, by: by, in: scope, at: at)
  }
}

extension TelegramError {
  /// What a page shows: Telegram's words, or a code of ours.
  fileprivate var shortText: String {
    switch self {
    case .api(_, let description, _): String(description.prefix(200))
    case .unknownOutcome: "estars:no_answer"
    case .notSent: "estars:not_reached"
    }
  }
}
