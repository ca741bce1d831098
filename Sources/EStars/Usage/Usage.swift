import Foundation
import Ledger
import Postgres

/// Whether a customer may run an action now, and what it would cost. Changes nothing.
public struct CheckRequest: Sendable, Equatable {
  public let telegramID: Int64
  public let action: String
  public let units: Int64

  public init(telegramID: Int64, action: String, units: Int64) {
    self.telegramID = telegramID
    self.action = action
    self.units = units
  }
}

/// A paid action of a customer.
public struct DebitRequest: Sendable, Equatable {
  public let check: CheckRequest
  /// The bot's own reference, kept with the entry.
  public let ref: String?
  public let idempotencyKey: String

  public init(check: CheckRequest, ref: String?, idempotencyKey: String) {
    self.check = check
    self.ref = ref
    self.idempotencyKey = idempotencyKey
  }

  /// The request without its price: a retry after a price change is still the same request.
  var fingerprint: Int64 {
    Bytes.fingerprint([
      "debit", String(check.telegramID), check.action, String(check.units), ref ?? "\0none",
    ])
  }
}

public enum UsageStatus: String, Sendable, Equatable {
  /// A check: the action may run.
  case allowed
  case applied
  case replayed
  /// The key belongs to another request.
  case conflict
  case insufficient
  /// The action needs an entitlement that the customer does not have.
  case noAccess = "no_access"
  case unknownAction = "unknown_action"
  case tooManyUnits = "too_many_units"
}

public struct UsageAnswer: Sendable, Equatable {
  public let status: UsageStatus
  /// Credits; on a replay those of the first answer.
  public let cost: Int64
  /// Credits left to spend, after the debit where there was one.
  public let balance: Int64
  /// The entry's number in the customer's account; nil where nothing was posted.
  public let version: Int64?
  public let postedAt: Date?

  init(_ row: Row) throws {
    let text: String = try row.get("status")
    guard let status = UsageStatus(rawValue: text) else { throw UnknownStatus(text: text) }
    self.status = status
    cost = try row.get("cost")
    balance = try row.get("balance")
    version = try row.getIfPresent("version")
    postedAt = try row.getIfPresent("posted_at")
  }
}

struct UnknownStatus: Error { let text: String }

/// Checks and debits of paid actions. Concurrent requests of a workspace travel together: one
/// statement, one commit, an answer each.
public struct Usage: Sendable {
  private let checks: Coalescer<CheckRequest, UsageAnswer>
  private let debits: Coalescer<DebitRequest, UsageAnswer>

  init(pool: Pool) {
    checks = Coalescer(maxBatch: Limits.usageBatch) {
      requests, scope in
      let rows = try await pool.query(
        """
        select status, cost, balance, null::bigint as version, null::timestamptz as posted_at
        from usage_check_batch(\(scope.workspaceID), \(requests.map(\.telegramID)),
          \(requests.map(\.action)), \(requests.map(\.units)), \(scope.now)) order by ord
        """, in: scope)
      return try rows.map(UsageAnswer.init)
    }
    debits = Coalescer(maxBatch: Limits.usageBatch) {
      requests, scope in
      try await Self.post(requests, in: scope, at: scope.now, pool)
    }
  }

  private static func post(
    _ requests: [DebitRequest], in scope: WorkspaceScope, at: Date, _ pool: Pool
  ) async throws -> [UsageAnswer] {
    try await pool.query(posting(requests, in: scope, at: at), in: scope).map(UsageAnswer.init)
  }

  /// The statement that posts debits at a given time and answers with a row for each.
  static func posting(_ requests: [DebitRequest], in scope: WorkspaceScope, at: Date) -> SQL {
    """
    select status, cost, balance, version, posted_at
    from usage_post_batch(\(scope.workspaceID), \(requests.map(\.check.telegramID)),
      \(requests.map(\.check.action)), \(requests.map(\.check.units)),
      \(requests.map(\.idempotencyKey)), \(requests.map(\.fingerprint)),
      \(requests.map(\.ref)), \(at)) order by ord
    """
  }

  public func check(_ request: CheckRequest, in scope: WorkspaceScope) async throws -> UsageAnswer {
    try await checks.submit(request, in: scope)
  }

  public func debit(_ request: DebitRequest, in scope: WorkspaceScope) async throws -> UsageAnswer {
    try await debits.submit(request, in: scope)
  }
}
