import Foundation
import Ledger
import Postgres

/// What a bot is told about a subscription.
private struct SubscriptionChanged: Encodable {
  let subscription: Int64
  let plan: String
  let state: String
  let renewal: String
  /// nil: it has no end.
  let periodEndsAt: Date?
}

extension Transaction {
  /// Tells how a subscription stands now.
  func emit(
    _ kind: Event.Kind, _ id: Int64, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard let subscription = try await subscription(id, in: scope) else { return }
    let end = subscription.periodEndsAt
    try await emit(
      kind,
      SubscriptionChanged(
        subscription: id, plan: subscription.plan, state: subscription.state.rawValue,
        renewal: subscription.renewal.rawValue, periodEndsAt: end < .distantFuture ? end : nil),
      botID: subscription.botID, customerID: subscription.customerID, in: scope, at: at)
  }
}
