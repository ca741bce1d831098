import Foundation
import Ledger
import Postgres

extension CreditAnswer {
  public enum SendRefusal: Error, Sendable, Equatable {
    case notFound
    /// There is nobody to tell any more.
    case erased
  }

  /// Has a bot say the answer, as an operator has it before the eyes.
  ///
  /// - Parameters:
  ///   - text: What is said, 1 to ``Limits/messageUnits`` characters.
  ///   - key: Of the form, so that sending it twice says it once.
  /// - Returns: Of the message, what ``OutgoingMessage/find(_:about:in:_:)`` wants.
  /// - Throws: ``SendRefusal``
  public static func send(
    _ text: String, to customer: Int64, with bot: Bot, key: String, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    let (at, subject) = (scope.now, "\(customer):\(key)")
    try await pool.transaction(in: scope) { tx in
      guard let known = try await tx.lockedCustomer(customer, in: scope) else {
        throw SendRefusal.notFound
      }
      guard known.erasedAt == nil else { throw SendRefusal.erased }
      let isNew = try await tx.say(
        .creditsAnswer, about: subject, to: customer, botID: bot.id, text, askedBy: actor,
        in: scope, at: at)
      guard isNew else { return }
      try await tx.audit(
        actor, "customer.answered", "customer", String(customer), after: ["bot": bot.username],
        in: scope, at: at)
    }
    return subject
  }
}

extension Customer {
  /// The bots that have had to do with the customer, the latest first: one of them speaks.
  public static func bots(
    of customer: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64] {
    try await pool.query(
      """
      select bot_id from (
        select bot_id, paid_at as at from payments
          where workspace_id = \(scope.workspaceID) and customer_id = \(customer)
        union all
        select bot_id, created_at from checkouts
          where workspace_id = \(scope.workspaceID) and customer_id = \(customer)
        union all
        select bot_id, created_at from outgoing_messages
          where workspace_id = \(scope.workspaceID) and customer_id = \(customer)
        union all
        select bot_id, created_at from usage_holds
          where workspace_id = \(scope.workspaceID) and customer_id = \(customer)
        union all
        select bot_id, started_at from subscriptions
          where workspace_id = \(scope.workspaceID) and customer_id = \(customer)
        union all
        select bot_id, opened_at from support_cases
          where workspace_id = \(scope.workspaceID) and customer_id = \(customer)) seen
      group by bot_id order by max(at) desc
      """, in: scope
    ).map { try $0.get("bot_id") }
  }
}

extension Transaction {
  /// The customer with the row in hand.
  func lockedCustomer(_ id: Int64, in scope: WorkspaceScope) async throws -> Customer? {
    try await query(
      """
      select * from customers where workspace_id = \(scope.workspaceID) and customer_id = \(id)
      for no key update
      """
    ).first.map(Customer.init)
  }
}
