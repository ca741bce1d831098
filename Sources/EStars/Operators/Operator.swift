import Foundation
import Postgres

/// A person who signs in to the dashboard.
public struct Operator: Sendable, Equatable {
  public let id: Int64
  public let email: String
  public let name: String
  public let locale: String
  public let isAdmin: Bool
  /// Since when a sign-in takes a code as well; nil: the password is enough.
  public let secondFactorSince: Date?

  static let columns: SQL =
    "o.operator_id, o.email, o.name, o.locale, o.is_admin, o.totp_confirmed_at"

  init(_ row: Row) throws {
    id = try row.get("operator_id")
    email = try row.get("email")
    name = try row.get("name")
    locale = try row.get("locale")
    isAdmin = try row.get("is_admin")
    secondFactorSince = try row.getIfPresent("totp_confirmed_at")
  }
}

/// What an operator may do in one workspace, least first.
public enum Role: String, Sendable, Comparable, CaseIterable {
  case viewer, support, manager, owner

  public static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }

  private var rank: Int { Role.allCases.firstIndex(of: self) ?? 0 }
}

/// An operator's place in a workspace.
public struct Membership: Sendable, Equatable {
  public let workspace: Workspace
  public let role: Role
  /// An admin who belongs to no team here and looks in for a while; nil: a member.
  public let visit: AdminVisit?

  /// Workspaces that the operator belongs to, by name, the test side after the live one.
  public static func all(of operator: Operator, _ pool: Pool) async throws -> [Membership] {
    try await pool.query(
      """
      select \(Workspace.columns), m.role from memberships m join workspaces w using (workspace_id)
      where m.operator_id = \(`operator`.id) order by w.name, w.side
      """
    ).map(Membership.init)
  }

  /// The operator's membership in the workspace of that slug; nil when there is no such workspace
  /// or the operator is no member: the two look the same from outside.
  public static func find(
    slug: String, of operator: Operator, at: Date = Date(), _ pool: Pool
  ) async throws -> Membership? {
    let membership = try await pool.query(
      """
      select \(Workspace.columns), m.role from memberships m join workspaces w using (workspace_id)
      where w.slug = \(slug) and m.operator_id = \(`operator`.id)
      """
    ).first.map(Membership.init)
    if let membership { return membership }
    return try await visiting(slug: slug, `operator`, at: at, pool)
  }

  init(_ row: Row) throws {
    workspace = try Workspace(row)
    role = Role(rawValue: try row.get("role")) ?? .viewer
    visit = nil
  }

  init(workspace: Workspace, role: Role, visit: AdminVisit) {
    self.workspace = workspace
    self.role = role
    self.visit = visit
  }
}
