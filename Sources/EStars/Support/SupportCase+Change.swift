import Foundation
import Ledger
import Postgres

/// Somebody who may take care of cases.
public struct SupportAgent: Sendable, Equatable {
  public let operatorID: Int64
  public let name: String

  /// Members of the workspace who answer buyers, by name.
  public static func all(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [SupportAgent] {
    try await pool.query(
      """
      select o.operator_id, o.name from memberships m join operators o using (operator_id)
      where m.workspace_id = \(scope.workspaceID) and m.role <> 'viewer'
      order by o.name, o.operator_id limit 200
      """
    ).map { SupportAgent(operatorID: try $0.get("operator_id"), name: try $0.get("name")) }
  }
}

extension SupportCase {
  /// Gives the case to somebody; nil: to nobody.
  ///
  /// - Throws: ``SupportRefusal``
  public static func assign(
    _ id: Int64, to operatorID: Int64?, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard let supportCase = try await tx.lockSupportCase(id, in: scope) else {
        throw SupportRefusal.notFound
      }
      guard supportCase.assignedTo != operatorID else { return }
      var name: String?
      if let operatorID {
        name = try await tx.query(
          """
          select o.name from memberships m join operators o using (operator_id)
          where m.workspace_id = \(scope.workspaceID) and m.operator_id = \(operatorID)
            and m.role <> 'viewer'
          """
        ).first?.get("name")
        guard name != nil else { throw SupportRefusal.notAMember }
      }
      try await tx.execute(
        """
        update support_cases set assigned_to = \(operatorID)
        where workspace_id = \(scope.workspaceID) and support_case_id = \(id)
        """)
      try await tx.audit(
        actor, "support.assigned", "support_case", String(id),
        before: supportCase.assignee.map { ["assignee": $0] } ?? [:],
        after: name.map { ["assignee": $0] } ?? [:], in: scope, at: scope.now)
    }
  }

  /// Ends the case. Closing one that is closed does nothing.
  ///
  /// - Parameter seen: The newest message that was read; nil where nobody read.
  /// - Throws: ``SupportRefusal``
  public static func close(
    _ id: Int64, seen: Int64?, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard let supportCase = try await tx.lockSupportCase(id, in: scope) else {
        throw SupportRefusal.notFound
      }
      guard supportCase.state != .closed else { return }
      if let seen, try await tx.hasWords(of: supportCase, after: seen, in: scope) {
        throw SupportRefusal.newWords
      }
      try await tx.close(supportCase, by: actor, in: scope, at: scope.now)
    }
  }

  /// Takes a closed case up again: the next word is ours. One that goes on is left as it is.
  ///
  /// - Throws: ``SupportRefusal/notFound``
  public static func reopen(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard let supportCase = try await tx.lockSupportCase(id, in: scope) else {
        throw SupportRefusal.notFound
      }
      guard supportCase.state == .closed else { return }
      let at = scope.now
      try await tx.execute(
        """
        update support_cases set state = 'open', waits_since = \(at), closed_at = null,
          closed_by = null
        where workspace_id = \(scope.workspaceID) and support_case_id = \(id)
        """)
      try await tx.audit(
        actor, "support.reopened", "support_case", String(id), in: scope, at: at)
    }
  }
}

extension Transaction {
  func close(
    _ supportCase: SupportCase, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      update support_cases set state = 'closed', waits_since = null, closed_at = \(at),
        closed_by = \(actor.name)
      where workspace_id = \(scope.workspaceID) and support_case_id = \(supportCase.id)
      """)
    try await audit(
      actor, "support.closed", "support_case", String(supportCase.id),
      before: ["state": supportCase.state.rawValue], in: scope, at: at)
    try await emit(.supportCaseClosed, supportCase, in: scope, at: at)
  }

  fileprivate func hasWords(
    of supportCase: SupportCase, after seen: Int64, in scope: WorkspaceScope
  ) async throws -> Bool {
    try await !query(
      """
      select from support_messages where workspace_id = \(scope.workspaceID)
        and support_case_id = \(supportCase.id) and author_kind = 'buyer'
        and support_message_id > \(seen) limit 1
      """
    ).isEmpty
  }
}
