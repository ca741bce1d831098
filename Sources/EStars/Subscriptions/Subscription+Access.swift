import Foundation
import Ledger
import Postgres

extension Transaction {
  /// Features of a plan: one grant each, which lasts as long as the subscription and is prolonged
  /// with it. Days of packs that wait behind it begin as much later.
  ///
  /// - Parameters:
  ///   - entitlements: What the plan gives; nil = what it gave.
  ///   - until: nil = it is over.
  func writeAccess(
    _ subscription: Subscription, _ entitlements: [String]?, until: Date?,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let rows = try await query(
      """
      select access_grant_id, entitlement, starts_at, ends_at from access_grants
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
        and ended_at is null
      order by entitlement
      """)
    var present: [String: (id: Int64, endsAt: Date)] = [:]
    for row in rows {
      present[try row.get("entitlement")] = (
        try row.get("access_grant_id"), try row.get("ends_at")
      )
    }
    let wanted = until == nil ? [] : entitlements ?? Array(present.keys)
    for (entitlement, grant) in present.sorted(by: { $0.key < $1.key }) {
      if let until, wanted.contains(entitlement) {
        guard grant.endsAt != until else { continue }
        try await move(grant.id, to: until, in: scope)
        try await shift(
          entitlement, of: subscription, behind: grant.endsAt, to: until, in: scope, at: at)
      } else {
        try await end(grant.id, in: scope, at: at)
        try await shift(
          entitlement, of: subscription, behind: grant.endsAt, to: min(at, grant.endsAt),
          in: scope, at: at)
        guard grant.endsAt > at else { continue }
      }
      try await emitAccess(
        entitlement, customerID: subscription.customerID, botID: subscription.botID, in: scope,
        at: at)
    }
    guard let until, until > at else { return }
    for entitlement in wanted where present[entitlement] == nil {
      try await execute(
        """
        insert into access_grants (workspace_id, customer_id, entitlement, subscription_id,
          starts_at, ends_at)
        values (\(scope.workspaceID), \(subscription.customerID), \(entitlement),
          \(subscription.id), \(at), \(until))
        """)
      try await emitAccess(
        entitlement, customerID: subscription.customerID, botID: subscription.botID, in: scope,
        at: at)
    }
  }

  private func move(_ grant: Int64, to end: Date, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      update access_grants set ends_at = greatest(\(end), starts_at + interval '1 second')
      where workspace_id = \(scope.workspaceID) and access_grant_id = \(grant)
      """)
  }

  private func end(_ grant: Int64, in scope: WorkspaceScope, at: Date) async throws {
    try await execute(
      """
      update access_grants set ended_at = least(\(at)::timestamptz, ends_at),
        ended_reason = 'subscription'
      where workspace_id = \(scope.workspaceID) and access_grant_id = \(grant)
      """)
  }

  /// Days of packs that begin where the subscription's end stands keep standing there.
  private func shift(
    _ entitlement: String, of subscription: Subscription, behind end: Date, to newEnd: Date,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    guard end < .distantFuture, newEnd < .distantFuture, end > at, newEnd != end else { return }
    let by: SQL = "(\(newEnd)::timestamptz - \(end)::timestamptz)"
    try await execute(
      """
      update access_grants set starts_at = starts_at + \(by), ends_at = ends_at + \(by)
      where workspace_id = \(scope.workspaceID) and customer_id = \(subscription.customerID)
        and entitlement = \(entitlement) and ended_at is null and subscription_id is null
        and starts_at >= \(end) and starts_at > \(at)
      """)
  }

  /// Until when every action is free of credits and quotas.
  func writeUnlimited(_ customer: Int64, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      update customers c set unlimited_until = u.until
      from (select max(s.period_ends_at + make_interval(days => s.grace_days)) as until
        from subscriptions s
        where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(customer)
          and s.state in ('trial', 'active', 'grace') and s.credits_per_cycle is null) u
      where c.workspace_id = \(scope.workspaceID) and c.customer_id = \(customer)
        and c.unlimited_until is distinct from u.until
      """)
  }
}
