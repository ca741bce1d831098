import Foundation
import Ledger
import Postgres

/// What a bot asks about its customer's subscription.
public struct SubscriptionAsk: Sendable, Equatable {
  public enum Deed: Sendable, Equatable {
    case cancellation, reactivation
    /// To the plan of this key.
    case downgrade(String)

    fileprivate var parts: [String] {
      switch self {
      case .cancellation: ["subscription.cancellation"]
      case .reactivation: ["subscription.reactivation"]
      case .downgrade(let plan): ["subscription.downgrade", plan]
      }
    }
  }

  public let deed: Deed
  public let telegramID: Int64
  /// Of this plan; nil = the one that the customer is said to have.
  public let plan: String?
  public let idempotencyKey: String

  public init(_ deed: Deed, telegramID: Int64, plan: String? = nil, idempotencyKey: String) {
    self.deed = deed
    self.telegramID = telegramID
    self.plan = plan
    self.idempotencyKey = idempotencyKey
  }
}

extension Subscription {
  /// Asks Telegram for a customer, once for a key.
  ///
  /// - Returns: The subscription as it stands; `isReplay` when the key had asked before.
  /// - Throws: ``SubscriptionRefusal``, ``Checkout/Refusal/keyReused``
  public static func ask(
    _ ask: SubscriptionAsk, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (subscription: Subscription, isReplay: Bool) {
    try await pool.transaction(in: scope) { tx in
      let fingerprint = Bytes.fingerprint(
        ask.deed.parts + [String(ask.telegramID), ask.plan ?? ""])
      let isNew = try await tx.claimKey(
        ask.idempotencyKey, operation: ask.deed.parts[0], fingerprint: fingerprint, in: scope,
        at: scope.now)
      guard
        let present = try await tx.subscription(
          of: ask.telegramID, plan: ask.plan, runningOnly: isNew, in: scope)
      else { throw SubscriptionRefusal.notFound }
      guard isNew else { return (present, true) }
      let after =
        switch ask.deed {
        case .cancellation: try await tx.cancel(present.id, by: actor, in: scope, at: scope.now)
        case .reactivation: try await tx.allow(present.id, by: actor, in: scope, at: scope.now)
        case .downgrade(let plan):
          try await tx.downgrade(present.id, to: plan, by: actor, in: scope, at: scope.now)
        }
      return (after, false)
    }
  }
}

extension Transaction {
  /// The subscription that a person is said to have, or had last.
  fileprivate func subscription(
    of telegramID: Int64, plan: String?, runningOnly: Bool, in scope: WorkspaceScope
  ) async throws -> Subscription? {
    let states: SQL = runningOnly ? "and s.state in ('trial', 'active', 'grace')" : ""
    let narrowed: SQL = plan.map { "and s.plan = \($0)" } ?? ""
    return try await query(
      """
      \(Subscription.select(in: scope)) \(states) \(narrowed)
        and s.customer_id = (select customer_id from customers
          where workspace_id = \(scope.workspaceID) and telegram_id = \(telegramID))
      order by \(Subscription.currentFirst) limit 1
      """
    ).first.map(Subscription.init)
  }
}
