import Foundation
import Ledger
import Postgres

/// Something that a bot is told of.
public struct Event: Sendable {
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
