import EStars
import Foundation

/// Telegram's number of a person: positive, at most 52 bits (Bot API, `User.id`).
enum UserID {
  /// - Throws: ``Refusal``
  static func check(_ id: Int64) throws -> Int64 {
    guard id > 0, id < Limits.telegramID else {
      throw Refusal(
        .badRequest, "invalid_user", "“user” is the Telegram id of a person: a positive number.")
    }
    return id
  }

  static func parse(_ text: String?) throws -> Int64 { try check(text.flatMap { Int64($0) } ?? 0) }
}
