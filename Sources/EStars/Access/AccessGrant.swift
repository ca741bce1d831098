import Foundation
import Ledger
import Postgres

/// A customer's right to a feature, for a time or for good, and the charge that paid for it.
public struct AccessGrant: Sendable, Equatable {
  public let id: Int64
  public let entitlement: String
  /// The feature's name as the operator wrote it.
  public let title: String
  public let botID: Int64?
  public let chargeID: String?
  public let startsAt: Date
  /// `Date.distantFuture` = for good.
  public let endsAt: Date
  public let endedAt: Date?

  public func isActive(at: Date) -> Bool { endedAt == nil && startsAt <= at && at < endsAt }

  init(_ row: Row) throws {
    id = try row.get("access_grant_id")
    entitlement = try row.get("entitlement")
    title = try row.get("title")
    botID = try row.getIfPresent("bot_id")
    chargeID = try row.getIfPresent("charge_id")
    startsAt = try row.get("starts_at")
    endsAt = try row.get("ends_at")
    endedAt = try row.getIfPresent("ended_at")
  }

  public static func of(
    customer id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [AccessGrant] {
    try await pool.query(
      """
      select g.*, e.title from access_grants g join entitlements e using (workspace_id, entitlement)
      where g.workspace_id = \(scope.workspaceID) and g.customer_id = \(id)
      order by g.access_grant_id desc limit 100
      """, in: scope
    ).map(AccessGrant.init)
  }
}

/// A feature that a customer may use now, whatever number of grants it comes from.
public struct ActiveAccess: Sendable, Equatable {
  public let entitlement: String
  /// The feature's name as the operator wrote it.
  public let title: String
  /// The end of the last grant that runs or waits behind one that does; `Date.distantFuture` = for
  /// good.
  public let endsAt: Date

  public static func of(
    customer id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [ActiveAccess] {
    try await pool.query(
      """
      select g.entitlement, e.title, max(g.ends_at) as ends_at
      from access_grants g join entitlements e using (workspace_id, entitlement)
      where g.workspace_id = \(scope.workspaceID) and g.customer_id = \(id)
        and g.ended_at is null and g.ends_at > \(scope.now)
      group by g.entitlement, e.title having bool_or(g.starts_at <= \(scope.now))
      order by g.entitlement
      """, in: scope
    ).map {
      ActiveAccess(
        entitlement: try $0.get("entitlement"), title: try $0.get("title"),
        endsAt: try $0.get("ends_at"))
    }
  }
}

extension Transaction {
  /// Grants what a charge bought. A customer who has the entitlement already gets the new days
  /// after the old ones. The same charge grants once.
  func grantAccess(
    _ entitlement: String, days: Int?, customerID: Int64, botID: Int64, chargeID: String,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let runningUntil = try await query(
      """
      select max(ends_at) as until from access_grants
      where workspace_id = \(scope.workspaceID) and customer_id = \(customerID)
        and entitlement = \(entitlement) and ended_at is null and ends_at > \(at)
        and ends_at < 'infinity'
      """
    ).first?.getIfPresent("until", as: Date.self)
    let start = runningUntil ?? at
    let end = days.map { start.addingTimeInterval(Double($0) * 86_400) } ?? .distantFuture
    try await execute(
      """
      insert into access_grants (workspace_id, customer_id, entitlement, bot_id, charge_id,
        starts_at, ends_at)
      values (\(scope.workspaceID), \(customerID), \(entitlement), \(botID), \(chargeID),
        \(start), \(end))
      on conflict do nothing
      """)
    try await emitAccess(entitlement, customerID: customerID, botID: botID, in: scope, at: at)
  }

  /// Ends what this charge granted and nothing else. Days of other charges that waited behind it
  /// begin as much earlier.
  func endAccess(
    botID: Int64, chargeID: String, reason: String, in scope: WorkspaceScope, at: Date
  ) async throws -> Int {
    let ended = try await query(
      """
      update access_grants set ended_at = \(at), ended_reason = \(reason)
      where workspace_id = \(scope.workspaceID) and bot_id = \(botID) and charge_id = \(chargeID)
        and ended_at is null and ends_at > \(at)
      returning customer_id, entitlement, starts_at, ends_at
      """)
    for row in ended {
      try await moveUp(behind: row, in: scope, at: at)
      try await emitAccess(
        row.get("entitlement"), customerID: row.get("customer_id"), botID: botID, in: scope,
        at: at)
    }
    return ended.count
  }

  private func moveUp(behind row: Row, in scope: WorkspaceScope, at: Date) async throws {
    let end: Date = try row.get("ends_at")
    guard end != .distantFuture else { return }
    let start = max(at, try row.get("starts_at", as: Date.self))
    let left: SQL = "(\(end)::timestamptz - \(start)::timestamptz)"
    try await execute(
      """
      update access_grants set starts_at = starts_at - \(left), ends_at = ends_at - \(left)
      where workspace_id = \(scope.workspaceID)
        and customer_id = \(try row.get("customer_id", as: Int64.self))
        and entitlement = \(try row.get("entitlement", as: String.self))
        and ended_at is null and starts_at >= \(end)
      """)
  }
}
