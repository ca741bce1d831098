import Foundation
import Postgres

/// Somebody with an account, as admins see them.
public struct OperatorRecord: Sendable, Equatable {
  public struct Place: Sendable, Equatable {
    public let workspaceName: String
    public let slug: String
    /// Of the live side, where the business has one.
    public let businessID: Int64
    public let role: Role
  }

  public let person: Operator
  public let createdAt: Date
  /// nil: not signed in at present.
  public let lastSeenAt: Date?
  public let places: [Place]

  private static let select: SQL = """
    select \(Operator.columns), o.created_at,
      (select max(s.last_seen_at) from sessions s
        where s.operator_id = o.operator_id and not s.awaits_totp) as last_seen_at
    from operators o
    """

  /// Admins first, then the newest.
  ///
  /// - Parameters:
  ///   - text: A part of the name or e-mail address; empty = all.
  ///   - after: The last of the page before.
  public static func all(
    named text: String = "", after: Int64? = nil, limit: Int, _ pool: Pool
  ) async throws -> [OperatorRecord] {
    let pattern = text.isEmpty ? nil : "%" + text.replacing(/[\\%_]/) { "\\" + $0.output } + "%"
    let next: SQL =
      after.map {
        """
        and (not o.is_admin, -o.operator_id) > (select not l.is_admin, -l.operator_id
          from operators l where l.operator_id = \($0))
        """
      } ?? ""
    return try await records(
      """
      \(select) where (\(pattern)::text is null or o.name ilike \(pattern)::text
        or o.email ilike \(pattern)::text) \(next)
      order by not o.is_admin, -o.operator_id limit \(limit)
      """, pool)
  }

  public static func find(id: Int64, _ pool: Pool) async throws -> OperatorRecord? {
    try await records("\(select) where o.operator_id = \(id)", pool).first
  }

  public static func adminCount(_ pool: Pool) async throws -> Int64 {
    try await pool.query("select count(*) as count from operators where is_admin")[0].get("count")
  }

  /// The owners of a workspace.
  public static func owners(of workspaceID: Int64, _ pool: Pool) async throws -> [OperatorRecord] {
    try await records(
      """
      \(select) join memberships m using (operator_id)
      where m.workspace_id = \(workspaceID) and m.role = 'owner' order by o.operator_id limit 50
      """, pool)
  }

  private static func records(_ sql: SQL, _ pool: Pool) async throws -> [OperatorRecord] {
    let rows = try await pool.query(sql)
    let people = try rows.map { try Operator($0) }
    var places: [Int64: [Place]] = [:]
    if !people.isEmpty {
      let found = try await pool.query(
        """
        select m.operator_id, m.role, w.name, w.slug,
          case w.side when 'live' then w.workspace_id
            else coalesce(w.twin_id, w.workspace_id) end as business_id
        from memberships m join workspaces w using (workspace_id)
        where m.operator_id = any(\(people.map(\.id))) order by w.name, w.side
        """)
      for row in found {
        places[try row.get("operator_id"), default: []].append(
          Place(
            workspaceName: try row.get("name"), slug: try row.get("slug"),
            businessID: try row.get("business_id"),
            role: Role(rawValue: try row.get("role")) ?? .viewer))
      }
    }
    return try zip(rows, people).map { row, person in
      OperatorRecord(
        person: person, createdAt: try row.get("created_at"),
        lastSeenAt: try row.getIfPresent("last_seen_at"), places: places[person.id] ?? [])
    }
  }
}

extension Operator {
  /// Makes somebody an admin of the platform, or says that they are one. The second factor is asked
  /// for when they sign in.
  ///
  /// - Parameter actor: For the log; there is no admin before the first.
  /// - Returns: Whether they were none before.
  @discardableResult
  public func makeAdmin(by actor: String, at: Date, _ pool: Pool) async throws -> Bool {
    try await pool.transaction { tx in
      let changed = try await tx.execute(
        "update operators set is_admin = true where operator_id = \(id) and not is_admin")
      guard changed == 1 else { return false }
      try await tx.auditAdmin(named: actor, "admin.added", "operator", email, at: at)
      return true
    }
  }
}
