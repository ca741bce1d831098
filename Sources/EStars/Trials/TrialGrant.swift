import Foundation
import Ledger
import Postgres

/// A decision about trial credits and everything it was made from. It is never made anew.
public struct TrialGrant: Sendable, Equatable {
  public enum Outcome: String, Sendable, CaseIterable {
    case granted
    /// There are credits to use, or credits held for work.
    case hasCredits = "has_credits"
    /// Bought before, refunded or not.
    case hasPurchased = "has_purchased"
    /// All was right, but the day's credits are given.
    case dailyLimit = "daily_limit"
    case scoreTooLow = "score_too_low"
  }

  public let id: Int64
  public let botID: Int64
  public let customerID: Int64
  /// 0–10, as the bot judged it; so is `intent`.
  public let engagement: Int
  public let intent: Int
  /// Where the customer came from; empty when the bot did not say.
  public let source: String
  public let isPaidSource: Bool
  public let score: Int
  public let minScore: Int
  /// Credits to use before the decision.
  public let balance: Int64
  /// Credits held for work before the decision.
  public let held: Int64
  /// Credits that all customers had got that day before the decision.
  public let givenToday: Int64
  public let dailyLimit: Int64
  public let outcome: Outcome
  /// Credits that it gave; 0 where it refused.
  public let credits: Int64
  public let createdAt: Date
  let fingerprint: Int64

  init(_ row: Row) throws {
    id = try row.get("trial_grant_id")
    botID = try row.get("bot_id")
    customerID = try row.get("customer_id")
    engagement = try row.get("engagement")
    intent = try row.get("intent")
    source = try row.get("source")
    isPaidSource = try row.get("is_paid_source")
    score = try row.get("score")
    minScore = try row.get("min_score")
    balance = try row.get("balance")
    held = try row.get("held")
    givenToday = try row.get("given_today")
    dailyLimit = try row.get("daily_limit")
    let outcome: String = try row.get("outcome")
    guard let known = Outcome(rawValue: outcome) else { throw UnknownStatus(text: outcome) }
    self.outcome = known
    credits = try row.get("credits")
    createdAt = try row.get("created_at")
    fingerprint = try row.get("fingerprint")
  }

  /// Decisions, newest first, older than the one with the number `before`.
  public static func recent(
    before: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [TrialGrant] {
    try await pool.query(
      """
      select * from trial_grants where workspace_id = \(scope.workspaceID)
        and trial_grant_id < \(before ?? .max)
      order by trial_grant_id desc limit \(limit)
      """, in: scope
    ).map(TrialGrant.init)
  }
}
