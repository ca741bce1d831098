import Foundation
import Ledger
import Postgres

/// Why a rule was not changed. Nothing was.
public enum RuleRefusal: Error, Sendable, Equatable {
  case notFound
  /// The key belongs to another one.
  case taken
  /// Somebody changed it since the form was made.
  case changed
  /// An entitlement or a tier that is not there (any more).
  case unknownName
  /// Something still names it.
  case inUse
  case tooMany
}

extension ActionRules {
  /// The number of the latest change: a form carries it, and is good until the next one.
  public static func version(
    of key: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("action", key, in: scope)
    }
  }

  /// - Throws: ``RuleRefusal``
  public static func create(
    _ rules: ActionRules, reason: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      try await tx.createAction(rules, reason: reason, by: actor, in: scope, at: scope.now)
    }
  }

  /// Replaces the rules from now on. What was posted stays as it was.
  ///
  /// - Parameter version: of the rules that the form was made from.
  /// - Throws: ``RuleRefusal``
  public static func edit(
    _ rules: ActionRules, madeFrom version: Int64, reason: String, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      try await tx.editAction(
        rules, madeFrom: version, reason: reason, by: actor, in: scope, at: scope.now)
    }
  }

  /// Takes an action out of force, or puts it back. Asking for what is so already does nothing.
  ///
  /// - Throws: ``RuleRefusal``
  public static func setWithdrawn(
    _ isWithdrawn: Bool, _ key: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let at = scope.now
      guard let rules = try await tx.actionRules(key, isLocking: true, in: scope).first else {
        throw RuleRefusal.notFound
      }
      guard (rules.withdrawnAt != nil) != isWithdrawn else { return }
      try await tx.execute(
        """
        update actions set withdrawn_at = \(isWithdrawn ? at : nil)
        where workspace_id = \(scope.workspaceID) and action = \(key)
        """)
      try await tx.audit(
        actor, isWithdrawn ? "action.withdrawn" : "action.restored", "action", key, in: scope,
        at: at)
    }
  }
}

extension Transaction {
  /// The audit line of the latest change of a rule; 0 where none was made by hand.
  func ruleVersion(
    _ kind: String, _ key: String, in scope: WorkspaceScope
  ) async throws -> Int64 {
    try await query(
      """
      select coalesce(max(audit_entry_id), 0) as version from audit_entries
      where workspace_id = \(scope.workspaceID) and subject_kind = \(kind) and subject = \(key)
      """)[0].get("version")
  }

  fileprivate func createAction(
    _ rules: ActionRules, reason: String, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    let workspace = scope.workspaceID
    let count = try await query(
      "select count(*) from actions where workspace_id = \(workspace)")[0].get(
        "count", as: Int.self)
    guard count < Limits.actions else { throw RuleRefusal.tooMany }
    let inserted = try await naming {
      try await execute(
        """
        insert into actions (workspace_id, action, title, price_credits, unit_cost_micros,
          cost_currency, max_units, required_entitlement, unmetered_entitlement, outage_policy,
          outage_cap_units, position)
        values (\(workspace), \(rules.key), \(rules.title), \(rules.priceCredits),
          \(rules.unitCostMicros), \(rules.costCurrency), \(rules.maxUnits),
          \(rules.requiredEntitlement), \(rules.unmeteredEntitlement),
          \(rules.outagePolicy.rawValue), \(rules.outageCapUnits),
          (select coalesce(max(position) + 1, 0) from actions where workspace_id = \(workspace)))
        on conflict (workspace_id, action) do nothing
        """)
    }
    guard inserted == 1 else { throw RuleRefusal.taken }
    try await write(rules.allowances, of: rules.key, in: scope)
    try await audit(
      actor, "action.created", "action", rules.key, after: rules.facts,
      reason: reason.isEmpty ? nil : reason, in: scope, at: at)
  }

  fileprivate func editAction(
    _ rules: ActionRules, madeFrom version: Int64, reason: String, by actor: Actor,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let present = try await actionRules(rules.key, isLocking: true, in: scope).first
    guard let present else { throw RuleRefusal.notFound }
    guard try await ruleVersion("action", rules.key, in: scope) == version else {
      throw RuleRefusal.changed
    }
    let (before, after) = FactChange.between(present.facts, rules.facts)
    guard before != after else { return }
    try await naming {
      try await execute(
        """
        update actions set title = \(rules.title), price_credits = \(rules.priceCredits),
          unit_cost_micros = \(rules.unitCostMicros), cost_currency = \(rules.costCurrency),
          max_units = \(rules.maxUnits), required_entitlement = \(rules.requiredEntitlement),
          unmetered_entitlement = \(rules.unmeteredEntitlement),
          outage_policy = \(rules.outagePolicy.rawValue),
          outage_cap_units = \(rules.outageCapUnits)
        where workspace_id = \(scope.workspaceID) and action = \(rules.key)
        """)
    }
    if (rules.unitCostMicros, rules.costCurrency) != (present.unitCostMicros, present.costCurrency)
    {
      try await writeCost(
        of: rules.key, micros: rules.unitCostMicros, currency: rules.costCurrency, in: scope, at: at
      )
    }
    try await write(rules.allowances, of: rules.key, in: scope)
    try await audit(
      actor, "action.edited", "action", rules.key, before: before, after: after,
      reason: reason.isEmpty ? nil : reason, in: scope, at: at)
  }

  private func write(
    _ allowances: [String: ActionRules.Allowance], of action: String, in scope: WorkspaceScope
  ) async throws {
    let workspace = scope.workspaceID
    try await execute(
      """
      delete from action_tiers where workspace_id = \(workspace) and action = \(action)
        and tier <> all(\(Array(allowances.keys)))
      """)
    for (tier, allowance) in allowances.sorted(by: { $0.key < $1.key }) {
      try await naming {
        try await execute(
          """
          insert into action_tiers (workspace_id, action, tier, units_per_day, units_per_month,
            units_lifetime, free_units, free_period)
          values (\(workspace), \(action), \(tier), \(allowance.perDay), \(allowance.perMonth),
            \(allowance.lifetime), \(allowance.freeUnits), \(allowance.freePeriod.rawValue))
          on conflict (workspace_id, action, tier) do update set
            units_per_day = excluded.units_per_day, units_per_month = excluded.units_per_month,
            units_lifetime = excluded.units_lifetime, free_units = excluded.free_units,
            free_period = excluded.free_period
          """)
      }
    }
  }

  /// Runs a statement that names entitlements and tiers.
  ///
  /// - Throws: ``RuleRefusal/unknownName`` for one that is not there.
  @discardableResult
  func naming(_ statement: () async throws -> Int) async throws -> Int {
    do { return try await statement() } catch let error as PostgresError
      where error.sqlState == .foreignKeyViolation
    {
      throw RuleRefusal.unknownName
    }
  }
}

/// What a change changed, of facts before and after it.
enum FactChange {
  static func between(
    _ before: [String: String], _ after: [String: String]
  ) -> (before: [String: String], after: [String: String]) {
    (before.filter { after[$0.key] != $0.value }, after.filter { before[$0.key] != $0.value })
  }
}
