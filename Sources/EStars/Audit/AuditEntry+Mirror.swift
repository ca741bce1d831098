import Foundation
import Ledger
import Postgres

/// What is done to a business as a whole stands in the logs of both its sides. No transaction writes
/// into two workspaces, so the one that does it leaves a job behind. Whoever takes the job away writes
/// the other side's line: the same process at once, or a worker where that one died in between.
extension AuditEntry {
  /// Writes a line of one side's log into the other's, once.
  ///
  /// - Parameter side: The one whose log is still to be told.
  static func mirror(_ id: Int64, to side: Workspace, _ pool: Pool) async throws {
    guard let twinID = side.twinID, let twin = try await Workspace.find(id: twinID, pool),
      let line = try await find(id, in: twin.scope, pool)
    else { return }
    try await pool.transaction(in: side.scope) { tx in
      let isOwed = try await tx.execute(
        """
        delete from jobs where workspace_id = \(side.id)
          and kind = \(Job.Kind.auditMirror.rawValue) and subject = \(String(id))
        """)
      guard isOwed == 1 else { return }
      let offset = side.clockOffsetSeconds - twin.clockOffsetSeconds
      try await tx.audit(
        line.actor, line.action, line.subjectKind,
        line.subjectKind == "workspace" ? String(side.id) : line.subject, before: line.before,
        after: line.after, reason: line.reason, in: side.scope,
        at: line.at.addingTimeInterval(TimeInterval(offset)))
    }
  }

  private static func find(
    _ id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> AuditEntry? {
    try await pool.query(
      """
      select * from audit_entries where workspace_id = \(scope.workspaceID)
        and audit_entry_id = \(id)
      """, in: scope
    ).first.map(AuditEntry.init)
  }
}

extension Transaction {
  /// Writes a line of which the other side's log is told, too.
  ///
  /// - Parameter twinID: The other side; nil: there is none, or it is none of its business.
  /// - Returns: The line's number, for ``AuditEntry/mirror(_:to:_:)``.
  func auditBothSides(
    _ actor: Actor, _ action: String, _ subjectKind: String, _ subject: String,
    before: [String: String] = [:], after: [String: String] = [:], reason: String? = nil,
    in scope: WorkspaceScope, and twinID: Int64?, at: Date
  ) async throws -> Int64 {
    let line = try await auditLine(
      actor, action, subjectKind, subject, before: before, after: after, reason: reason,
      in: scope, at: at)
    if let twinID {
      try await Job.enqueue(.auditMirror, subject: String(line), forWorkspace: twinID, self)
    }
    return line
  }
}
