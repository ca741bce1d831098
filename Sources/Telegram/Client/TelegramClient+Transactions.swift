import Foundation

extension TelegramClient {
  /// The movement by which Stars of a charge left the bot, if its books show one. Telegram lists
  /// the oldest first and filters nothing, so the books are read from their end backwards.
  ///
  /// - Parameter since: how far back to read.
  /// - Throws: `TelegramError`, as every call here.
  public func outgoingTransaction(
    of chargeID: String, since: Date
  ) async throws -> StarTransaction? {
    var end = try await starTransactionCount()
    while end > 0 {
      let offset = max(0, end - Self.page)
      let page = try await getStarTransactions(offset: offset, limit: end - offset)
      if let found = page.last(where: { $0.id == chargeID && $0.direction == .outgoing }) {
        return found
      }
      guard let oldest = page.first, Double(oldest.date) >= since.timeIntervalSince1970 else {
        return nil
      }
      end = offset
    }
    return nil
  }

  private static let page = 100

  /// How many movements there are: found by doubling and halving, since no method says it.
  private func starTransactionCount() async throws -> Int {
    var (known, empty) = (0, Self.page)
    while try await !getStarTransactions(offset: empty, limit: 1).isEmpty {
      (known, empty) = (empty, empty * 2)
      guard empty <= Limits.starTransactions else {
        throw TelegramError.unknownOutcome(reason: "the list of transactions has no end")
      }
    }
    while empty - known > Self.page {
      let middle = known + (empty - known) / 2
      if try await getStarTransactions(offset: middle, limit: 1).isEmpty {
        empty = middle
      } else {
        known = middle
      }
    }
    return known + (try await getStarTransactions(offset: known, limit: Self.page)).count
  }
}
