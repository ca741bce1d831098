import Foundation
import Ledger
import Postgres

extension Invitation {
  /// Lets somebody with an account in. A role that they have already is never lowered.
  ///
  /// - Throws: ``Member/Refusal/notFound`` where it was used or revoked meanwhile.
  public func accept(by person: Operator, at: Date, _ platform: Platform) async throws {
    _ = try await use(at: at, platform) { _ in person }
  }

  /// Lets somebody new in, with an account made now.
  ///
  /// - Throws: ``Operator/CreationProblem``, ``Member/Refusal/notFound``, ``Login/Refusal/busy``
  public func accept(
    email: String, name: String, password: String, locale: String, userAgent: String,
    address: String, at: Date, _ platform: Platform
  ) async throws -> Session.Opened {
    let newcomer: Operator.Newcomer
    do {
      newcomer = try await Operator.Newcomer(
        email: email, name: name, password: password, locale: locale, platform.passwords)
    } catch PasswordHasher.Problem.busy { throw Login.Refusal.busy }
    let person = try await use(at: at, platform) { try await $0.insert(newcomer, at: at) }
    return try await Session.open(
      for: person.id, awaitsTOTP: false, userAgent: userAgent, address: address, at: at,
      platform.pool)
  }

  private func use(
    at: Date, _ platform: Platform,
    _ person: @Sendable (Transaction) async throws -> Operator
  ) async throws -> Operator {
    guard let workspace = try await Workspace.find(id: workspaceID, platform.pool) else {
      throw Member.Refusal.notFound
    }
    var sides = [workspace]
    if hasBothSides, let id = workspace.twinID,
      let twin = try await Workspace.find(id: id, platform.pool)
    {
      sides.append(twin)
    }
    // Whoever opened the workspace may have died before its ledgers' first rows were written.
    if isByAdmin { for side in sides { try await side.defineCredits(platform.pool) } }
    let (joined, line, stage) = try await platform.pool.transaction(in: workspace.scope) {
      [sides] tx in
      try await tx.take(self, at: at)
      let joined = try await person(tx)
      var entered: [Workspace] = []
      for side in sides where try await tx.join(joined, side, self, at: at) {
        entered.append(side)
      }
      guard entered.contains(workspace) else { throw Member.Refusal.notFound }
      let line = try await tx.tellOfJoining(
        joined, self, in: workspace.scope, and: entered.count > 1 ? workspace.twinID : nil)
      // The owner is in, so the pilot begins.
      let stage =
        role == .owner
        ? try await tx.take(
          .pilot, of: workspace, by: Actor(.operator, joined.email), at: at) : nil
      return (joined, line, stage)
    }
    for side in sides where side != workspace {
      try await AuditEntry.mirror(line, to: side, platform.pool)
    }
    try await stage?.follow(platform)
    return joined
  }
}

extension Transaction {
  fileprivate func take(_ invitation: Invitation, at: Date) async throws {
    let taken = try await execute(
      """
      update invitations set used_at = \(at)
      where workspace_id = \(invitation.workspaceID) and invitation_id = \(invitation.id)
        and used_at is null and revoked_at is null and expires_at > \(at)
      """)
    guard taken == 1 else { throw Member.Refusal.notFound }
  }

  /// - Returns: Whether the inviter may still let people into this side.
  fileprivate func join(
    _ person: Operator, _ side: Workspace, _ invitation: Invitation, at: Date
  ) async throws -> Bool {
    try await execute(
      "update invitations set used_by = \(person.id) where invitation_id = \(invitation.id)")
    // The inviter's own place is held meanwhile: whoever loses it now waits until this is done.
    let maker: SQL =
      invitation.isByAdmin
      ? """
      select from operators o where o.email = \(invitation.madeBy) and o.is_admin for share
      """
      : """
      select from memberships m join operators o using (operator_id)
      where o.email = \(invitation.madeBy) and m.workspace_id = \(side.id) and m.role = 'owner'
      for share of m
      """
    let mayInvite = try await !query(maker).isEmpty
    guard mayInvite else { return false }
    try await execute(
      """
      insert into memberships as m (workspace_id, operator_id, role, created_at)
      values (\(side.id), \(person.id), \(invitation.role.rawValue), \(at))
      on conflict (workspace_id, operator_id) do update set role = excluded.role
      where array_position(array['viewer', 'support', 'manager', 'owner'], m.role)
        < array_position(array['viewer', 'support', 'manager', 'owner'], excluded.role)
      """)
    return true
  }

  fileprivate func tellOfJoining(
    _ person: Operator, _ invitation: Invitation, in scope: WorkspaceScope, and twinID: Int64?
  ) async throws -> Int64 {
    try await auditBothSides(
      Actor(.operator, person.email), "team.joined", "operator", person.email,
      after: ["role": invitation.role.rawValue, "invited_by": invitation.madeBy], in: scope,
      and: twinID, at: scope.now)
  }
}
