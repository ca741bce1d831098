import Foundation
import Ledger
import Postgres

/// What an operator settles about a plan. Its key and its kind are settled once.
public struct PlanTerms: Sendable, Equatable {
  public var title: String
  public var description: String
  public var tier: String
  /// Price of a cycle; nil where nothing is paid.
  public var stars: Int64?
  /// nil = as many as they like.
  public var creditsPerCycle: Int64?
  public var rolloverCapCredits: Int64
  public var trialDays: Int
  public var trialCredits: Int64
  public var graceDays: Int
  public var isHidden: Bool
  /// Features beside the one of its tier.
  public var entitlements: Set<String>
  public var names: [ProductName]

  public init(
    title: String, description: String, tier: String, stars: Int64? = nil,
    creditsPerCycle: Int64? = nil, rolloverCapCredits: Int64 = 0, trialDays: Int = 0,
    trialCredits: Int64 = 0, graceDays: Int = 7, isHidden: Bool = false,
    entitlements: Set<String> = [], names: [ProductName] = []
  ) {
    self.title = title
    self.description = description
    self.tier = tier
    self.stars = stars
    self.creditsPerCycle = creditsPerCycle
    self.rolloverCapCredits = rolloverCapCredits
    self.trialDays = trialDays
    self.trialCredits = trialCredits
    self.graceDays = graceDays
    self.isHidden = isHidden
    self.entitlements = entitlements
    self.names = names
  }

  /// As plain facts, for the audit log. What is not set is not there.
  var facts: [String: String] {
    var facts = [
      "title": title, "description": description, "tier": tier,
      "credits_per_cycle": creditsPerCycle.map(String.init) ?? "unlimited",
      "rollover_cap_credits": String(rolloverCapCredits), "trial_days": String(trialDays),
      "trial_credits_given": String(trialCredits), "grace_days": String(graceDays),
      "is_hidden": isHidden ? "yes" : "no",
    ]
    facts["stars"] = stars.map(String.init)
    if !entitlements.isEmpty {
      facts["entitlements"] = entitlements.sorted().joined(separator: ", ")
    }
    for name in names { facts["title_in:\(name.language)"] = name.title }
    for name in names { facts["description_in:\(name.language)"] = name.description }
    return facts
  }
}

extension Plan {
  public var terms: PlanTerms {
    PlanTerms(
      title: title, description: description, tier: tier, stars: stars,
      creditsPerCycle: creditsPerCycle, rolloverCapCredits: rolloverCapCredits,
      trialDays: trialDays, trialCredits: trialCredits, graceDays: graceDays, isHidden: isHidden,
      entitlements: Set(entitlements), names: names)
  }

  /// The number of the latest change: a form carries it, and is good until the next one.
  public static func version(
    of key: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("plan", key, in: scope)
    }
  }

  /// Adds a plan behind all others.
  ///
  /// - Throws: ``RuleRefusal``; ``RuleRefusal/inUse`` where there is a free plan already.
  public static func create(
    key: String, kind: Kind, _ terms: PlanTerms, reason: String, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      try await tx.createPlan(
        key, kind, terms, reason: reason, by: actor, in: scope, at: scope.now)
    }
  }

  /// Changes what is sold from now on. Running subscriptions keep the price and the credits that
  /// they were sold with.
  ///
  /// - Parameters:
  ///   - place: among the plans that are in force, from 1; nil = where it is.
  ///   - version: of the plan that the form was made from.
  /// - Throws: ``RuleRefusal``
  public static func edit(
    _ key: String, _ terms: PlanTerms, place: Int?, madeFrom version: Int64, reason: String,
    by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      try await tx.editPlan(
        key, terms, place: place, madeFrom: version, reason: reason, by: actor, in: scope,
        at: scope.now)
    }
  }

  /// Takes a plan off sale, or puts it back. Running subscriptions go on either way.
  ///
  /// - Throws: ``RuleRefusal``; ``RuleRefusal/inUse`` where another free plan has taken its place.
  public static func setWithdrawn(
    _ isWithdrawn: Bool, _ key: String, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let present = try await tx.lockedPlans(in: scope).first { $0.key == key }
      guard let present else { throw RuleRefusal.notFound }
      guard present.isWithdrawn != isWithdrawn else { return }
      try await tx.oneFreePlan {
        try await tx.execute(
          """
          update plans set withdrawn_at = \(isWithdrawn ? scope.now : nil)
          where workspace_id = \(scope.workspaceID) and plan = \(key)
          """)
      }
      try await tx.audit(
        actor, isWithdrawn ? "plan.withdrawn" : "plan.restored", "plan", key, in: scope,
        at: scope.now)
    }
  }
}

extension Transaction {
  /// All plans, in hand: one change of their order at a time.
  fileprivate func lockedPlans(in scope: WorkspaceScope) async throws -> [Plan] {
    try await execute(
      """
      select from plans where workspace_id = \(scope.workspaceID) order by plan
      for no key update
      """)
    return try await query(
      "\(Plan.select(in: scope)) order by p.withdrawn_at is not null, p.position, p.plan"
    ).map(Plan.init)
  }

  fileprivate func createPlan(
    _ key: String, _ kind: Plan.Kind, _ terms: PlanTerms, reason: String, by actor: Actor,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let known = try await lockedPlans(in: scope)
    guard known.count < Limits.plans else { throw RuleRefusal.tooMany }
    guard !known.contains(where: { $0.key == key }) else { throw RuleRefusal.taken }
    let inserted = try await oneFreePlan {
      try await execute(
        """
        insert into plans (workspace_id, plan, title, description, kind, tier, stars,
          credits_per_cycle, rollover_cap_credits, trial_days, trial_credits, grace_days,
          is_hidden, position, created_at)
        values (\(scope.workspaceID), \(key), \(terms.title), \(terms.description),
          \(kind.rawValue), \(terms.tier), \(terms.stars), \(terms.creditsPerCycle),
          \(terms.rolloverCapCredits), \(terms.trialDays), \(terms.trialCredits),
          \(terms.graceDays), \(terms.isHidden), \((known.map(\.position).max() ?? 0) + 1), \(at))
        on conflict (workspace_id, plan) do nothing
        """)
    }
    guard inserted == 1 else { throw RuleRefusal.taken }
    try await writeParts(of: key, terms, in: scope)
    try await audit(
      actor, "plan.created", "plan", key,
      after: terms.facts.merging(["plan_kind": kind.rawValue]) { own, _ in own },
      reason: reason.isEmpty ? nil : reason, in: scope, at: at)
  }

  fileprivate func editPlan(
    _ key: String, _ terms: PlanTerms, place: Int?, madeFrom version: Int64, reason: String,
    by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws {
    let known = try await lockedPlans(in: scope)
    guard let present = known.first(where: { $0.key == key }) else { throw RuleRefusal.notFound }
    guard try await ruleVersion("plan", key, in: scope) == version else {
      throw RuleRefusal.changed
    }
    var facts = (before: present.terms.facts, after: terms.facts)
    if !present.isWithdrawn, let place {
      let others = known.filter { !$0.isWithdrawn && $0.key != key }.map(\.key)
      let index = min(max(0, place - 1), others.count)
      let was = known.filter { !$0.isWithdrawn }.firstIndex { $0.key == key } ?? 0
      facts.before["place"] = String(was + 1)
      facts.after["place"] = String(index + 1)
      if was != index {
        try await arrangePlans(others.prefix(index) + [key] + others.dropFirst(index), in: scope)
      }
    }
    let (before, after) = FactChange.between(facts.before, facts.after)
    guard before != after else { return }
    try await naming {
      try await execute(
        """
        update plans set title = \(terms.title), description = \(terms.description),
          tier = \(terms.tier), stars = \(terms.stars),
          credits_per_cycle = \(terms.creditsPerCycle),
          rollover_cap_credits = \(terms.rolloverCapCredits), trial_days = \(terms.trialDays),
          trial_credits = \(terms.trialCredits), grace_days = \(terms.graceDays),
          is_hidden = \(terms.isHidden)
        where workspace_id = \(scope.workspaceID) and plan = \(key)
        """)
    }
    try await writeParts(of: key, terms, in: scope)
    try await audit(
      actor, "plan.edited", "plan", key, before: before, after: after,
      reason: reason.isEmpty ? nil : reason, in: scope, at: at)
  }

  private func arrangePlans(_ order: [String], in scope: WorkspaceScope) async throws {
    try await execute(
      """
      update plans p set position = o.place
      from unnest(\(order)::text[]) with ordinality o (plan, place)
      where p.workspace_id = \(scope.workspaceID) and p.plan = o.plan and p.position <> o.place
      """)
  }

  private func writeParts(
    of plan: String, _ terms: PlanTerms, in scope: WorkspaceScope
  ) async throws {
    let workspace = scope.workspaceID
    let features = terms.entitlements.sorted()
    try await execute(
      """
      delete from plan_entitlements where workspace_id = \(workspace) and plan = \(plan)
        and entitlement <> all(\(features))
      """)
    try await naming {
      try await execute(
        """
        insert into plan_entitlements (workspace_id, plan, entitlement)
        select \(workspace), \(plan)::text, e from unnest(\(features)::text[]) e
        on conflict do nothing
        """)
    }
    try await execute(
      """
      delete from plan_names where workspace_id = \(workspace) and plan = \(plan)
        and language <> all(\(terms.names.map(\.language)))
      """)
    for name in terms.names {
      try await execute(
        """
        insert into plan_names (workspace_id, plan, language, title, description)
        values (\(workspace), \(plan), \(name.language), \(name.title), \(name.description))
        on conflict (workspace_id, plan, language) do update
          set title = excluded.title, description = excluded.description
        """)
    }
  }

  /// Runs a statement that may make a second free plan or name what is not there.
  ///
  /// - Throws: ``RuleRefusal/inUse`` and ``RuleRefusal/unknownName``
  @discardableResult
  fileprivate func oneFreePlan(_ statement: () async throws -> Int) async throws -> Int {
    do { return try await naming(statement) } catch let error as PostgresError
      where error.sqlState == .uniqueViolation
    {
      throw RuleRefusal.inUse
    }
  }
}
