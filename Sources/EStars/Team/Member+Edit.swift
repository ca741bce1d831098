import Foundation
import Ledger
import Postgres

extension Member {
  /// Gives a member another role on these sides of a business, where they are a member at all.
  ///
  /// - Parameter sides: Those that the one who asks owns.
  /// - Throws: ``Refusal``
  public static func change(
    _ id: Int64, to role: Role, on sides: [Workspace], by actor: Actor, _ pool: Pool
  ) async throws {
    try await edit(id, to: role, on: sides, by: actor, pool)
  }

  /// Takes somebody off the team: their support cases are nobody's then, and links that they made are
  /// good for nothing.
  ///
  /// - Parameter sides: Those that the one who asks owns.
  /// - Throws: ``Refusal``
  public static func remove(
    _ id: Int64, from sides: [Workspace], by actor: Actor, _ pool: Pool
  ) async throws {
    try await edit(id, to: nil, on: sides, by: actor, pool)
  }

  /// Each side in a transaction of its own, the first of them before all others: what it refuses
  /// happens nowhere.
  private static func edit(
    _ id: Int64, to role: Role?, on sides: [Workspace], by actor: Actor, _ pool: Pool
  ) async throws {
    var refusal: Refusal?
    for (number, side) in sides.enumerated() {
      do {
        try await pool.transaction(in: side.scope) { tx in
          try await tx.edit(id, to: role, by: actor, in: side.scope)
        }
      } catch let problem as Refusal {
        guard number > 0 else { throw problem }
        // Who is not on the other side need not be taken off it.
        if problem != .notFound { refusal = problem }
      }
    }
    if let refusal { throw refusal }
  }
}

extension Transaction {
  fileprivate func edit(
    _ id: Int64, to role: Role?, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    // The whole team is in hand, so that two owners cannot take each other's place away at once.
    let team = try await query(
      """
      select m.operator_id, m.role, o.email from memberships m join operators o using (operator_id)
      where m.workspace_id = \(scope.workspaceID) order by m.operator_id for update of m
      """)
    let row = try team.first { try $0.get("operator_id", as: Int64.self) == id }
    guard let row, let old = Role(rawValue: try row.get("role")) else {
      throw Member.Refusal.notFound
    }
    guard old != role else { return }
    let owners = try team.filter { try $0.get("role", as: String.self) == Role.owner.rawValue }
    guard old != .owner || owners.count > 1 else { throw Member.Refusal.lastOwner }
    let email: String = try row.get("email")
    let cases = (role ?? .viewer) < .support ? try await unassign(id, in: scope) : 0
    if old == .owner { try await revokeLinks(madeBy: email, in: scope) }
    if let role {
      try await execute(
        """
        update memberships set role = \(role.rawValue)
        where workspace_id = \(scope.workspaceID) and operator_id = \(id)
        """)
    } else {
      try await execute(
        """
        delete from memberships
        where workspace_id = \(scope.workspaceID) and operator_id = \(id)
        """)
    }
    var after = role.map { ["role": $0.rawValue] } ?? [:]
    if cases > 0 { after["unassigned_cases"] = String(cases) }
    try await audit(
      actor, role == nil ? "team.removed" : "team.role_changed", "operator", email,
      before: ["role": old.rawValue], after: after, in: scope, at: scope.now)
  }

  /// The cases of somebody who cannot answer them any more wait for somebody else.
  private func unassign(_ id: Int64, in scope: WorkspaceScope) async throws -> Int {
    try await execute(
      """
      update support_cases set assigned_to = null
      where workspace_id = \(scope.workspaceID) and assigned_to = \(id)
      """)
  }

  /// Whoever is no owner any more must not come back by a link of the time before.
  private func revokeLinks(madeBy email: String, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      update invitations set revoked_at = \(Date())
      where workspace_id = \(scope.workspaceID) and made_by = \(email) and used_at is null
        and revoked_at is null
      """)
    try await execute("delete from reset_links where made_by = \(email) and used_at is null")
  }
}
