import Foundation
import Ledger
import Postgres
import Telegram

/// One comparison of a bot's Stars with Telegram's own books: they are read on from where the last
/// one ended, and every movement is looked for in our payments, refunds and ledger.
public struct Reconciliation: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    case due, running, done
    /// Telegram's books could not be read.
    case failed

    public var isUnderWay: Bool { self == .due || self == .running }
  }

  /// Why the books could not be read.
  public enum Problem: Sendable, Equatable {
    /// A call left and no answer came.
    case noAnswer
    case notReached
    /// The bot's token cannot be read: the deployment's key has changed.
    case token
    /// In Telegram's own words.
    case telegram(String)
  }

  public let id: Int64
  public let botID: Int64
  public let state: State
  /// An operator, or the job.
  public let askedBy: String
  public let askedAt: Date
  public let startedAt: Date?
  public let finishedAt: Date?
  public let fromPosition: Int64
  /// How many movements the books have, as far as they are read.
  public let nextPosition: Int64
  /// The last movement that was compared; -1 = none yet.
  public let comparedPosition: Int64
  public let readCount: Int64
  /// Of all movements, those that our own books have, too. Known at the end.
  public let matchedCount: Int64
  /// Mismatches that this comparison found, and those of them that the rule put right.
  public let mismatchCount: Int64
  public let fixedCount: Int64
  /// When the movement was that was read last.
  public let reachedAt: Date?
  /// What Telegram says that the bot has; negative after chargebacks.
  public let balanceStars: Int64?
  /// What all movements add up to, in whole Stars.
  public let booksStars: Int64?
  public let problem: Problem?

  /// Nobody asked for it: it is the daily one.
  public var isByItself: Bool { askedBy == Job.Kind.reconciliationDaily.rawValue }

  init(_ row: Row) throws {
    id = try row.get("reconciliation_id")
    botID = try row.get("bot_id")
    state = State(rawValue: try row.get("state")) ?? .failed
    askedBy = try row.get("asked_by")
    askedAt = try row.get("asked_at")
    startedAt = try row.getIfPresent("started_at")
    finishedAt = try row.getIfPresent("finished_at")
    fromPosition = try row.get("from_position")
    nextPosition = try row.get("next_position")
    comparedPosition = try row.get("compared_position")
    readCount = try row.get("read_count")
    matchedCount = try row.get("matched_count")
    mismatchCount = try row.get("mismatch_count")
    fixedCount = try row.get("fixed_count")
    reachedAt = try row.getIfPresent("reached_at")
    balanceStars = try row.getIfPresent("balance_stars")
    booksStars = try row.getIfPresent("books_stars")
    problem = try row.getIfPresent("last_error", as: String.self).map(Problem.init)
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Reconciliation? {
    try await pool.query(
      """
      select * from reconciliations
      where workspace_id = \(scope.workspaceID) and reconciliation_id = \(id)
      """, in: scope
    ).first.map(Reconciliation.init)
  }

  /// The newest comparison of each bot.
  ///
  /// - Parameter done: Only those that came to their end.
  public static func latest(
    done: Bool = false, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64: Reconciliation] {
    let ended: SQL = done ? "and r.state = 'done'" : ""
    let rows = try await pool.query(
      """
      select l.* from bots b cross join lateral (
        select * from reconciliations r
        where r.workspace_id = \(scope.workspaceID) and r.bot_id = b.bot_id \(ended)
        order by r.reconciliation_id desc limit 1) l
      where b.workspace_id = \(scope.workspaceID)
      """, in: scope)
    return try rows.map(Reconciliation.init).reduce(into: [:]) { $0[$1.botID] = $1 }
  }

  /// The workspace's comparisons, newest first.
  public static func recent(
    limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Reconciliation] {
    try await pool.query(
      """
      select * from reconciliations where workspace_id = \(scope.workspaceID)
      order by reconciliation_id desc limit \(limit)
      """, in: scope
    ).map(Reconciliation.init)
  }
}

extension Reconciliation.Problem {
  private static let prefix = "estars:"

  init(_ text: String) {
    switch text {
    case "estars:no_answer": self = .noAnswer
    case "estars:not_reached": self = .notReached
    case "estars:token": self = .token
    default: self = .telegram(text)
    }
  }

  init(_ error: TelegramError) {
    switch error {
    case .api(_, let description, _): self = .telegram(description)
    case .unknownOutcome: self = .noAnswer
    case .notSent: self = .notReached
    }
  }

  var text: String {
    switch self {
    case .noAnswer: Self.prefix + "no_answer"
    case .notReached: Self.prefix + "not_reached"
    case .token: Self.prefix + "token"
    case .telegram(let words): String(words.prefix(300))
    }
  }
}
