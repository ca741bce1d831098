import Foundation
import Ledger
import Postgres

/// How many units of an action a tier allows in a period, and how many of them are used.
public struct Quota: Sendable, Equatable {
  public enum Period: String, Sendable, CaseIterable {
    /// Days and months are the workspace's, in its time zone.
    case day, month, lifetime
  }

  public let period: Period
  /// Units.
  public let limit: Int64
  /// Units of debits, of open holds and of what was committed of closed ones.
  public let used: Int64
  /// When a new period begins; nil for a lifetime.
  public let resetsAt: Date?

  /// Units; zero also where a rule became stricter than what was used before.
  public var left: Int64 { max(0, limit - used) }

  /// nil where the row names no window.
  init?(_ row: Row) throws {
    guard let text = try row.getIfPresent("quota_period", as: String.self),
      let period = Period(rawValue: text)
    else { return nil }
    self.period = period
    limit = try row.get("quota_limit")
    used = try row.get("quota_used")
    resetsAt = try row.getIfPresent("quota_resets_at")
  }

  /// A quota together with the action that it bounds.
  public struct OfAction: Sendable, Equatable {
    public let action: String
    /// The action's name as the operator wrote it.
    public let title: String
    public let quota: Quota
  }

  /// What the customer's tier limits, in the catalogue's order and from the shortest period to the
  /// longest. What an entitlement makes unmetered is not in it.
  ///
  /// - Parameter id: nil for somebody who is no customer yet.
  public static func of(
    customer id: Int64?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [OfAction] {
    try await pool.query(
      "select * from usage_quotas(\(scope.workspaceID), \(id), \(scope.now))", in: scope
    ).compactMap { row in
      guard let quota = try Quota(row) else { return nil }
      return OfAction(action: try row.get("action"), title: try row.get("title"), quota: quota)
    }
  }
}

extension Tier {
  /// The customer's: the highest one whose entitlement runs.
  ///
  /// - Parameter id: nil for somebody who is no customer yet: they are in the base tier.
  public static func of(
    customer id: Int64?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Tier? {
    try await pool.query(
      "select * from usage_tier(\(scope.workspaceID), \(id), \(scope.now))", in: scope
    ).first.map(Tier.init)
  }
}
