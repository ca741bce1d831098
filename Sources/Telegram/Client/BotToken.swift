/// A bot's token, `123456:secret`. Printing, logging or reflecting it shows the bot id only.
public struct BotToken: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// The whole token. Whoever has it is the bot.
  public let secretText: String
  /// The bot's user id, which is the part before the colon.
  public let botID: Int64

  /// Nil when the text has not the form of a token: digits, a colon, then letters, digits,
  /// underscores and dashes.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.allSatisfy({ (48...57).contains($0) }),
      let botID = Int64(parts[0]), botID > 0,
      (1...128).contains(parts[1].utf8.count),
      parts[1].utf8.allSatisfy(BotToken.isSecretByte)
    else { return nil }
    secretText = text
    self.botID = botID
  }

  public var description: String { "\(botID):…" }

  public var customMirror: Mirror { Mirror(self, children: ["botID": botID]) }

  private static func isSecretByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
