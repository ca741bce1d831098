import Ledger
import Postgres

/// What an owner sets about credits for the whole workspace.
public struct CreditPolicy: Sendable, Equatable {
  /// What the role `support` may give one customer as goodwill within 30 days.
  public var goodwillCapCredits: Int64
  /// Below this many credits after a use the bot is told; 0 = never.
  public var lowCreditsThreshold: Int64

  public static let range: ClosedRange<Int64> = 0...1_000_000_000

  public init(goodwillCapCredits: Int64, lowCreditsThreshold: Int64) {
    self.goodwillCapCredits = goodwillCapCredits
    self.lowCreditsThreshold = lowCreditsThreshold
  }

  private init(_ row: Row) throws {
    goodwillCapCredits = try row.get("goodwill_cap_credits")
    lowCreditsThreshold = try row.get("low_credits_threshold")
  }

  private var facts: [String: String] {
    [
      "goodwill_cap_credits": String(goodwillCapCredits),
      "low_credits_threshold": String(lowCreditsThreshold),
    ]
  }

  private static func row(of scope: WorkspaceScope) -> SQL {
    """
    select goodwill_cap_credits, low_credits_threshold from workspaces
    where workspace_id = \(scope.workspaceID)
    """
  }

  public static func of(_ scope: WorkspaceScope, _ pool: Pool) async throws -> CreditPolicy {
    try CreditPolicy(try await pool.query(row(of: scope), in: scope)[0])
  }

  /// Sets the policy. The same values again change nothing and leave no audit line.
  ///
  /// - Precondition: Both values are in ``range``, as the table demands.
  public static func change(
    to policy: CreditPolicy, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let before = try CreditPolicy(
        try await tx.query("\(row(of: scope)) for no key update")[0])
      guard before != policy else { return }
      try await tx.execute(
        """
        update workspaces set goodwill_cap_credits = \(policy.goodwillCapCredits),
          low_credits_threshold = \(policy.lowCreditsThreshold)
        where workspace_id = \(scope.workspaceID)
        """)
      try await tx.audit(
        actor, "credit_policy.changed", "workspace", String(scope.workspaceID),
        before: before.facts, after: policy.facts, in: scope, at: scope.now)
    }
  }
}
