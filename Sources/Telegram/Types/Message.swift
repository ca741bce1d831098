/// A message, of a person, of the bot or of Telegram itself (payments).
public struct Message: Codable, Sendable, Hashable {
  public var messageID: Int64
  /// Absent in channels. On `refundedPayment` it is the bot: the payer is `chat.id`.
  public var from: User?
  public var chat: Chat
  /// Unix time; 0 for a message the bot may no longer read.
  public var date: Int64
  public var editDate: Int64?
  public var text: String?
  public var entities: [MessageEntity]?
  public var replyMarkup: InlineKeyboard?
  public var invoice: Invoice?
  public var successfulPayment: SuccessfulPayment?
  public var refundedPayment: RefundedPayment?

  public init(messageID: Int64, from: User?, chat: Chat, date: Int64, text: String? = nil) {
    self.messageID = messageID
    self.from = from
    self.chat = chat
    self.date = date
    self.text = text
  }

  /// The command this message starts with, without slash and bot name: `start` for
  /// `/start@shop_bot 7`. Nil when it is no command.
  public var command: String? {
    guard let text, text.first == "/" else { return nil }
    let word = text.dropFirst().prefix { !$0.isWhitespace }
    let name = word.prefix { $0 != "@" }
    return name.isEmpty ? nil : name.lowercased()
  }

  /// What follows the command, trimmed; empty when nothing does.
  public var commandArgument: String {
    guard let text, command != nil, let space = text.firstIndex(where: \.isWhitespace) else {
      return ""
    }
    return String(text[space...].drop(while: \.isWhitespace))
  }

  enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case from, chat, date, text, entities, invoice
    case editDate = "edit_date"
    case replyMarkup = "reply_markup"
    case successfulPayment = "successful_payment"
    case refundedPayment = "refunded_payment"
  }
}

/// A styled or meaningful part of a text. Offset and length count UTF-16 code units.
public struct MessageEntity: Codable, Sendable, Hashable {
  public var type: String
  public var offset: Int
  public var length: Int
  public var url: String?

  public init(type: String, offset: Int, length: Int, url: String? = nil) {
    self.type = type
    self.offset = offset
    self.length = length
    self.url = url
  }
}

/// A press on a button that carries `callback_data`.
public struct CallbackQuery: Codable, Sendable, Hashable {
  public var id: String
  public var from: User
  /// The message with the button; absent when it is too old.
  public var message: Message?
  public var inlineMessageID: String?
  public var chatInstance: String
  public var data: String?

  public init(
    id: String, from: User, message: Message?, chatInstance: String, data: String?
  ) {
    self.id = id
    self.from = from
    self.message = message
    self.chatInstance = chatInstance
    self.data = data
  }

  enum CodingKeys: String, CodingKey {
    case id, from, message, data
    case inlineMessageID = "inline_message_id"
    case chatInstance = "chat_instance"
  }
}
