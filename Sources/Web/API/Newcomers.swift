import EStars
import Foundation

/// Nobody makes customers of numbers that are tried out: who was never seen is counted.
enum Newcomers {
  /// Before a write that makes a customer of whoever it names.
  ///
  /// - Throws: ``Refusal`` with 429.
  static func admit(_ telegramID: Int64, _ call: BotCall) async throws {
    let known = try await Customer.find(
      telegramID: telegramID, in: call.scope, call.platform.pool)
    if known == nil { try call.server.strangers.count(telegramID, by: call.key) }
  }

  /// Before a use, which seldom makes a customer and is not to be slowed by a question: it is asked
  /// only when the key has used up its minute. ``note(_:_:_:)`` counts afterwards.
  ///
  /// - Throws: ``Refusal`` with 429.
  static func admitUse(_ telegramID: Int64, _ call: BotCall) async throws {
    guard call.server.strangers.isFull(for: call.key) else { return }
    try await admit(telegramID, call)
  }

  /// After a use that was made: it stays, whatever the count says.
  static func note(_ telegramID: Int64, _ answer: UsageAnswer, _ call: BotCall) {
    if answer.isKnown == false { try? call.server.strangers.count(telegramID, by: call.key) }
  }
}
