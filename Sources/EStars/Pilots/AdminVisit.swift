import Foundation
import Ledger
import Postgres

/// An admin looks into a business for an hour, as a viewer and for a reason that its log says.
public struct AdminVisit: Sendable, Equatable {
  /// An e-mail address.
  public let admin: String
  public let beganAt: Date
  public let endsAt: Date
  public let reason: String

  public static let reasonCharacters = 500

  init(_ row: Row) throws {
    admin = try row.get("email")
    beganAt = try row.get("began_at")
    endsAt = try row.get("ends_at")
    reason = try row.get("reason")
  }

  /// Newest first.
  public static func recent(
    in workspace: Workspace, limit: Int, _ pool: Pool
  ) async throws -> [AdminVisit] {
    try await pool.query(
      """
      select o.email, v.began_at, v.ends_at, v.reason
      from admin_visits v join operators o using (operator_id)
      where v.workspace_id = \(workspace.id) order by v.began_at desc limit \(limit)
      """
    ).map(AdminVisit.init)
  }

  /// The visit of this admin that goes on, on either side of the business.
  public static func current(
    of person: Operator, in workspace: Workspace, at: Date, _ pool: Pool
  ) async throws -> AdminVisit? {
    guard person.isAdmin, person.secondFactorSince != nil else { return nil }
    return try await pool.query(
      """
      select o.email, v.began_at, v.ends_at, v.reason
      from admin_visits v join operators o using (operator_id)
      where v.operator_id = \(person.id) and o.is_admin
        and v.workspace_id in (\(workspace.id), \(workspace.twinID)::bigint)
        and v.began_at <= \(at) and v.ends_at > \(at)
      order by v.ends_at desc limit 1
      """
    ).first.map(AdminVisit.init)
  }

  /// Begins a visit of both sides; their logs say so before anything is seen.
  public static func begin(
    of workspace: Workspace, by admin: Operator, reason: String, at: Date, _ platform: Platform
  ) async throws {
    let until = at.addingTimeInterval(Limits.adminVisitSeconds)
    var sides = [workspace]
    if let id = workspace.twinID, let twin = try await Workspace.find(id: id, platform.pool) {
      sides.append(twin)
    }
    // The side whose row lets in comes last: by then the other one's log knows.
    for side in sides.reversed() {
      try await platform.pool.transaction(in: side.scope) { tx in
        try await tx.audit(
          Actor(.admin, admin.email), "workspace.visited", "workspace", String(side.id),
          after: ["until": until.formatted(.iso8601)], reason: reason, in: side.scope,
          at: side.scope.now)
        guard side == workspace else { return }
        try await tx.execute(
          """
          insert into admin_visits (operator_id, workspace_id, began_at, ends_at, reason)
          values (\(admin.id), \(side.id), \(at), \(until), \(reason))
          """)
        try await tx.auditAdmin(
          admin, "workspace.visited", "workspace", String(side.id),
          after: ["until": until.formatted(.iso8601)], reason: reason, at: at)
      }
    }
  }
}

extension Membership {
  /// What an admin may see during a visit: everything, and change nothing.
  static func visiting(
    slug: String, _ person: Operator, at: Date, _ pool: Pool
  ) async throws -> Membership? {
    guard person.isAdmin, let workspace = try await Workspace.find(slug: slug, pool),
      let visit = try await AdminVisit.current(of: person, in: workspace, at: at, pool)
    else { return nil }
    return Membership(workspace: workspace, role: .viewer, visit: visit)
  }
}
