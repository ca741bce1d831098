import Foundation
import Ledger
import Postgres

/// What a bot is told of a refund case.
private struct RefundChanged: Encodable {
  let refund: Int64
  /// nil: the payment was never seen.
  let payment: Int64?
  let stars: Int64
  /// nil: none were to be taken.
  let creditsTaken: Int64?
}

extension Transaction {
  func emit(
    _ kind: Event.Kind, _ refund: Refund, paymentID: Int64?, creditsTaken: Int64? = nil,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    try await emit(
      kind,
      RefundChanged(
        refund: refund.id, payment: paymentID, stars: refund.stars, creditsTaken: creditsTaken),
      botID: refund.botID, customerID: refund.customerID, in: scope, at: at)
  }
}
