import Foundation
import Ledger
import Postgres

/// The answer to a hold that was asked for.
public struct HoldAnswer: Sendable, Equatable {
  public let usage: UsageAnswer
  /// The hold, where there is one: applied and replayed. A replay finds it as it is now.
  public let hold: UsageHold?

  init(_ row: Row) throws {
    usage = try UsageAnswer(row)
    hold = try row.getIfPresent("hold_id", as: Int64.self) == nil ? nil : UsageHold(row)
  }
}

public struct HoldCloseAnswer: Sendable, Equatable {
  public enum Status: String, Sendable {
    case applied, replayed
    /// The key belongs to another request.
    case conflict
    case unknown
    /// It was closed before, by another request or by its time.
    case closed
    case tooManyUnits = "too_many_units"
  }

  public let status: Status
  /// As it is after the request; nil when it is unknown.
  public let hold: UsageHold?

  init(_ row: Row) throws {
    let text: String = try row.get("status")
    guard let status = Status(rawValue: text) else { throw UnknownStatus(text: text) }
    self.status = status
    hold = try row.getIfPresent("hold_id", as: Int64.self) == nil ? nil : UsageHold(row)
  }
}

extension Usage {
  /// Sets aside what the action costs. Declined as a debit would be.
  public func hold(_ request: HoldRequest, in scope: WorkspaceScope) async throws -> HoldAnswer {
    try await again {
      try HoldAnswer(
        try await pool.query(Self.holding(request, in: scope, at: scope.now), in: scope)[0])
    }
  }

  /// Books what was used of a hold; the rest goes back to where it came from.
  ///
  /// - Parameter units: nil = all of them.
  public func commit(
    hold id: Int64, units: Int64?, key: String, in scope: WorkspaceScope
  ) async throws -> HoldCloseAnswer {
    try await again {
      let sql = Self.committing(id, units: units, key: key, in: scope, at: scope.now)
      return try HoldCloseAnswer(try await pool.query(sql, in: scope)[0])
    }
  }

  /// Gives back all of a hold.
  public func release(
    hold id: Int64, key: String, in scope: WorkspaceScope
  ) async throws -> HoldCloseAnswer {
    try await again {
      let sql = Self.releasing(id, key: key, in: scope, at: scope.now)
      return try HoldCloseAnswer(try await pool.query(sql, in: scope)[0])
    }
  }

  /// A key that somebody else uses at the same moment makes one of the two fail; the same call
  /// then gets its answer.
  private func again<T>(_ body: () async throws -> T) async throws -> T {
    do {
      return try await body()
    } catch let error as PostgresError
      where [.uniqueViolation, .serializationFailure, .deadlockDetected].contains(error.sqlState)
    {
      return try await body()
    }
  }
}

/// The statements, for a given time.
extension Usage {
  static func holding(_ request: HoldRequest, in scope: WorkspaceScope, at: Date) -> SQL {
    let check = request.check
    return """
      select \(UsageAnswer.columns(isKnown: "u.is_known")),
        \(UsageHold.columns(telegramID: "\(check.telegramID)::bigint"))
      from usage_hold(\(scope.workspaceID), \(request.botID), \(check.telegramID),
        \(check.action), \(check.units), \(request.seconds), \(request.idempotencyKey),
        \(request.fingerprint), \(request.ref), \(at)) u
      cross join lateral (select (u.hold).*) h
      """
  }

  static func committing(
    _ id: Int64, units: Int64?, key: String, in scope: WorkspaceScope, at: Date
  ) -> SQL {
    let fingerprint = Bytes.fingerprint(["commit", String(id), units.map(String.init) ?? "all"])
    return closing(
      """
      usage_hold_commit(\(scope.workspaceID), \(id), \(units), \(key), \(fingerprint), \(at))
      """)
  }

  /// - Parameter key: nil where a person gives it back.
  static func releasing(
    _ id: Int64, key: String?, in scope: WorkspaceScope, at: Date
  ) -> SQL {
    let fingerprint = key.map { _ in Bytes.fingerprint(["release", String(id)]) }
    return closing(
      "usage_hold_release(\(scope.workspaceID), \(id), \(key), \(fingerprint), \(at))")
  }

  static func expiring(_ id: Int64, in scope: WorkspaceScope, at: Date) -> SQL {
    closing("usage_hold_expire(\(scope.workspaceID), \(id), \(at))")
  }

  private static func closing(_ call: SQL) -> SQL {
    """
    select u.status as status, \(UsageHold.columns()) from \(call) u
    cross join lateral (select (u.hold).*) h
    left join customers c on c.workspace_id = h.workspace_id and c.customer_id = h.customer_id
    """
  }
}

extension Transaction {
  /// Gives back all of a hold on a person's word.
  public func releaseHold(
    _ id: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> HoldCloseAnswer {
    try HoldCloseAnswer(
      try await query(Usage.releasing(id, key: nil, in: scope, at: at))[0])
  }

  /// Closes a hold whose time is over and tells its bot.
  func expireHold(
    _ id: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> HoldCloseAnswer {
    try HoldCloseAnswer(try await query(Usage.expiring(id, in: scope, at: at))[0])
  }
}

extension UsageHold {
  /// Open holds whose time was over at that moment, the oldest first.
  static func due(
    at: Date, limit: Int = Limits.pageSize, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64] {
    try await pool.query(
      """
      select hold_id from usage_holds
      where workspace_id = \(scope.workspaceID) and state = 'open' and expires_at <= \(at)
      order by expires_at limit \(limit)
      """, in: scope
    ).map { try $0.get("hold_id") }
  }
}
