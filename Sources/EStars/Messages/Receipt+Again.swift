import Foundation
import Ledger
import Postgres

extension Payment {
  /// Sends the buyer the receipt once more, as the payment stands now.
  ///
  /// - Parameter key: Of the form that asks, so that sending it twice says it once.
  /// - Returns: false where there is no receipt: nothing was sold.
  public func sayReceiptAgain(
    key: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Bool {
    let at = scope.now
    return try await pool.transaction(in: scope) { tx in
      guard let found = try await Receipt.of(payment: id, in: scope, tx) else { return false }
      let isNew = try await tx.say(
        .receiptAgain, about: "\(id):\(key)", to: found.customerID, botID: found.botID,
        found.receipt.text(found.language, timeZone: found.timeZone, isAgain: true),
        askedBy: actor, in: scope, at: at)
      if isNew {
        try await tx.audit(
          actor, "payment.receipt_resent", "payment", String(id), in: scope, at: at)
      }
      return true
    }
  }

  /// What the bot told the buyer about this payment, newest first.
  public func receipts(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [OutgoingMessage] {
    try await pool.query(
      """
      select * from outgoing_messages m where workspace_id = \(scope.workspaceID)
        and customer_id = \(customerID)
        and (kind = \(OutgoingMessage.Kind.receipt.rawValue) and subject = \(String(id))
          or kind = \(OutgoingMessage.Kind.receiptAgain.rawValue)
            and split_part(subject, ':', 1) = \(String(id)))
      order by message_id desc limit 20
      """, in: scope
    ).map(OutgoingMessage.init)
  }
}
