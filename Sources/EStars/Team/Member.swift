import Foundation
import Ledger
import Postgres

/// Somebody of a workspace's team.
public struct Member: Sendable, Equatable {
  public let id: Int64
  public let email: String
  public let name: String
  public let role: Role
  public let joinedAt: Date
  public let hasSecondFactor: Bool
  /// nil: not signed in at present.
  public let lastSeenAt: Date?

  /// Why a change of the team was not made.
  public enum Refusal: Error, Equatable, Sendable {
    case notFound
    /// A workspace without an owner could never be changed again.
    case lastOwner
    /// The person also belongs where the one who asks is no owner, or is oneself.
    case notYours
    /// As many invitations as fit are open.
    case tooMany
  }

  init(_ row: Row) throws {
    id = try row.get("operator_id")
    email = try row.get("email")
    name = try row.get("name")
    role = Role(rawValue: try row.get("role")) ?? .viewer
    joinedAt = try row.get("joined_at")
    hasSecondFactor = try row.getIfPresent("totp_confirmed_at", as: Date.self) != nil
    lastSeenAt = try row.getIfPresent("last_seen_at")
  }

  private static func select(_ scope: WorkspaceScope) -> SQL {
    """
    select o.operator_id, o.email, o.name, o.totp_confirmed_at, m.role, m.created_at as joined_at,
      (select max(s.last_seen_at) from sessions s
        where s.operator_id = o.operator_id and not s.awaits_totp) as last_seen_at
    from memberships m join operators o using (operator_id)
    where m.workspace_id = \(scope.workspaceID)
    """
  }

  /// Owners first, then by name.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Member] {
    try await pool.query(
      """
      \(select(scope))
      order by array_position(array['owner', 'manager', 'support', 'viewer'], m.role),
        lower(o.name), o.operator_id
      """
    ).map(Member.init)
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Member? {
    try await pool.query("\(select(scope)) and o.operator_id = \(id)").first.map(Member.init)
  }
}
