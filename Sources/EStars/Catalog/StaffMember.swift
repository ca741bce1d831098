import Foundation
import Ledger
import Postgres

/// A person of the house, who may buy what is for staff only.
public struct StaffMember: Sendable, Equatable {
  public let telegramID: Int64
  /// The operator's own note; may be empty.
  public let name: String
  /// E-mail address of the operator; empty where it was nobody.
  public let addedBy: String
  public let addedAt: Date
  /// Where the person uses a bot of the workspace.
  public let customer: Customer?

  /// Oldest first.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [StaffMember] {
    let rows = try await pool.query(
      """
      select * from staff where workspace_id = \(scope.workspaceID) order by added_at, telegram_id
      """, in: scope)
    let customers = try await pool.query(
      """
      select c.* from staff s join customers c using (workspace_id, telegram_id)
      where s.workspace_id = \(scope.workspaceID)
      """, in: scope
    ).map(Customer.init)
    return try rows.map { row in
      let telegramID: Int64 = try row.get("telegram_id")
      return StaffMember(
        telegramID: telegramID, name: try row.get("name"), addedBy: try row.get("added_by"),
        addedAt: try row.get("added_at"),
        customer: customers.first { $0.telegramID == telegramID })
    }
  }

  static func includes(
    _ telegramID: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Bool {
    try await !pool.query(
      """
      select from staff where workspace_id = \(scope.workspaceID) and telegram_id = \(telegramID)
      """, in: scope
    ).isEmpty
  }

  /// - Throws: ``RuleRefusal``
  public static func add(
    _ telegramID: Int64, name: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let workspace = scope.workspaceID
      let count = try await tx.query(
        "select count(*) from staff where workspace_id = \(workspace)")[0]
        .get("count", as: Int.self)
      guard count < Limits.staff else { throw RuleRefusal.tooMany }
      let inserted = try await tx.execute(
        """
        insert into staff (workspace_id, telegram_id, name, added_by, added_at)
        values (\(workspace), \(telegramID), \(name), \(actor.name), \(scope.now))
        on conflict (workspace_id, telegram_id) do nothing
        """)
      guard inserted == 1 else { throw RuleRefusal.taken }
      try await tx.audit(
        actor, "staff.added", "staff", String(telegramID),
        after: name.isEmpty ? [:] : ["name": name], in: scope, at: scope.now)
    }
  }

  /// - Throws: ``RuleRefusal/notFound``
  public static func remove(
    _ telegramID: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let removed = try await tx.query(
        """
        delete from staff where workspace_id = \(scope.workspaceID)
          and telegram_id = \(telegramID) returning name
        """
      ).first
      guard let name = try removed?.get("name", as: String.self) else {
        throw RuleRefusal.notFound
      }
      try await tx.audit(
        actor, "staff.removed", "staff", String(telegramID),
        before: name.isEmpty ? [:] : ["name": name], in: scope, at: scope.now)
    }
  }
}
