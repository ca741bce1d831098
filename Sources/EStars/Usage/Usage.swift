import Foundation
import Ledger
import Postgres

/// Checks and debits of paid actions, and holds for them. Concurrent checks and debits of a
/// workspace travel together: one statement, one commit, an answer each.
public struct Usage: Sendable {
  private let checks: Coalescer<CheckRequest, UsageAnswer>
  private let debits: Coalescer<DebitRequest, UsageAnswer>
  let pool: Pool
  /// What decides while the database is away; nil: nothing goes on then.
  private let outages: Outages?

  init(pool: Pool, outages: Outages? = nil) {
    self.pool = pool
    self.outages = outages
    checks = Coalescer(maxBatch: Limits.usageBatch) {
      requests, scope in
      try await pool.query(Self.checking(requests, in: scope, at: scope.now), in: scope)
        .map(UsageAnswer.init)
    }
    debits = Coalescer(maxBatch: Limits.usageBatch) {
      requests, scope in
      try await pool.query(Self.posting(requests, in: scope, at: scope.now), in: scope)
        .map(UsageAnswer.init)
    }
  }

  /// The statement that checks at a given time and answers with a row for each.
  static func checking(_ requests: [CheckRequest], in scope: WorkspaceScope, at: Date) -> SQL {
    """
    select \(UsageAnswer.columns(tier: "u.tier", isKnown: "u.is_known"))
    from usage_check_batch(\(scope.workspaceID), \(requests.map(\.telegramID)),
      \(requests.map(\.action)), \(requests.map(\.units)), \(at)) u order by ord
    """
  }

  /// The statement that posts debits at a given time and answers with a row for each.
  static func posting(_ requests: [DebitRequest], in scope: WorkspaceScope, at: Date) -> SQL {
    """
    select \(UsageAnswer.columns(
      version: "u.version", postedAt: "u.posted_at", isKnown: "u.is_known"))
    from usage_post_batch(\(scope.workspaceID), \(requests.map(\.botID)),
      \(requests.map(\.check.telegramID)), \(requests.map(\.check.action)),
      \(requests.map(\.check.units)), \(requests.map(\.idempotencyKey)),
      \(requests.map(\.fingerprint)), \(requests.map(\.ref)), \(at)) u order by ord
    """
  }

  public func check(_ request: CheckRequest, in scope: WorkspaceScope) async throws -> UsageAnswer {
    guard let outages else { return try await checks.submit(request, in: scope) }
    return try await outages.check(request, in: scope) {
      try await checks.submit(request, in: scope)
    }
  }

  public func debit(_ request: DebitRequest, in scope: WorkspaceScope) async throws -> UsageAnswer {
    guard let outages else { return try await post(request, in: scope) }
    return try await outages.debit(request, in: scope) { try await post(request, in: scope) }
  }

  /// Posts a debit, or fails with the database.
  func post(_ request: DebitRequest, in scope: WorkspaceScope) async throws -> UsageAnswer {
    try await debits.submit(request, in: scope)
  }
}
