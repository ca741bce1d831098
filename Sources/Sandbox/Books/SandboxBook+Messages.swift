import Foundation
import Telegram

extension SandboxBook {
  /// Sends a text as a person; the bot gets it as an update.
  ///
  /// - Returns: the number of the message.
  /// - Throws: `Refusal`.
  @discardableResult
  public func sendText(_ text: String, from personID: Int64, to botID: Int64) throws -> Int64 {
    let person = try person(personID)
    _ = try bot(botID)
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard Telegram.Limits.textLength.contains(text.utf16.count) else {
      throw Refusal.invalid("A message has 1 to 4096 characters.")
    }
    return try write {
      let key = ChatKey(personID: personID, botID: botID)
      // Writing to a bot lifts the block, as restarting it does at Telegram.
      if state.chats[key]?.isBlocked ?? true { put(.chat(key, isBlocked: false)) }
      var message = Message(
        messageID: nextMessageID(of: botID), from: person.user, chat: person.chat,
        date: nowSeconds, text: text)
      message.entities = SandboxBook.commandEntities(in: text)
      put(.message(key, StoredMessage(message: message)))
      emit(.message, to: botID, queue: UpdateQueue.chat(personID)) {
        Update(updateID: $0, message: message)
      }
      return message.messageID
    }
  }

  /// Opens a person's chat with a bot without saying anything, or blocks it.
  public func setChat(personID: Int64, botID: Int64, isBlocked: Bool) throws {
    _ = try person(personID)
    _ = try bot(botID)
    try write { put(.chat(ChatKey(personID: personID, botID: botID), isBlocked: isBlocked)) }
  }

  /// Presses a button that carries `callback_data`.
  ///
  /// - Returns: the id of the press; `pressAnswer` waits for what the bot says to it.
  /// - Throws: `Refusal` when there is no such button.
  public func press(
    row: Int, column: Int, messageID: Int64, from personID: Int64, to botID: Int64
  ) throws -> String {
    let person = try person(personID)
    let key = ChatKey(personID: personID, botID: botID)
    guard let stored = message(messageID, in: key) else { throw Refusal.missing("message") }
    let rows = stored.message.replyMarkup?.rows ?? []
    guard rows.indices.contains(row), rows[row].indices.contains(column) else {
      throw Refusal.missing("button")
    }
    guard let data = rows[row][column].callbackData else {
      throw Refusal.invalid("This button tells the bot nothing.")
    }
    return try write {
      for old in state.presses.values where old.key == key && old.at < now - 86_400 {
        put(.pressClosed(old.id))
      }
      let press = Press(
        id: String(Int64.random(in: 1 << 60...Int64.max)), key: key, at: now)
      put(.press(press))
      emit(.callbackQuery, to: botID, queue: UpdateQueue.press(personID)) {
        Update(
          updateID: $0,
          callbackQuery: CallbackQuery(
            id: press.id, from: person.user, message: stored.message,
            chatInstance: "\(personID &* 31 &+ botID)", data: data))
      }
      return press.id
    }
  }

  /// What the bot answered to a press; nil text when it said nothing, nil when it did not answer
  /// in time.
  public func pressAnswer(
    _ id: String, within timeout: Duration
  ) async -> (text: String?, isAlert: Bool)? {
    if let press = state.presses[id], !press.isAnswered {
      let timer = Task {
        try await Task.sleep(for: timeout)
        self.wakePress(id)
      }
      await withCheckedContinuation { pressWaiters[id, default: []].append($0) }
      timer.cancel()
    }
    guard let press = state.presses[id], press.isAnswered else { return nil }
    return (press.text, press.isAlert)
  }

  func wakePress(_ id: String) {
    for waiter in pressWaiters.removeValue(forKey: id) ?? [] { waiter.resume() }
  }

  /// The chat's messages, oldest first.
  func messages(in key: ChatKey, last count: Int) -> [StoredMessage] {
    Array((state.chats[key]?.messages ?? []).suffix(count))
  }

  func message(_ id: Int64, in key: ChatKey) -> StoredMessage? {
    state.chats[key]?.messages.last { $0.message.messageID == id }
  }

  /// Takes the next message number; numbers run over all chats of a bot.
  func nextMessageID(of botID: Int64) -> Int64 {
    guard var bot = state.bots[botID] else { return 0 }
    bot.lastMessageID += 1
    put(.bot(bot))
    return bot.lastMessageID
  }

  private static func commandEntities(in text: String) -> [MessageEntity]? {
    guard text.first == "/" else { return nil }
    let word = text.prefix { !$0.isWhitespace }
    return word.count < 2
      ? nil : [MessageEntity(type: "bot_command", offset: 0, length: word.utf16.count)]
  }
}
