import Foundation
import Ledger
import Postgres

/// What a bot has to say to a customer, or to a chat in which operators read alerts. It is written in
/// the transaction of what makes it necessary and sent by the job `messages.send`.
public struct OutgoingMessage: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case receipt
    /// A receipt that an operator asked for.
    case receiptAgain = "receipt.again"
    case cartReminder = "cart.reminder"
    case cartAlert = "cart.alert"
    case alertTest = "alert.test"
    case alert
    case subscriptionEnding = "subscription.ending"
    case trialEnding = "trial.ending"
    case subscriptionGrace = "subscription.grace"
    /// An operator's words in a support case.
    case supportReply = "support.reply"
    /// Where a customer's credits went, as an operator sends it.
    case creditsAnswer = "credits.answer"
  }

  public enum State: String, Sendable, CaseIterable {
    case due, sent
    /// Telegram refused it, gave no answer twice, or could not be reached for a day.
    case failed
    /// The customer has stopped the bot, or the chat has thrown it out.
    case blocked
    /// There was no use in it any more.
    case dropped
  }

  /// One button beneath the text, which opens an address.
  public struct Button: Sendable, Equatable {
    public let title: String
    public let url: String

    public init(title: String, url: String) {
      self.title = title
      self.url = url
    }
  }

  public let id: Int64
  public let botID: Int64
  public let kind: Kind
  /// What it is about; a subject is told once for each kind.
  public let subject: String
  /// nil where it goes to a chat of operators.
  public let customerID: Int64?
  public let chatID: Int64?
  public let body: String
  public let button: Button?
  public let state: State
  /// Calls that Telegram never answered, the one that is being made included.
  let unanswered: Int
  /// Telegram's own words, or a code of ours: see ``MessageProblem``.
  public let lastError: String?
  /// The operator who asked for it; empty where a rule did.
  public let askedBy: String
  public let createdAt: Date
  public let closedAt: Date?

  init(_ row: Row) throws {
    id = try row.get("message_id")
    botID = try row.get("bot_id")
    kind = Kind(rawValue: try row.get("kind")) ?? .receipt
    subject = try row.get("subject")
    customerID = try row.getIfPresent("customer_id")
    chatID = try row.getIfPresent("chat_id")
    body = try row.get("body")
    let url: String? = try row.getIfPresent("button_url")
    button = try url.map { Button(title: try row.get("button_title"), url: $0) }
    state = State(rawValue: try row.get("state")) ?? .failed
    unanswered = try row.get("unanswered")
    lastError = try row.getIfPresent("last_error")
    askedBy = try row.get("asked_by")
    createdAt = try row.get("created_at")
    closedAt = try row.getIfPresent("closed_at")
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> OutgoingMessage? {
    try await pool.query(
      """
      select * from outgoing_messages
      where workspace_id = \(scope.workspaceID) and message_id = \(id)
      """, in: scope
    ).first.map(OutgoingMessage.init)
  }

  /// The message of a kind about a subject.
  public static func find(
    _ kind: Kind, about subject: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> OutgoingMessage? {
    try await pool.query(
      """
      select * from outgoing_messages where workspace_id = \(scope.workspaceID)
        and kind = \(kind.rawValue) and subject = \(subject)
      """, in: scope
    ).first.map(OutgoingMessage.init)
  }
}
