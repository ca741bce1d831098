/// How Telegram reads markup in a text. Without one, the text is plain.
public enum ParseMode: String, Codable, Sendable {
  case html = "HTML"
  case markdown = "MarkdownV2"
}

extension TelegramClient {
  /// The bot itself; the cheapest way to check a token.
  /// - Throws: `TelegramError`, as every call here.
  public func getMe() async throws -> User { try await call("getMe") }

  /// Sends a text of 1–4096 characters. No method of the Bot API has an idempotency key.
  @discardableResult
  public func sendMessage(
    to chatID: Int64, _ text: String, parseMode: ParseMode? = nil,
    replyMarkup: InlineKeyboard? = nil
  ) async throws -> Message {
    let parameters = TextParameters(
      chatID: chatID, messageID: nil, text: text, parseMode: parseMode, replyMarkup: replyMarkup)
    return try await call("sendMessage", parameters, chat: chatID, isPaced: true)
  }

  /// Replaces text and buttons of a message of the bot.
  @discardableResult
  public func editMessageText(
    in chatID: Int64, messageID: Int64, _ text: String, parseMode: ParseMode? = nil,
    replyMarkup: InlineKeyboard? = nil
  ) async throws -> Message {
    let parameters = TextParameters(
      chatID: chatID, messageID: messageID, text: text, parseMode: parseMode,
      replyMarkup: replyMarkup)
    return try await call("editMessageText", parameters, chat: chatID, isPaced: true)
  }

  /// Ends the waiting state of a button; `text` of up to 200 characters is shown to the person.
  public func answerCallbackQuery(
    _ id: String, text: String? = nil, showAlert: Bool = false
  ) async throws {
    let _: Bool = try await call(
      "answerCallbackQuery",
      CallbackAnswer(callbackQueryID: id, text: text, showAlert: showAlert))
  }

  /// Sets the command menu, at most 100 lines.
  public func setMyCommands(
    _ commands: [BotCommand], languageCode: String? = nil, scope: CommandScope = .everybody
  ) async throws {
    let _: Bool = try await call(
      "setMyCommands",
      CommandParameters(commands: commands, languageCode: languageCode, scope: scope))
  }

  public func getMyCommands(
    languageCode: String? = nil, scope: CommandScope = .everybody
  ) async throws -> [BotCommand] {
    try await call(
      "getMyCommands", CommandParameters(commands: nil, languageCode: languageCode, scope: scope))
  }
}

/// For whom a command menu is (`BotCommandScope`).
public enum CommandScope: String, Sendable, Encodable {
  case everybody = "default"
  case privateChats = "all_private_chats"

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rawValue, forKey: .type)
  }

  private enum CodingKeys: String, CodingKey { case type }
}

private struct TextParameters: Encodable, Sendable {
  let chatID: Int64
  let messageID: Int64?
  let text: String
  let parseMode: ParseMode?
  let replyMarkup: InlineKeyboard?

  enum CodingKeys: String, CodingKey {
    case text
    case chatID = "chat_id"
    case messageID = "message_id"
    case parseMode = "parse_mode"
    case replyMarkup = "reply_markup"
  }
}

private struct CallbackAnswer: Encodable, Sendable {
  let callbackQueryID: String
  let text: String?
  let showAlert: Bool

  enum CodingKeys: String, CodingKey {
    case text
    case callbackQueryID = "callback_query_id"
    case showAlert = "show_alert"
  }
}

private struct CommandParameters: Encodable, Sendable {
  let commands: [BotCommand]?
  let languageCode: String?
  let scope: CommandScope

  enum CodingKeys: String, CodingKey {
    case commands, scope
    case languageCode = "language_code"
  }
}
