import Foundation
import Ledger
import Postgres

extension Subscription {
  /// Asks Telegram not to renew it. It counts as cancelled only when Telegram has confirmed that; one
  /// that is not renewed anyway stays as it is.
  ///
  /// - Parameter actor: An operator or a bot.
  /// - Throws: ``SubscriptionRefusal``
  public static func cancel(
    _ id: Int64, by actor: Actor, reason: String = "", in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Subscription {
    try await pool.transaction(in: scope) { tx in
      try await tx.cancel(id, by: actor, reason: reason, in: scope, at: scope.now)
    }
  }

  /// Asks Telegram to let the customer switch a cancelled renewal on again; that is up to the
  /// customer then. A downgrade that was to come is forgotten.
  ///
  /// - Throws: ``SubscriptionRefusal``
  public static func allow(
    _ id: Int64, by actor: Actor, reason: String = "", in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Subscription {
    try await pool.transaction(in: scope) { tx in
      try await tx.allow(id, by: actor, reason: reason, in: scope, at: scope.now)
    }
  }

  /// Makes a plan that costs less, or the free one, follow when the period is over. Nobody is charged
  /// by it: Telegram is asked not to renew, and the customer gets a link to pay, three days before
  /// the end and on the last day.
  ///
  /// - Throws: ``SubscriptionRefusal``
  public static func downgrade(
    _ id: Int64, to plan: String, by actor: Actor, reason: String = "", in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> Subscription {
    try await pool.transaction(in: scope) { tx in
      try await tx.downgrade(
        id, to: plan, by: actor, reason: reason, in: scope, at: scope.now)
    }
  }
}

extension Actor {
  /// What is written beside a wish: an operator by name, a bot as such.
  fileprivate var wisher: String {
    kind == .operator ? name : Subscription.Cause.bot.rawValue
  }
}

extension Transaction {
  func cancel(
    _ id: Int64, by actor: Actor, reason: String = "", in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    let subscription = try await renewable(id, in: scope)
    try await ask(.cancel, of: id, by: actor.wisher, in: scope, at: at)
    return try await asked(
      "subscription.cancellation", subscription, by: actor, reason: reason, in: scope, at: at)
  }

  func allow(
    _ id: Int64, by actor: Actor, reason: String = "", in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    let subscription = try await renewable(id, in: scope)
    try await ask(.allow, of: id, by: actor.wisher, in: scope, at: at)
    try await execute(
      """
      update subscriptions set next_plan = null
      where workspace_id = \(scope.workspaceID) and subscription_id = \(id)
      """)
    return try await asked(
      "subscription.reactivation", subscription, by: actor, reason: reason, in: scope, at: at)
  }

  func downgrade(
    _ id: Int64, to plan: String, by actor: Actor, reason: String = "", in scope: WorkspaceScope,
    at: Date
  ) async throws -> Subscription {
    let subscription = try await renewable(id, in: scope)
    guard let next = try await self.plan(plan, in: scope), !next.isWithdrawn, next.kind != .custom
    else { throw SubscriptionRefusal.unknownPlan }
    guard next.key != subscription.plan, (next.stars ?? 0) < subscription.stars else {
      throw SubscriptionRefusal.notLower
    }
    guard subscription.nextPlan != plan else { return subscription }
    try await execute(
      """
      update subscriptions set next_plan = \(plan)
      where workspace_id = \(scope.workspaceID) and subscription_id = \(id)
      """)
    try await note(
      .downgrade, of: subscription, by: actor.wisher, from: subscription.plan, to: plan,
      reason: "asked", in: scope, at: at)
    try await ask(.cancel, of: id, by: .downgrade, in: scope, at: at)
    return try await asked(
      "subscription.downgrade", subscription, by: actor, reason: reason, in: scope, at: at)
  }

  fileprivate func renewable(
    _ id: Int64, in scope: WorkspaceScope
  ) async throws -> Subscription {
    guard let subscription = try await lockSubscription(id, in: scope) else {
      throw SubscriptionRefusal.notFound
    }
    guard subscription.isRecurring, subscription.state.isRunning else {
      throw SubscriptionRefusal.notRenewable
    }
    return subscription
  }

  /// The audit line of a wish, where it changed anything.
  fileprivate func asked(
    _ action: String, _ before: Subscription, by actor: Actor, reason: String,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    guard let after = try await subscription(before.id, in: scope) else { return before }
    guard after != before else { return after }
    try await audit(
      actor, action, "subscription", String(before.id),
      before: ["renewal": before.renewal.rawValue, "next_plan": before.nextPlan ?? ""],
      after: [
        "renewal": after.renewal.rawValue, "asked": after.wish?.rawValue ?? "",
        "next_plan": after.nextPlan ?? "",
      ], reason: reason.isEmpty ? nil : reason, in: scope, at: at)
    return after
  }

  func ask(
    _ wish: Subscription.Wish, of id: Int64, by cause: Subscription.Cause,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    try await ask(wish, of: id, by: cause.rawValue, in: scope, at: at)
  }

  /// Notes what Telegram is to be asked, and the job that asks it. What is so already is not asked.
  ///
  /// - Parameter by: A ``Subscription/Cause``, or an operator's e-mail address.
  func ask(
    _ wish: Subscription.Wish, of id: Int64, by: String, in scope: WorkspaceScope, at: Date
  ) async throws {
    let open: SQL =
      switch wish {
      case .cancel:
        """
        renewal in ('on', 'failed', 'allowed') and renewal_wish is distinct from 'cancel'
          or renewal = 'off' and renewal_wish = 'allow'
        """
      case .allow:
        """
        renewal = 'off' and renewal_wish is distinct from 'allow'
          or renewal in ('on', 'failed') and renewal_wish = 'cancel'
        """
      }
    let asked = try await execute(
      """
      update subscriptions set renewal_wish = \(wish.rawValue), renewal_wish_by = \(by),
        renewal_wish_at = \(at), renewal_error = null
      where workspace_id = \(scope.workspaceID) and subscription_id = \(id) and (\(open))
      """)
    guard asked == 1 else { return }
    try await Job.enqueue(.subscriptionEdit, subject: String(id), in: scope, self)
  }
}
