import Foundation
import Ledger
import Postgres

/// Who did something: an operator, an admin of the platform, a bot's key, Telegram itself, a job.
public struct Actor: Sendable, Equatable {
  public enum Kind: String, Sendable { case `operator`, admin, bot, telegram, job, system }
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
  public let id: Int64
  public let at: Date
  public let actor: Actor
  public let action: String
  /// What kind of thing it was about.
  public let subjectKind: String
  /// What it was about, within its kind.
  public let subject: String
  /// Facts that it changed, as they were and as they are since.
  public let before: [String: String]
  public let after: [String: String]
  public let reason: String?

  init(_ row: Row) throws {
    id = try row.get("audit_entry_id")
    at = try row.get("at")
    actor = Actor(
      Actor.Kind(rawValue: try row.get("actor_kind")) ?? .system, try row.get("actor"))
    action = try row.get("action")
    subjectKind = try row.get("subject_kind")
    subject = try row.get("subject")
    before = try Self.facts(row.getIfPresent("before"))
    after = try Self.facts(row.getIfPresent("after"))
    reason = try row.getIfPresent("reason")
  }

  private static func facts(_ json: String?) throws -> [String: String] {
    try json.map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8)) } ?? [:]
  }

  /// The lines about things of a kind, newest first, older than the line `before`.
  ///
  /// - Parameter subject: nil = about all of them.
  public static func history(
    of subjectKind: String, _ subject: String? = nil, before: Int64? = nil, limit: Int,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [AuditEntry] {
    try await pool.query(
      """
      select * from audit_entries where workspace_id = \(scope.workspaceID)
        and subject_kind = \(subjectKind)
        and (\(subject)::text is null or subject = \(subject)::text)
        and audit_entry_id < \(before ?? .max)
      order by audit_entry_id desc limit \(limit)
      """, in: scope
    ).map(AuditEntry.init)
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
    _ = try await auditLine(
      actor, action, subjectKind, subject, before: before, after: after, reason: reason,
      in: scope, at: at)
  }

  /// The same, and tells the line's number.
  func auditLine(
    _ actor: Actor, _ action: String, _ subjectKind: String, _ subject: String,
    before: [String: String] = [:], after: [String: String] = [:], reason: String? = nil,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Int64 {
    assert(
      AuditVocabulary.knows(
        action, Set(before.keys).union(after.keys), about: subjectKind),
      "AuditVocabulary does not list \(action) with \(before) and \(after) about \(subjectKind)")
    func text(_ facts: [String: String]) throws -> String? {
      facts.isEmpty ? nil : String(decoding: try JSONEncoder().encode(facts), as: UTF8.self)
    }
    return try await query(
      """
      insert into audit_entries (workspace_id, at, actor_kind, actor, action, subject_kind,
        subject, before, after, reason)
      values (\(scope.workspaceID), \(at), \(actor.kind.rawValue), \(actor.name), \(action),
        \(subjectKind), \(subject), \(text(before))::jsonb, \(text(after))::jsonb, \(reason))
      returning audit_entry_id
      """)[0].get("audit_entry_id")
  }
}
