import Foundation
import Ledger
import Postgres

public enum UsageStatus: String, Sendable, Equatable {
  /// A check: the action may run.
  case allowed
  case applied
  case replayed
  /// The database is away, and the action's outage policy lets it go on; it is booked later.
  case accepted
  /// The key belongs to another request.
  case conflict
  case insufficient
  /// The tier's limit of units leaves no room for as many.
  case quotaExceeded = "quota_exceeded"
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
  /// Of the units asked for, those that the customer's tier has free.
  public let freeUnits: Int64
  /// The entitlement that is missing.
  public let entitlement: String?
  /// The window that stands in the way, or the one with the least left; nil without limits.
  public let quota: Quota?
  /// The customer's; in answers to checks.
  public let tier: String?
  /// Whether anybody had seen this user before; nil where the answer does not tell.
  public let isKnown: Bool?

  /// An answer's row, from the table `u`; what a call does not tell of is null.
  static func columns(
    version: SQL = "null::bigint", postedAt: SQL = "null::timestamptz", tier: SQL = "null::text",
    isKnown: SQL = "null::boolean"
  ) -> SQL {
    """
    u.status, u.cost, u.balance, \(version) as version, \(postedAt) as posted_at, u.free_units,
    u.entitlement, u.quota_period, u.quota_limit, u.quota_used, u.quota_resets_at, \(tier) as tier,
    \(isKnown) as is_known
    """
  }

  init(_ row: Row) throws {
    let text: String = try row.get("status")
    guard let status = UsageStatus(rawValue: text) else { throw UnknownStatus(text: text) }
    self.status = status
    cost = try row.get("cost")
    balance = try row.get("balance")
    version = try row.getIfPresent("version")
    postedAt = try row.getIfPresent("posted_at")
    freeUnits = try row.get("free_units")
    entitlement = try row.getIfPresent("entitlement")
    quota = try Quota(row)
    tier = try row.getIfPresent("tier")
    isKnown = try row.getIfPresent("is_known")
  }
}

extension UsageAnswer {
  /// What can be said without the database.
  init(_ status: UsageStatus, cost: Int64) {
    self.status = status
    self.cost = cost
    balance = 0
    version = nil
    postedAt = nil
    freeUnits = 0
    entitlement = nil
    quota = nil
    tier = nil
    isKnown = nil
  }
}

struct UnknownStatus: Error { let text: String }
