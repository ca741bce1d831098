import Foundation
import Ledger
import Postgres

/// Something that a bot is told of.
public struct Event: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case paymentCompleted = "payment.completed"
    case refundApproved = "refund.approved"
    case refundConfirmed = "refund.confirmed"
    case refundFailed = "refund.failed"
    case refundDeclined = "refund.declined"
    case refundGoodwill = "refund.goodwill"
    case accessChanged = "access.changed"
    case creditsLow = "credits.low"
    case holdExpired = "hold.expired"
    /// A debit that was accepted during an outage could not be booked.
    case debitUncollected = "debit.uncollected"
    case subscriptionStarted = "subscription.started"
    case subscriptionTrialStarted = "subscription.trial_started"
    case subscriptionRenewed = "subscription.renewed"
    case subscriptionUpgraded = "subscription.upgraded"
    case subscriptionDowngraded = "subscription.downgraded"
    /// Telegram does not renew it any more.
    case subscriptionCanceled = "subscription.canceled"
    case subscriptionReenabled = "subscription.reenabled"
    /// There were too few Stars for a renewal.
    case subscriptionFailed = "subscription.failed"
    /// It ends in three days, or today, unless something is paid.
    case subscriptionEnding = "subscription.ending"
    case subscriptionGrace = "subscription.grace"
    case subscriptionExpired = "subscription.expired"
    case supportCaseOpened = "support.case_opened"
    case supportCaseClosed = "support.case_closed"
    /// Sent when an operator asks for it, to see whether the address works.
    case eventTest = "event.test"
  }

  public enum State: String, Sendable, CaseIterable {
    /// It waits to be sent, for the first time or again.
    case pending
    case delivered
    /// It was tried for ``Limits/eventSeconds`` and is not tried any more.
    case failed
    /// The bot had no address for events.
    case skipped
  }

  public let id: Int64
  public let botID: Int64
  /// nil: about no customer.
  public let customerID: Int64?
  public let kind: String
  /// What the kind has to tell, as JSON.
  public let data: String
  public let state: State
  /// Since it was written, or since its last replay.
  public let attempts: Int
  /// When it is tried next; nil when it is not.
  public let nextAt: Date?
  let giveUpAt: Date?
  public let createdAt: Date
  public let deliveredAt: Date?
  /// Of the last answer; nil when there was none.
  public let lastStatus: Int?
  /// Why there was no answer, as a code: `not_reached`, `no_answer`, `address_private`, …
  public let lastError: String?
  /// Tells one wait from the next.
  let turn: String?

  /// As it is known outside.
  public var name: String { "evt_\(id)" }

  static let columns: SQL = "v.*, v.next_at::text as turn"

  init(_ row: Row) throws {
    id = try row.get("event_id")
    botID = try row.get("bot_id")
    customerID = try row.getIfPresent("customer_id")
    kind = try row.get("kind")
    data = try row.get("body")
    state = State(rawValue: try row.get("state")) ?? .skipped
    attempts = try row.get("attempts")
    nextAt = try row.getIfPresent("next_at")
    giveUpAt = try row.getIfPresent("give_up_at")
    createdAt = try row.get("created_at")
    deliveredAt = try row.getIfPresent("delivered_at")
    lastStatus = try row.getIfPresent("last_status")
    lastError = try row.getIfPresent("last_error")
    turn = try row.getIfPresent("turn")
  }

  /// What is signed and sent. The same event has the same bytes each time, as long as its customer
  /// is known.
  ///
  /// - Parameter telegramID: Of the customer; nil: it is about none, or about one who was erased.
  public func body(telegramID: Int64?) -> String {
    let user = telegramID.map { ",\"user\":\($0)" } ?? ""
    return """
      {"id":"\(name)","kind":"\(kind)","created_at":"\(createdAt.formatted(.iso8601))",\
      "bot":\(botID)\(user),"data":\(data)}
      """
  }
}

extension Transaction {
  /// Writes an event in the transaction of what it tells of. It names no person: whoever sends it
  /// looks the Telegram id up.
  func emit(
    _ kind: Event.Kind, _ data: some Encodable & Sendable, botID: Int64, customerID: Int64?,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let body = String(decoding: try encoder.encode(data), as: UTF8.self)
    try await execute(
      """
      select event_emit(\(scope.workspaceID), \(botID), \(customerID), \(kind.rawValue), \(body),
        \(at))
      """)
  }
}
