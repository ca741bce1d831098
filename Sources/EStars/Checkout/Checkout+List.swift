import Foundation
import Ledger
import Postgres

extension Checkout {
  /// A step that a checkout took.
  public struct Step: Sendable, Equatable {
    /// nil for the first.
    public let from: State?
    public let to: State
    /// A code.
    public let reason: String
    public let at: Date
  }

  /// The steps it took, in their order.
  public func history(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Step] {
    try await pool.query(
      """
      select from_state, to_state, reason, at from checkout_transitions
      where workspace_id = \(scope.workspaceID) and checkout_id = \(id) order by step
      limit \(Limits.checkoutSteps)
      """, in: scope
    ).map { row in
      Step(
        from: try row.getIfPresent("from_state", as: String.self).flatMap(State.init(rawValue:)),
        to: State(rawValue: try row.get("to_state")) ?? .cancelled,
        reason: try row.get("reason"), at: try row.get("at"))
    }
  }

  /// What was paid for it, newest first: more than one payment for a subscription, and where an
  /// invoice was paid again.
  public func payments(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Payment] {
    try await pool.query(
      """
      select \(Payment.columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and p.checkout_id = \(id)
      order by p.payment_id desc limit \(Limits.checkoutPayments)
      """, in: scope
    ).map(Payment.init)
  }

  /// The workspace's checkouts in these states, newest first.
  ///
  /// - Parameters:
  ///   - customer: Only this customer's.
  ///   - before: A checkout's number; only older ones.
  public static func recent(
    in states: [State], customer: Int64? = nil, before: Int64?, limit: Int,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Checkout] {
    let before = before ?? .max
    if let customer {
      return try await pool.query(
        """
        select * from checkouts where workspace_id = \(scope.workspaceID)
          and customer_id = \(customer) and state = any(\(states.map(\.rawValue)))
          and checkout_id < \(before)
        order by checkout_id desc limit \(limit)
        """, in: scope
      ).map(Checkout.init)
    }
    // A walk of the index for each state: rare ones are found without passing all others.
    return try await pool.query(
      """
      select c.* from unnest(\(states.map(\.rawValue))::text[]) s (state)
      cross join lateral (
        select * from checkouts k where k.workspace_id = \(scope.workspaceID)
          and k.state = s.state and k.checkout_id < \(before)
        order by k.checkout_id desc limit \(limit)) c
      order by c.checkout_id desc limit \(limit)
      """, in: scope
    ).map(Checkout.init)
  }
}

/// Why a checkout was not called off.
public enum CheckoutCancelRefusal: Error, Sendable, Equatable {
  case notFound
  /// It is paid, or over; as it is now.
  case closed(Checkout)
}

extension Checkout {
  /// So that a form which is sent twice opens one checkout.
  public static func newFormKey() -> String { "form:" + Bytes.base64URL(Bytes.random(18)) }

  /// Calls an open checkout off: nobody is let through to pay it any more. Who pays all the same,
  /// since Telegram had asked before, is credited.
  ///
  /// - Throws: ``CheckoutCancelRefusal``
  public static func cancel(
    _ id: Int64, reason: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard let checkout = try await tx.lockCheckout(id, in: scope) else {
        throw CheckoutCancelRefusal.notFound
      }
      guard checkout.state.isOpen else { throw CheckoutCancelRefusal.closed(checkout) }
      let at = scope.now
      try await tx.step(checkout, to: .cancelled, "called_off", in: scope, at: at)
      try await tx.audit(
        actor, "checkout.cancelled", "checkout", String(id),
        before: ["state": checkout.state.rawValue], after: ["state": State.cancelled.rawValue],
        reason: reason, in: scope, at: at)
    }
  }
}
