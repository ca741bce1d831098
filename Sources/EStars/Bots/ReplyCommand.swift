import Foundation

/// The commands that Telegram wants of a bot that sells, and the one that buyers want.
public enum ReplyCommand: String, Sendable, CaseIterable {
  case paysupport, terms, privacy, balance

  /// Those whose answer is a text that the operator may write.
  public static let worded: [ReplyCommand] = [.paysupport, .terms, .privacy]

  /// A command as a person sent it in the bot's own chat.
  struct Sent: Sendable, Equatable {
    let command: ReplyCommand
    let telegramID: Int64
    let languageCode: String?
    /// Whether words follow the command.
    var hasWords = false
  }

  /// What an update asks of us: nil for anything but one of these commands, sent to this bot in its
  /// private chat.
  static func sent(in body: String, to bot: Bot) -> Sent? {
    guard mayHoldCommand(body.utf8) else { return nil }
    guard let update = try? JSONDecoder().decode(Update.self, from: Data(body.utf8)),
      let message = update.message, message.chat.type == "private", message.chat.id > 0,
      let words = message.text?.split(whereSeparator: \.isWhitespace), let word = words.first,
      word.hasPrefix("/")
    else { return nil }
    let parts = word.dropFirst().split(separator: "@", omittingEmptySubsequences: false)
    guard let name = parts.first, let command = ReplyCommand(rawValue: name.lowercased()),
      parts.count == 1
        || parts.count == 2 && parts[1].lowercased() == bot.username.lowercased()
    else { return nil }
    return Sent(
      command: command, telegramID: message.chat.id, languageCode: message.from?.language,
      hasWords: words.count > 1)
  }

  /// Most updates are known for other things by a look at their bytes: no slash before the first
  /// letter of a command.
  private static func mayHoldCommand(_ bytes: String.UTF8View) -> Bool {
    var follows = false
    for byte in bytes {
      if follows, initials.contains(byte | 0x20) { return true }
      follows = byte == UInt8(ascii: "/")
    }
    return false
  }

  private static let initials = Set(allCases.compactMap(\.rawValue.utf8.first))

  private struct Update: Decodable {
    let message: Message?
  }

  private struct Message: Decodable {
    struct Chat: Decodable {
      let id: Int64
      let type: String
    }

    struct Person: Decodable {
      let language: String?
      enum CodingKeys: String, CodingKey { case language = "language_code" }
    }

    let text: String?
    let chat: Chat
    let from: Person?
  }
}

/// The languages in which we answer.
public enum ReplyLanguage: String, Sendable, CaseIterable {
  case en
  case ptBR = "pt-br"

  /// The person's own language where it is one of ours, else the workspace's.
  public init(of languageCode: String?, in workspace: Workspace) {
    let code = (languageCode?.lowercased()).map { $0.prefix { $0 != "-" && $0 != "_" } }
    switch code {
    case "en": self = .en
    case "pt": self = .ptBR
    default: self = workspace.locale == "pt-BR" ? .ptBR : .en
    }
  }

  var locale: Locale { Locale(identifier: self == .en ? "en_GB" : "pt_BR") }
}
