import Telegram

extension BotAPI {
  func sendMessage(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let chatID = try chatID(parameters)
    let text = try RichText.parse(parameters)
    let keyboard = try Keyboard.parse(parameters, isInvoice: false)
    return try Outcome(
      try await book.sendMessage(text, keyboard: keyboard, botID: bot.id, chatID: chatID))
  }

  func editMessageText(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let (chatID, messageID) = try messageAddress(parameters)
    let text = try RichText.parse(parameters)
    let keyboard = try Keyboard.parse(parameters, isInvoice: false)
    return try Outcome(
      try await book.editMessage(
        messageID, botID: bot.id, chatID: chatID, text: text, keyboard: keyboard))
  }

  func editMessageReplyMarkup(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let (chatID, messageID) = try messageAddress(parameters)
    let keyboard = try Keyboard.parse(parameters, isInvoice: false)
    return try Outcome(
      try await book.editMessage(
        messageID, botID: bot.id, chatID: chatID, text: nil, keyboard: keyboard))
  }

  func answerCallbackQuery(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let text = parameters.text("text")
    guard (text ?? "").count <= SandboxLimits.callbackAnswerLength else {
      throw BotAPIError.bad("MESSAGE_TOO_LONG")
    }
    try await book.answerPress(
      parameters.text("callback_query_id") ?? "", botID: bot.id, text: text,
      isAlert: parameters.flag("show_alert"))
    return try Outcome(true)
  }

  func chatID(_ parameters: Parameters) throws -> Int64 {
    guard let text = parameters.text("chat_id") else {
      throw BotAPIError.bad("chat_id is empty")
    }
    // Only private chats exist here, so a channel's @name finds nothing.
    guard let id = Int64(text) else { throw BotAPIError.chatNotFound }
    return id
  }

  private func messageAddress(
    _ parameters: Parameters
  ) throws -> (chatID: Int64, messageID: Int64) {
    let chatID = try chatID(parameters)
    guard let messageID = parameters.integer("message_id") else {
      throw BotAPIError.bad("message identifier is not specified")
    }
    return (chatID, messageID)
  }
}

extension SandboxBook {
  /// The chat a bot may write into.
  ///
  /// - Throws: `BotAPIError` when there is none, or the person blocked the bot.
  func openChat(botID: Int64, chatID: Int64) throws -> (bot: Bot, person: Person, key: ChatKey) {
    let key = ChatKey(personID: chatID, botID: botID)
    guard let chat = state.chats[key], let person = state.people[chatID],
      let bot = state.bots[botID]
    else { throw BotAPIError.chatNotFound }
    guard !chat.isBlocked else { throw BotAPIError.blocked }
    return (bot, person, key)
  }

  func sendMessage(
    _ text: RichText, keyboard: InlineKeyboard?, botID: Int64, chatID: Int64
  ) throws -> Message {
    let (bot, person, key) = try openChat(botID: botID, chatID: chatID)
    return try write {
      var message = Message(
        messageID: nextMessageID(of: botID), from: bot.user, chat: person.chat,
        date: nowSeconds, text: text.text)
      message.entities = text.entities.isEmpty ? nil : text.entities
      message.replyMarkup = keyboard
      put(.message(key, StoredMessage(message: message)))
      return message
    }
  }

  /// Replaces text (unless nil) and buttons of a message.
  func editMessage(
    _ messageID: Int64, botID: Int64, chatID: Int64, text: RichText?, keyboard: InlineKeyboard?
  ) throws -> Message {
    let (_, _, key) = try openChat(botID: botID, chatID: chatID)
    guard var stored = message(messageID, in: key) else {
      throw BotAPIError.bad("message to edit not found")
    }
    guard stored.message.from?.id == botID else {
      throw BotAPIError.bad("message can't be edited")
    }
    if text != nil, stored.message.text == nil {
      throw BotAPIError.bad("there is no text in the message to edit")
    }
    var message = stored.message
    if let text {
      message.text = text.text
      message.entities = text.entities.isEmpty ? nil : text.entities
    }
    message.replyMarkup = keyboard
    guard message != stored.message else {
      throw BotAPIError.bad(
        "message is not modified: specified new message content and reply markup are exactly "
          + "the same as a current content and reply markup of the message")
    }
    message.editDate = nowSeconds
    stored.message = message
    try write { put(.message(key, stored)) }
    return message
  }

  func answerPress(_ id: String, botID: Int64, text: String?, isAlert: Bool) throws {
    guard var press = state.presses[id], press.key.botID == botID else {
      throw BotAPIError.queryTooOld
    }
    guard !press.isAnswered else { return }
    press.isAnswered = true
    press.text = text
    press.isAlert = isAlert
    try write { put(.press(press)) }
    wakePress(id)
  }
}
