import Foundation
import Postgres

/// One line of the platform's own log: what an admin did. It names no applicant.
public struct AdminAuditEntry: Sendable, Equatable {
  public let id: Int64
  public let at: Date
  /// An e-mail address, or the command line.
  public let actor: String
  public let action: String
  public let subjectKind: String
  public let subject: String
  public let before: [String: String]
  public let after: [String: String]
  public let reason: String?

  init(_ row: Row) throws {
    id = try row.get("admin_audit_entry_id")
    at = try row.get("at")
    actor = try row.get("actor")
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

  /// Newest first.
  ///
  /// - Parameter before: The line after which the page goes on.
  public static func search(
    _ filter: AuditEntry.Filter, before: Int64? = nil, limit: Int, _ pool: Pool
  ) async throws -> [AdminAuditEntry] {
    var conditions: SQL = "true"
    if let actor = filter.actor { conditions = "\(conditions) and actor = \(actor)" }
    if let action = filter.action { conditions = "\(conditions) and action = \(action)" }
    if let kind = filter.subjectKind { conditions = "\(conditions) and subject_kind = \(kind)" }
    if let subject = filter.subject { conditions = "\(conditions) and subject = \(subject)" }
    if let from = filter.from { conditions = "\(conditions) and at >= \(from)" }
    if let until = filter.until { conditions = "\(conditions) and at < \(until)" }
    if let before {
      conditions = """
        \(conditions) and (at, admin_audit_entry_id) < ((select at from admin_audit_entries
          where admin_audit_entry_id = \(before)), \(before)::bigint)
        """
    }
    return try await pool.query(
      """
      select * from admin_audit_entries where \(conditions)
      order by at desc, admin_audit_entry_id desc limit \(limit)
      """
    ).map(AdminAuditEntry.init)
  }

  /// The lines about one thing, newest first.
  public static func about(
    _ subjectKind: String, _ subject: String, limit: Int, _ pool: Pool
  ) async throws -> [AdminAuditEntry] {
    try await search(
      .init(subjectKind: subjectKind, subject: subject), limit: limit, pool)
  }

  /// Whoever has written a line.
  public static func actors(_ pool: Pool) async throws -> [String] {
    try await pool.query(
      """
      select distinct actor from (select actor from admin_audit_entries
        order by at desc, admin_audit_entry_id desc limit 10000) recent
      order by actor limit \(Limits.auditNames)
      """
    ).map { try $0.get("actor") }
  }
}

/// Every action that the platform's log may hold, with the facts of its lines; pages have words for
/// all of these, the same as for a workspace's log.
public enum AdminAuditVocabulary {
  public static let facts: [String: Set<String>] = [
    "admin.added": [],
    "application.approved": ["slug"], "application.asked": [], "application.declined": ["reason"],
    "application.noted": [], "application.removed": ["state"],
    "expansion_request.approved": [], "expansion_request.declined": [],
    "invitation_code.made": ["max_uses", "valid_days"], "invitation_code.revoked": [],
    "team.invited": ["invitation"], "team.invitation_revoked": ["invitation"],
    "team.reset_made": ["resets"],
    "workspace.resumed": ["stage"], "workspace.suspended": ["stage"],
    "workspace.visited": ["until"],
  ]

  public static let subjectKinds: Set<String> = [
    "application", "invitation_code", "operator", "workspace",
  ]

  /// The codes that a fact may have; none where it has no codes.
  public static func codes(of fact: String, in action: String) -> [String] {
    switch (AuditVocabulary.noun(of: action), fact) {
    case ("application", "reason"): Application.DeclineReason.allCases.map(\.rawValue)
    case ("application", "state"): Application.State.allCases.map(\.rawValue)
    case (_, "stage"): Workspace.Stage.allCases.map(\.rawValue)
    default: AuditVocabulary.codes(of: fact, in: action)
    }
  }

  static func knows(_ action: String, _ names: some Sequence<String>, about kind: String) -> Bool {
    guard let known = facts[action], subjectKinds.contains(kind) else { return false }
    return names.allSatisfy(known.contains)
  }
}

extension Transaction {
  /// Writes a line of the platform's log in the same transaction as the change it tells of.
  func auditAdmin(
    _ admin: Operator, _ action: String, _ subjectKind: String, _ subject: String,
    before: [String: String] = [:], after: [String: String] = [:], reason: String? = nil, at: Date
  ) async throws {
    try await auditAdmin(
      named: admin.email, action, subjectKind, subject, before: before, after: after,
      reason: reason, at: at)
  }

  func auditAdmin(
    named actor: String, _ action: String, _ subjectKind: String, _ subject: String,
    before: [String: String] = [:], after: [String: String] = [:], reason: String? = nil, at: Date
  ) async throws {
    assert(
      AdminAuditVocabulary.knows(
        action, Set(before.keys).union(after.keys), about: subjectKind),
      "AdminAuditVocabulary does not list \(action) with \(before) and \(after) about \(subjectKind)"
    )
    func text(_ facts: [String: String]) throws -> String? {
      facts.isEmpty ? nil : String(decoding: try JSONEncoder().encode(facts), as: UTF8.self)
    }
    try await execute(
      """
      insert into admin_audit_entries (at, actor, action, subject_kind, subject, before, after,
        reason)
      values (\(at), \(actor), \(action), \(subjectKind), \(subject), \(text(before))::jsonb,
        \(text(after))::jsonb, \(reason))
      """)
  }
}
