import Foundation
import Ledger
import Postgres

extension PackRules {
  /// The number of the latest change: a form carries it, and is good until the next one.
  public static func version(
    of sku: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("pack", sku, in: scope)
    }
  }

  /// Puts a pack on sale, after all others.
  ///
  /// - Throws: ``RuleRefusal``
  public static func create(
    _ rules: PackRules, reason: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let workspace = scope.workspaceID
      let count = try await tx.query(
        "select count(*) from packs where workspace_id = \(workspace) and base_sku is null")[0]
        .get("count", as: Int.self)
      guard count < Limits.packs else { throw RuleRefusal.tooMany }
      let inserted = try await tx.naming {
        try await tx.execute(
          """
          insert into packs (workspace_id, sku, title, description, emoji, credit_unit, credits,
            bonus_credits, stars, available_to, credits_valid_days, is_hidden, position)
          values (\(workspace), \(rules.sku), \(rules.title), \(rules.description), \(rules.emoji),
            \(rules.creditUnit), \(rules.credits), \(rules.bonusCredits), \(rules.stars),
            \(rules.audience.rawValue), \(rules.creditsValidDays), \(rules.isHidden),
            (select coalesce(max(position) + 1, 0) from packs where workspace_id = \(workspace)))
          on conflict (workspace_id, sku) do nothing
          """)
      }
      guard inserted == 1 else { throw RuleRefusal.taken }
      try await tx.write(rules.terms, of: rules.sku, in: scope)
      try await tx.write(rules.names, of: rules.sku, in: scope)
      try await tx.audit(
        actor, "pack.created", "pack", rules.sku, after: rules.facts,
        reason: reason.isEmpty ? nil : reason, in: scope, at: scope.now)
    }
  }

  /// Replaces the rules from now on; the discounts follow. What was opened or paid stays as it was
  /// sold. The credit unit stays what it is.
  ///
  /// - Parameter version: of the rules that the form was made from.
  /// - Throws: ``RuleRefusal``
  public static func edit(
    _ rules: PackRules, madeFrom version: Int64, reason: String, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let present = try await tx.lockPack(rules.sku, in: scope)
      guard try await tx.ruleVersion("pack", rules.sku, in: scope) == version else {
        throw RuleRefusal.changed
      }
      let (before, after) = FactChange.between(present.facts, rules.facts)
      guard before != after else { return }
      try await tx.execute(
        """
        update packs set title = \(rules.title), description = \(rules.description),
          emoji = \(rules.emoji), credits = \(rules.credits),
          bonus_credits = \(rules.bonusCredits), stars = \(rules.stars),
          available_to = \(rules.audience.rawValue),
          credits_valid_days = \(rules.creditsValidDays), is_hidden = \(rules.isHidden)
        where workspace_id = \(scope.workspaceID) and sku = \(rules.sku)
        """)
      try await tx.write(rules.terms, of: rules.sku, in: scope)
      try await tx.write(rules.names, of: rules.sku, in: scope)
      try await tx.audit(
        actor, "pack.edited", "pack", rules.sku, before: before, after: after,
        reason: reason.isEmpty ? nil : reason, in: scope, at: scope.now)
    }
  }

  /// Takes a pack off sale with all its discounts, or puts it back with those that were on sale.
  /// Asking for what is so already does nothing.
  ///
  /// - Throws: ``RuleRefusal/notFound``
  public static func setWithdrawn(
    _ isWithdrawn: Bool, _ sku: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let present = try await tx.lockPack(sku, in: scope)
      guard (present.withdrawnAt != nil) != isWithdrawn else { return }
      try await tx.setPackWithdrawn(isWithdrawn, sku, in: scope)
      try await tx.audit(
        actor, isWithdrawn ? "pack.withdrawn" : "pack.restored", "pack", sku, in: scope,
        at: scope.now)
    }
  }

  /// Offers the pack with so many percent off. Its sku is the pack's with the percentage.
  ///
  /// - Throws: ``RuleRefusal``; taken also where a pack of its own has that sku.
  public static func addDiscount(
    percent: Int, to sku: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let base = try await tx.lockPack(sku, in: scope)
      guard base.discounts.count < Limits.packDiscounts else { throw RuleRefusal.tooMany }
      // Everything but the percentage is copied from the base by Postgres.
      let inserted = try await tx.execute(
        """
        insert into packs (workspace_id, sku, title, description, credits, stars, base_sku,
          discount_percent, position)
        values (\(scope.workspaceID), \("\(sku)-\(percent)"), \(base.title), \(base.description),
          \(base.credits), \(base.stars), \(sku), \(Int16(percent)), 0)
        on conflict do nothing
        """)
      guard inserted == 1 else { throw RuleRefusal.taken }
      try await tx.audit(
        actor, "pack.discount_added", "pack", sku, after: ["discount_percent": String(percent)],
        in: scope, at: scope.now)
    }
  }

  /// Takes one discount off sale, or puts it back.
  ///
  /// - Throws: ``RuleRefusal/notFound``
  public static func setDiscountWithdrawn(
    _ isWithdrawn: Bool, percent: Int, of sku: String, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let base = try await tx.lockPack(sku, in: scope)
      guard let discount = base.discounts.first(where: { $0.percent == percent }) else {
        throw RuleRefusal.notFound
      }
      guard (discount.withdrawnAt != nil) != isWithdrawn else { return }
      try await tx.setPackWithdrawn(isWithdrawn, discount.sku, in: scope)
      let fact = ["discount_percent": String(percent)]
      try await tx.audit(
        actor, isWithdrawn ? "pack.discount_withdrawn" : "pack.discount_restored", "pack", sku,
        before: isWithdrawn ? fact : [:], after: isWithdrawn ? [:] : fact, in: scope,
        at: scope.now)
    }
  }
}

extension Transaction {
  /// Reads a pack with its row in hand, so that its discounts cannot change meanwhile either.
  ///
  /// - Throws: ``RuleRefusal/notFound``, of a discounted pack, too.
  fileprivate func lockPack(
    _ sku: String, in scope: WorkspaceScope
  ) async throws -> PackRules {
    let locked = try await query(
      """
      select from packs where workspace_id = \(scope.workspaceID) and sku = \(sku)
        and base_sku is null for no key update
      """)
    guard !locked.isEmpty, let rules = try await packRules(sku, in: scope).first else {
      throw RuleRefusal.notFound
    }
    return rules
  }

  fileprivate func setPackWithdrawn(
    _ isWithdrawn: Bool, _ sku: String, in scope: WorkspaceScope
  ) async throws {
    try await execute(
      """
      update packs set withdrawn_at = \(isWithdrawn ? scope.now : nil)
      where workspace_id = \(scope.workspaceID) and sku = \(sku)
      """)
  }

  fileprivate func write(
    _ terms: [Pack.Term], of sku: String, in scope: WorkspaceScope
  ) async throws {
    let workspace = scope.workspaceID
    try await execute(
      """
      delete from pack_entitlements where workspace_id = \(workspace) and sku = \(sku)
        and entitlement <> all(\(terms.map(\.entitlement)))
      """)
    for term in terms {
      try await naming {
        try await execute(
          """
          insert into pack_entitlements (workspace_id, sku, entitlement, days)
          values (\(workspace), \(sku), \(term.entitlement), \(term.days))
          on conflict (workspace_id, sku, entitlement) do update set days = excluded.days
          """)
      }
    }
  }

  fileprivate func write(
    _ names: [ProductName], of sku: String, in scope: WorkspaceScope
  ) async throws {
    let workspace = scope.workspaceID
    try await execute(
      """
      delete from pack_names where workspace_id = \(workspace) and sku = \(sku)
        and language <> all(\(names.map(\.language)))
      """)
    for name in names {
      try await execute(
        """
        insert into pack_names (workspace_id, sku, language, title, description)
        values (\(workspace), \(sku), \(name.language), \(name.title), \(name.description))
        on conflict (workspace_id, sku, language) do update set title = excluded.title,
          description = excluded.description
        """)
    }
  }
}
