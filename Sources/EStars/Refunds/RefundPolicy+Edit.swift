import Foundation
import Ledger
import Postgres

extension RefundPolicy {
  /// Settles the rule for decisions from now on.
  ///
  /// - Precondition: The values are in their ranges, as the table demands.
  /// - Throws: ``RuleRefusal/changed`` when it is not the one any more that the form was made from.
  public static func edit(
    _ policy: RefundPolicy, madeFrom version: Int64, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      try await tx.execute(
        """
        select from workspaces where workspace_id = \(scope.workspaceID) for no key update
        """)
      guard try await tx.ruleVersion("refund_policy", subject, in: scope) == version else {
        throw RuleRefusal.changed
      }
      let present = try await tx.refundPolicy(in: scope)
      let (before, after) = FactChange.between(present.facts, policy.facts)
      guard before != after else { return }
      try await tx.execute(
        """
        insert into refund_policies (workspace_id, max_age_hours, max_used_percent,
          one_per_customer, auto_approves, four_eyes_stars)
        values (\(scope.workspaceID), \(policy.maxAgeHours), \(policy.maxUsedPercent),
          \(policy.onePerCustomer), \(policy.autoApproves), \(policy.fourEyesStars))
        on conflict (workspace_id) do update set max_age_hours = excluded.max_age_hours,
          max_used_percent = excluded.max_used_percent,
          one_per_customer = excluded.one_per_customer, auto_approves = excluded.auto_approves,
          four_eyes_stars = excluded.four_eyes_stars
        """)
      try await tx.execute(
        """
        update workspaces set refund_debt_policy = \(policy.debtPolicy.rawValue)
        where workspace_id = \(scope.workspaceID)
        """)
      try await tx.audit(
        actor, "refund_policy.edited", "refund_policy", subject, before: before, after: after,
        in: scope, at: scope.now)
    }
  }

  /// The number of the latest change.
  public static func version(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("refund_policy", subject, in: scope)
    }
  }

  /// What its audit lines are about: there is one in a workspace.
  public static let subject = "workspace"

  private var facts: [String: String] {
    [
      "max_age_hours": String(maxAgeHours), "max_used_percent": String(maxUsedPercent),
      "one_per_customer": onePerCustomer ? "yes" : "no",
      "auto_approves": autoApproves ? "yes" : "no",
      "four_eyes_stars": fourEyesStars.map { String($0) } ?? "off",
      "refund_debt_policy": debtPolicy.rawValue,
    ]
  }
}
