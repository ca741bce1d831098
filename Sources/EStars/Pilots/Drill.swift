import Foundation
import Postgres

/// One thing that a pilot shows it can do, done for real at a sandbox, and what was seen of it.
public struct Drill: Sendable, Equatable {
  /// In the order in which they run.
  public enum Name: String, Sendable, CaseIterable {
    case botMapped = "bot_mapped"
    case rulesDefined = "rules_defined"
    case webhookSeen = "webhook_seen"
    case paymentCredited = "payment_credited"
    case doubleDelivery = "double_delivery"
    case preCheckoutP95 = "pre_checkout_p95"
    case debitRetried = "debit_retried"
    case refund
    case reconciliation
    case ledgerVerified = "ledger_verified"

    /// What has to have passed before: without it, this would show nothing.
    var needs: [Name] {
      switch self {
      case .botMapped, .rulesDefined, .ledgerVerified: []
      case .webhookSeen: [.botMapped]
      case .paymentCredited: [.botMapped, .rulesDefined, .webhookSeen]
      case .doubleDelivery, .preCheckoutP95, .debitRetried, .refund, .reconciliation:
        [.paymentCredited]
      }
    }

    /// What it may take. All together stay below the lease of the job.
    var seconds: Double {
      switch self {
      case .preCheckoutP95, .refund, .reconciliation: 60
      case .ledgerVerified: 120
      default: 30
      }
    }
  }

  public enum State: String, Sendable, CaseIterable {
    case waiting, running, passed, failed
    /// Something that it needs has failed.
    case skipped
  }

  /// Why a drill failed. Each has words that say what to do.
  public enum Problem: String, Sendable, CaseIterable {
    /// Nobody answers where the sandbox should.
    case sandboxAway = "sandbox_away"
    /// The sandbox did not do what it was asked for; in its own words.
    case sandboxRefused = "sandbox_refused"
    /// The sandbox does not take the bot's token.
    case token
    case noPack = "no_pack"
    case noAction = "no_action"
    /// What the cheapest pack gives pays for no action.
    case nothingAffordable = "nothing_affordable"
    /// The bot's updates go elsewhere.
    case webhookElsewhere = "webhook_elsewhere"
    /// The update was sent and did not arrive.
    case updateNotSeen = "update_not_seen"
    /// Our own rules did not let the checkout be opened.
    case checkoutRefused = "checkout_refused"
    /// The bot refused the payment before it was charged.
    case paymentRefused = "payment_refused"
    case preCheckoutUnanswered = "pre_checkout_unanswered"
    /// Stars were paid, and no credits came.
    case notCredited = "not_credited"
    /// Credits came, and not as many as were bought.
    case wrongCredits = "wrong_credits"
    case notRepeated = "not_repeated"
    case tooSlow = "too_slow"
    case notDebited = "not_debited"
    /// The retry was not answered as the first time.
    case notReplayed = "not_replayed"
    case refundFailed = "refund_failed"
    case refundUnfinished = "refund_unfinished"
    case starsNotBack = "stars_not_back"
    case booksUnread = "books_unread"
    case booksDiffer = "books_differ"
    case ledgerProblems = "ledger_problems"
    case timeOver = "time_over"
    /// The process that ran it ended before it did.
    case interrupted
    /// Our own fault; the log has more.
    case unexpected
  }

  public let name: Name
  public let state: State
  public let startedAt: Date?
  public let finishedAt: Date?
  /// What was seen: numbers and identifiers by name, amounts in Stars or credits, times in
  /// milliseconds (`…_ms`). Of one that failed: `problem` and, where there are any, the `words` of
  /// whoever refused. Of one that was skipped: the drill that it `needs`.
  public let facts: [String: String]

  init(_ row: Row) throws {
    let text: String = try row.get("drill")
    guard let name = Name(rawValue: text) else {
      throw PostgresError(.decoding, "\"\(text)\" is no drill")
    }
    self.name = name
    state = State(rawValue: try row.get("state")) ?? .failed
    startedAt = try row.getIfPresent("started_at")
    finishedAt = try row.getIfPresent("finished_at")
    facts = try JSONDecoder().decode(
      [String: String].self, from: Data(try row.get("facts", as: String.self).utf8))
  }

  public var problem: Problem? { facts["problem"].flatMap(Problem.init) }

  /// The one that failed before, which this one rests on.
  public var missing: Name? { facts["needs"].flatMap(Name.init) }

  public func number(_ fact: String) -> Int64? { facts[fact].flatMap { Int64($0) } }

  /// A failure, with the words of whoever said no.
  struct Failure: Error, Equatable {
    let problem: Problem
    var words: String?
    /// What was seen all the same.
    var facts: [String: String] = [:]
  }
}
