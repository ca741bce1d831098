import Foundation
import Ledger
import Postgres

extension TrialPolicy {
  /// Settles the policy for decisions from now on.
  ///
  /// - Throws: ``RuleRefusal/changed`` when it is not the one any more that the form was made from.
  public static func edit(
    _ policy: TrialPolicy, madeFrom version: Int64, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let row = try await tx.query(
        """
        select \(columns) from workspaces where workspace_id = \(scope.workspaceID)
        for no key update
        """)[0]
      let present = try TrialPolicy(row)
      guard try await tx.ruleVersion("trial_policy", subject, in: scope) == version else {
        throw RuleRefusal.changed
      }
      let (before, after) = FactChange.between(present.facts, policy.facts)
      guard before != after else { return }
      try await tx.execute(
        """
        update workspaces set trial_credits = \(policy.credits),
          trial_credits_per_day = \(policy.creditsPerDay), trial_min_score = \(policy.minScore),
          trial_paid_bonus = \(policy.paidBonus), trial_paid_sources = \(policy.paidSources)
        where workspace_id = \(scope.workspaceID)
        """)
      try await tx.audit(
        actor, "trial_policy.edited", "trial_policy", subject, before: before, after: after,
        in: scope, at: scope.now)
    }
  }

  /// The number of the latest change.
  public static func version(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      try await tx.ruleVersion("trial_policy", subject, in: scope)
    }
  }

  /// What its audit lines are about: there is one in a workspace.
  public static let subject = "workspace"

  private var facts: [String: String] {
    [
      "trial_credits": String(credits), "credits_per_day": String(creditsPerDay),
      "min_score": String(minScore), "paid_bonus": String(paidBonus),
      "paid_sources": paidSources.joined(separator: ", "),
    ]
  }
}
