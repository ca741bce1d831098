import Foundation
import Ledger
import Postgres

extension Entitlement {
  /// - Throws: ``RuleRefusal``
  public static func create(
    key: String, title: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let workspace = scope.workspaceID
      let count = try await tx.query(
        "select count(*) from entitlements where workspace_id = \(workspace)"
      )[0].get("count", as: Int.self)
      guard count < Limits.entitlements else { throw RuleRefusal.tooMany }
      let inserted = try await tx.execute(
        """
        insert into entitlements (workspace_id, entitlement, title, position)
        values (\(workspace), \(key), \(title), (select coalesce(max(position) + 1, 0)
          from entitlements where workspace_id = \(workspace)))
        on conflict (workspace_id, entitlement) do nothing
        """)
      guard inserted == 1 else { throw RuleRefusal.taken }
      try await tx.audit(
        actor, "entitlement.created", "entitlement", key, after: ["title": title], in: scope,
        at: scope.now)
    }
  }

  /// Changes what it is called; its key is what bots and packs know it by, and stays.
  ///
  /// - Throws: ``RuleRefusal``
  public static func rename(
    _ key: String, to title: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.query(
        """
        select title from entitlements where workspace_id = \(scope.workspaceID)
          and entitlement = \(key) for no key update
        """
      ).first
      guard let before = try known?.get("title", as: String.self) else {
        throw RuleRefusal.notFound
      }
      guard before != title else { return }
      try await tx.execute(
        """
        update entitlements set title = \(title) where workspace_id = \(scope.workspaceID)
          and entitlement = \(key)
        """)
      try await tx.audit(
        actor, "entitlement.edited", "entitlement", key, before: ["title": before],
        after: ["title": title], in: scope, at: scope.now)
    }
  }
}
