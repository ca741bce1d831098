import Foundation
import Ledger
import Postgres

extension Tier {
  /// Adds a tier above all others.
  ///
  /// - Throws: ``RuleRefusal``
  public static func create(
    key: String, title: String, entitlement: String, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.lockedTiers(in: scope)
      guard known.count < Limits.tiers else { throw RuleRefusal.tooMany }
      guard !known.contains(where: { $0.key == key || $0.entitlement == entitlement }) else {
        throw RuleRefusal.taken
      }
      try await tx.naming {
        try await tx.execute(
          """
          insert into tiers (workspace_id, tier, title, entitlement, position)
          values (\(scope.workspaceID), \(key), \(title), \(entitlement),
            \((known.map(\.position).max() ?? 0) + 1))
          """)
      }
      try await tx.audit(
        actor, "tier.created", "tier", key, after: ["title": title, "entitlement": entitlement],
        in: scope, at: scope.now)
    }
  }

  /// Changes what a tier is called, what makes a customer belong to it (the base tier needs
  /// nothing) and its place among the others, from 1.
  ///
  /// - Throws: ``RuleRefusal``
  public static func edit(
    _ key: String, title: String, entitlement: String?, place: Int?, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.lockedTiers(in: scope)
      guard let present = known.first(where: { $0.key == key }) else {
        throw RuleRefusal.notFound
      }
      let entitlement = present.isBase ? nil : entitlement ?? present.entitlement
      guard !known.contains(where: { $0.key != key && $0.entitlement == entitlement }) else {
        throw RuleRefusal.taken
      }
      try await tx.naming {
        try await tx.execute(
          """
          update tiers set title = \(title), entitlement = \(entitlement)
          where workspace_id = \(scope.workspaceID) and tier = \(key)
          """)
      }
      var order = known.filter { !$0.isBase && $0.key != key }.map(\.key)
      var facts = (before: ["title": present.title], after: ["title": title])
      if !present.isBase {
        let index = min(max(0, (place ?? present.position) - 1), order.count)
        order.insert(key, at: index)
        try await tx.arrange(order, in: scope)
        facts.before["entitlement"] = present.entitlement
        facts.after["entitlement"] = entitlement
        let was = known.filter { !$0.isBase }.firstIndex { $0.key == key } ?? 0
        facts.before["place"] = String(was + 1)
        facts.after["place"] = String(index + 1)
      }
      let (before, after) = FactChange.between(facts.before, facts.after)
      guard before != after else { return }
      try await tx.audit(
        actor, "tier.edited", "tier", key, before: before, after: after, in: scope, at: scope.now)
    }
  }

  /// - Throws: ``RuleRefusal/inUse`` while an action has rules for it, and for the base tier.
  public static func remove(
    _ key: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.lockedTiers(in: scope)
      guard let present = known.first(where: { $0.key == key }) else {
        throw RuleRefusal.notFound
      }
      guard !present.isBase else { throw RuleRefusal.inUse }
      do {
        try await tx.execute(
          "delete from tiers where workspace_id = \(scope.workspaceID) and tier = \(key)")
      } catch let error as PostgresError where error.sqlState == .foreignKeyViolation {
        throw RuleRefusal.inUse
      }
      try await tx.audit(
        actor, "tier.removed", "tier", key,
        before: ["title": present.title, "entitlement": present.entitlement ?? ""], in: scope,
        at: scope.now)
    }
  }
}

extension Transaction {
  /// All tiers, with the base tier in hand: one change of the order at a time.
  fileprivate func lockedTiers(in scope: WorkspaceScope) async throws -> [Tier] {
    try await execute(
      """
      select from tiers where workspace_id = \(scope.workspaceID) and entitlement is null
      for no key update
      """)
    return try await query(Tier.select(in: scope)).map(Tier.init)
  }

  fileprivate func arrange(_ order: [String], in scope: WorkspaceScope) async throws {
    try await execute(
      """
      update tiers t set position = o.place
      from unnest(\(order)::text[]) with ordinality o (tier, place)
      where t.workspace_id = \(scope.workspaceID) and t.tier = o.tier and t.position <> o.place
      """)
  }
}
