import Foundation
import Ledger
import Postgres

extension Transaction {
  /// A buyer who asks through the bot for the Stars of a payment back opens a refund case with it. A
  /// job does it: money is locked before support, and here support is locked already.
  func askForRefund(because supportCase: SupportCase, in scope: WorkspaceScope) async throws {
    guard supportCase.topic == .refund, [.bot, .buyer].contains(supportCase.source),
      supportCase.paymentID != nil, supportCase.refundID == nil
    else { return }
    try await Job.enqueue(
      .refundRequest, subject: String(supportCase.id), in: scope, self)
  }
}

extension Refund {
  /// Opens the refund case that a support case asks for, or finds the one that there is, and ties
  /// the two together.
  static func request(
    becauseOf supportCaseID: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    let found = try await SupportCase.find(id: supportCaseID, in: scope, pool)
    guard let found, found.state != .closed, let paymentID = found.paymentID,
      let payment = try await Payment.find(id: paymentID, in: scope, pool)
    else { return }
    try await pool.transaction(in: scope) { tx in
      var refund = try await tx.refund(of: payment.charge, in: scope)
      if refund == nil, payment.state != .refunded {
        refund = try await tx.requestRefund(
          payment, source: .buyer, reason: .customerAsked, note: "",
          by: Actor(.system, "eStars"), in: scope, at: scope.now
        ).refund
      }
      guard let refund else { return }
      try await tx.execute(
        """
        update support_cases set refund_id = \(refund.id)
        where workspace_id = \(scope.workspaceID) and support_case_id = \(found.id)
          and refund_id is null
        """)
    }
  }
}
