import Foundation
import Ledger
import Postgres

/// What a bot is told when a customer's access to a feature begins, is prolonged or ends early.
private struct AccessChanged: Encodable {
  let entitlement: String
  let active: Bool
  /// When it ends by itself; nil while there is none, and for access for good.
  let endsAt: Date?
}

extension Transaction {
  /// Tells how a customer's access to a feature stands now.
  func emitAccess(
    _ entitlement: String, customerID: Int64, botID: Int64, in scope: WorkspaceScope, at: Date
  ) async throws {
    let row = try await query(
      """
      select coalesce(bool_or(starts_at <= \(at)), false) as active, max(ends_at) as ends_at
      from access_grants
      where workspace_id = \(scope.workspaceID) and customer_id = \(customerID)
        and entitlement = \(entitlement) and ended_at is null and ends_at > \(at)
      """)[0]
    let active: Bool = try row.get("active")
    let endsAt = try row.getIfPresent("ends_at", as: Date.self)
    try await emit(
      .accessChanged,
      AccessChanged(
        entitlement: entitlement, active: active,
        endsAt: endsAt.flatMap { active && $0 != .distantFuture ? $0 : nil }),
      botID: botID, customerID: customerID, in: scope, at: at)
  }
}
