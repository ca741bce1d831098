import Foundation
import Ledger
import Postgres

extension Application {
  /// What came of an approval.
  public struct Approved: Sendable {
    public let workspace: Workspace
    /// Of the owner's invitation; it is nowhere stored.
    public let token: String
  }

  /// Opens a workspace with both sides and invites its owner.
  ///
  /// - Parameters:
  ///   - request: The workspace to open, at the stage `approved`.
  ///   - words: For the applicant; empty: none.
  /// - Throws: ``Refusal``, ``Workspace/OpeningProblem``
  public static func approve(
    _ id: Int64, opening request: WorkspaceRequest, words: String, by admin: Operator, at: Date,
    _ platform: Platform
  ) async throws -> Approved {
    let token = Bytes.base64URL(Bytes.random(32))
    let (sides, line) = try await Workspace.opening(request) {
      try await platform.pool.transaction { tx in
        guard try await tx.lockApplication(id).isOpen else { throw Refusal.state }
        let sides = try await tx.openSides(request, at: at)
        try await tx.execute(
          """
          update applications set state = 'approved', decided_at = \(at),
            decided_by = \(admin.email), workspace_id = \(sides.live)
          where application_id = \(id)
          """)
        if !words.isEmpty {
          try await tx.write(.decision, words, about: id, by: admin.email, at: at)
        }
        _ = try await tx.inviteOwner(
          to: sides.live, named: request.name, token: token, by: admin, at: at)
        try await tx.auditAdmin(
          admin, "application.approved", "application", String(id),
          after: ["slug": request.slug], at: at)
        let live = try await tx.enterOpened(sides.live)
        let line = try await tx.auditBothSides(
          Actor(.admin, admin.email), "workspace.approved", "workspace", String(sides.live),
          in: live, and: sides.test, at: at)
        return (sides, line)
      }
    }
    guard let live = try await Workspace.find(id: sides.live, platform.pool),
      let test = try await Workspace.find(id: sides.test, platform.pool)
    else { throw Workspace.OpeningProblem.gone }
    for side in [live, test] { try await side.defineCredits(platform.pool) }
    try await AuditEntry.mirror(line, to: test, platform.pool)
    return Approved(workspace: live, token: token)
  }

  /// - Parameter words: For the applicant; empty: none.
  /// - Throws: ``Refusal``
  public static func decline(
    _ id: Int64, because reason: DeclineReason, words: String, by admin: Operator, at: Date,
    _ pool: Pool
  ) async throws {
    try await pool.transaction { tx in
      guard try await tx.lockApplication(id).isOpen else { throw Refusal.state }
      try await tx.execute(
        """
        update applications set state = 'declined', decided_at = \(at),
          decided_by = \(admin.email), decline_reason = \(reason.rawValue)
        where application_id = \(id)
        """)
      if !words.isEmpty {
        try await tx.write(.decision, words, about: id, by: admin.email, at: at)
      }
      try await tx.auditAdmin(
        admin, "application.declined", "application", String(id),
        after: ["reason": reason.rawValue], at: at)
    }
  }
}

extension Workspace {
  /// A new link for the owner of a workspace that nobody has joined, or whose owner is lost. Links
  /// that admins made before are good for nothing any more.
  ///
  /// - Returns: The token, which is nowhere stored.
  public func inviteOwner(
    by admin: Operator, at: Date, _ platform: Platform
  ) async throws -> String {
    let token = Bytes.base64URL(Bytes.random(32))
    try await platform.pool.transaction(in: scope) { tx in
      let waiting = try await tx.query(
        """
        select invitation_id from invitations where workspace_id = \(self.id) and by_admin
          and used_at is null and revoked_at is null for update
        """)
      for row in waiting {
        try await tx.audit(
          Actor(.admin, admin.email), "team.invitation_revoked", "invitation",
          String(try row.get("invitation_id", as: Int64.self)), before: ["invited": name],
          in: scope, at: scope.now)
      }
      let id = try await tx.inviteOwner(to: self.id, named: name, token: token, by: admin, at: at)
      try await tx.audit(
        Actor(.admin, admin.email), "team.invited", "invitation", String(id),
        after: ["invited": name, "role": Role.owner.rawValue, "both_sides": "yes"], in: scope,
        at: scope.now)
    }
    return token
  }
}

extension Transaction {
  /// - Returns: The invitation's number.
  fileprivate func inviteOwner(
    to workspaceID: Int64, named name: String, token: String, by admin: Operator, at: Date
  ) async throws -> Int64 {
    let ended = try await query(
      """
      update invitations set revoked_at = \(at)
      where workspace_id = \(workspaceID) and by_admin and used_at is null and revoked_at is null
      returning invitation_id
      """)
    for row in ended {
      try await auditAdmin(
        admin, "team.invitation_revoked", "workspace", String(workspaceID),
        before: ["invitation": String(try row.get("invitation_id", as: Int64.self))], at: at)
    }
    let id: Int64 = try await query(
      """
      insert into invitations (token_hash, workspace_id, name, role, both_sides, by_admin, made_by,
        made_at, expires_at)
      values (\(Bytes.sha256(token)), \(workspaceID), \(name), 'owner', true, true,
        \(admin.email), \(at), \(at.addingTimeInterval(Limits.invitationSeconds)))
      returning invitation_id
      """)[0].get("invitation_id")
    try await auditAdmin(
      admin, "team.invited", "workspace", String(workspaceID), after: ["invitation": String(id)],
      at: at)
    return id
  }
}
