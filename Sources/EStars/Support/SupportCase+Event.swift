import Foundation
import Ledger
import Postgres

/// What a bot is told of a support case.
private struct SupportCaseChanged: Encodable {
  let supportCase: Int64
  let topic: String
  let source: String
  /// nil: it is about none.
  let payment: Int64?
}

extension Transaction {
  func emit(
    _ kind: Event.Kind, _ supportCase: SupportCase, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await emit(
      kind,
      SupportCaseChanged(
        supportCase: supportCase.id, topic: supportCase.topic.rawValue,
        source: supportCase.source.rawValue, payment: supportCase.paymentID),
      botID: supportCase.botID, customerID: supportCase.customerID, in: scope, at: at)
  }
}
