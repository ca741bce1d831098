import Foundation
import Ledger
import Postgres

/// A link by which somebody joins a team, once. It counts for as long as its maker is an owner, or an
/// admin where it was made as one.
public struct Invitation: Sendable, Equatable {
  public let id: Int64
  public let workspaceID: Int64
  public let workspaceName: String
  public let workspaceSlug: String
  /// For whom, in the inviter's words.
  public let name: String
  public let role: Role
  /// Into the other side of the business, too.
  public let hasBothSides: Bool
  /// Made by an admin of the platform, who needs no place in the team.
  public let isByAdmin: Bool
  public let madeBy: String
  public let madeAt: Date
  public let expiresAt: Date

  init(_ row: Row) throws {
    id = try row.get("invitation_id")
    workspaceID = try row.get("workspace_id")
    workspaceName = try row.get("workspace_name")
    workspaceSlug = try row.get("slug")
    name = try row.get("name")
    role = Role(rawValue: try row.get("role")) ?? .viewer
    hasBothSides = try row.get("both_sides")
    isByAdmin = try row.get("by_admin")
    madeBy = try row.get("made_by")
    madeAt = try row.get("made_at")
    expiresAt = try row.get("expires_at")
  }

  private static func open(at: Date) -> SQL {
    """
    select i.*, w.name as workspace_name, w.slug
    from invitations i join workspaces w using (workspace_id)
    where i.used_at is null and i.revoked_at is null and i.expires_at > \(at)
      and case when i.by_admin
        then exists (select from operators o where o.email = i.made_by and o.is_admin)
        else exists (select from memberships m join operators o using (operator_id)
          where o.email = i.made_by and m.workspace_id = i.workspace_id and m.role = 'owner') end
    """
  }

  /// Those that may still be used, the newest first.
  public static func waiting(
    in scope: WorkspaceScope, at: Date = Date(), _ pool: Pool
  ) async throws -> [Invitation] {
    try await pool.query(
      """
      \(open(at: at)) and i.workspace_id = \(scope.workspaceID)
      order by i.invitation_id desc limit \(Limits.invitations)
      """
    ).map(Invitation.init)
  }

  /// The link for its owner that an admin made and nobody has used yet.
  public static func ofAdmins(
    for workspace: Workspace, at: Date, _ pool: Pool
  ) async throws -> Invitation? {
    try await pool.query(
      """
      \(open(at: at)) and i.workspace_id = \(workspace.id) and i.by_admin
      order by i.invitation_id desc limit 1
      """
    ).first.map(Invitation.init)
  }

  /// The invitation of a link, if it may still be used.
  public static func find(token: String, at: Date, _ pool: Pool) async throws -> Invitation? {
    guard token.utf8.count <= 128 else { return nil }
    return try await pool.query("\(open(at: at)) and i.token_hash = \(Bytes.sha256(token))").first
      .map(Invitation.init)
  }

  /// - Parameter sides: Those that the one who invites owns, the workspace itself first.
  /// - Returns: The link's token, which is nowhere stored.
  /// - Throws: ``Member/Refusal/tooMany``
  public static func make(
    for name: String, as role: Role, on sides: [Workspace], by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    let token = Bytes.base64URL(Bytes.random(32))
    let now = Date()
    try await pool.transaction(in: scope) { tx in
      let open = try await tx.query(
        """
        select count(*) from invitations where workspace_id = \(scope.workspaceID)
          and used_at is null and revoked_at is null and expires_at > \(now)
        """)[0].get("count", as: Int.self)
      guard open < Limits.invitations else { throw Member.Refusal.tooMany }
      let id: Int64 = try await tx.query(
        """
        insert into invitations (token_hash, workspace_id, name, role, both_sides, made_by, made_at,
          expires_at)
        values (\(Bytes.sha256(token)), \(scope.workspaceID), \(name), \(role.rawValue),
          \(sides.count > 1), \(actor.name), \(now),
          \(now.addingTimeInterval(Limits.invitationSeconds)))
        returning invitation_id
        """)[0].get("invitation_id")
      try await tx.audit(
        actor, "team.invited", "invitation", String(id),
        after: [
          "invited": name, "role": role.rawValue, "both_sides": sides.count > 1 ? "yes" : "no",
        ], in: scope, at: scope.now)
    }
    return token
  }

  /// - Throws: ``Member/Refusal/notFound`` where there is none that could still be used.
  public static func revoke(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let row = try await tx.query(
        """
        update invitations set revoked_at = \(Date())
        where workspace_id = \(scope.workspaceID) and invitation_id = \(id)
          and used_at is null and revoked_at is null returning name
        """
      ).first
      guard let row else { throw Member.Refusal.notFound }
      try await tx.audit(
        actor, "team.invitation_revoked", "invitation", String(id),
        before: ["invited": try row.get("name")], in: scope, at: scope.now)
    }
  }
}
