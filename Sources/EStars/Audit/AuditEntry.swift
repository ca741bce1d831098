import Foundation
import Ledger
import Postgres

/// Who did something: an operator, a bot's key, Telegram itself, a job.
public struct Actor: Sendable, Equatable {
  public enum Kind: String, Sendable { case `operator`, bot, telegram, job, system }
  public let kind: Kind
  /// An e-mail address, a bot's username or a job's kind.
  public let name: String

  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }
}

/// One line of a workspace's audit log: who did what to which thing, and why.
public struct AuditEntry: Sendable, Equatable {
  public let at: Date
  public let actor: Actor
  public let action: String
  public let reason: String?

  init(_ row: Row) throws {
    at = try row.get("at")
    actor = Actor(
      Actor.Kind(rawValue: try row.get("actor_kind")) ?? .system, try row.get("actor"))
    action = try row.get("action")
    reason = try row.getIfPresent("reason")
  }

  /// The lines about one thing, oldest first.
  public static func about(
    _ subjectKind: String, _ subject: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [AuditEntry] {
    try await pool.query(
      """
      select * from audit_entries where workspace_id = \(scope.workspaceID)
        and subject_kind = \(subjectKind) and subject = \(subject)
      order by audit_entry_id limit 200
      """, in: scope
    ).map(AuditEntry.init)
  }
}

extension Transaction {
  /// Writes an audit line in the same transaction as the change it tells of.
  func audit(
    _ actor: Actor, _ action: String, _ subjectKind: String, _ subject: String,
    before: [String: String] = [:], after: [String: String] = [:], reason: String? = nil,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    func text(_ facts: [String: String]) throws -> String? {
      facts.isEmpty ? nil : String(decoding: try JSONEncoder().encode(facts), as: UTF8.self)
    }
    try await execute(
      """
      insert into audit_entries (workspace_id, at, actor_kind, actor, action, subject_kind,
        subject, before, after, reason)
      values (\(scope.workspaceID), \(at), \(actor.kind.rawValue), \(actor.name), \(action),
        \(subjectKind), \(subject), \(text(before))::jsonb, \(text(after))::jsonb, \(reason))
      """)
  }
}
