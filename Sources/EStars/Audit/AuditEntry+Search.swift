import Foundation
import Ledger
import Postgres

extension AuditEntry {
  /// What a reader of the log looks for; nil and empty: all.
  public struct Filter: Sendable, Equatable {
    public var actor: String?
    public var action: String?
    public var subjectKind: String?
    public var subject: String?
    public var from: Date?
    /// Not reached.
    public var until: Date?

    public init(
      actor: String? = nil, action: String? = nil, subjectKind: String? = nil,
      subject: String? = nil, from: Date? = nil, until: Date? = nil
    ) {
      self.actor = actor
      self.action = action
      self.subjectKind = subjectKind
      self.subject = subject
      self.from = from
      self.until = until
    }
  }

  /// What the filters may choose from.
  public struct Names: Sendable {
    public let actors: [String]
    public let actions: [String]
    public let subjectKinds: [String]
  }

  /// Newest first.
  ///
  /// - Parameter before: The line after which the page goes on.
  public static func search(
    _ filter: Filter, before: Int64? = nil, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [AuditEntry] {
    let workspace = scope.workspaceID
    var conditions: SQL = "workspace_id = \(workspace)"
    if let actor = filter.actor { conditions = "\(conditions) and actor = \(actor)" }
    if let action = filter.action { conditions = "\(conditions) and action = \(action)" }
    if let kind = filter.subjectKind { conditions = "\(conditions) and subject_kind = \(kind)" }
    if let subject = filter.subject { conditions = "\(conditions) and subject = \(subject)" }
    if let from = filter.from { conditions = "\(conditions) and at >= \(from)" }
    if let until = filter.until { conditions = "\(conditions) and at < \(until)" }
    if let before {
      conditions = """
        \(conditions) and (at, audit_entry_id) < ((select at from audit_entries
          where workspace_id = \(workspace) and audit_entry_id = \(before)), \(before)::bigint)
        """
    }
    return try await pool.query(
      """
      select * from audit_entries where \(conditions)
      order by at desc, audit_entry_id desc limit \(limit)
      """, in: scope
    ).map(AuditEntry.init)
  }

  /// The names that occur. Each is one step through an index, however many lines carry it.
  public static func names(in scope: WorkspaceScope, _ pool: Pool) async throws -> Names {
    func distinct(_ column: SQL) async throws -> [String] {
      try await pool.query(
        """
        with recursive names (name) as (
          (select \(column) from audit_entries where workspace_id = \(scope.workspaceID)
            order by \(column) limit 1)
          union all
          select (select a.\(column) from audit_entries a
            where a.workspace_id = \(scope.workspaceID) and a.\(column) > n.name
            order by a.\(column) limit 1)
          from names n where n.name is not null
        )
        select name from names where name is not null limit \(Limits.auditNames)
        """, in: scope
      ).map { try $0.get("name") }
    }
    return Names(
      actors: try await distinct("actor"), actions: try await distinct("action"),
      subjectKinds: try await distinct("subject_kind"))
  }
}
