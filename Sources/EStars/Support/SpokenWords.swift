import Foundation
import Ledger
import Postgres

/// What a person sent into a bot's private chat, as far as support goes: a call for it, or words that may
/// belong to a case. Everything else that people write is none of our business.
struct SpokenWords: Sendable, Equatable {
  let telegramID: Int64
  let name: CustomerName
  let text: String
  /// Whether it began with `/paysupport`; `text` is what followed.
  let isCall: Bool
  /// The bot that the command names; nil where it names none.
  let addressee: String?
  /// What came with the words, or alone.
  var attachment: SupportMessage.Attachment?

  /// - Parameter text: As it was sent.
  /// - Returns: nil for another command, and for a call without words.
  init?(telegramID: Int64, name: CustomerName, text: String) {
    self.telegramID = telegramID
    self.name = name
    let text = text.replacing("\0", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.hasPrefix("/") else {
      guard !text.isEmpty else { return nil }
      (self.text, isCall, addressee) = (Self.fitting(text), false, nil)
      return
    }
    let word = text.prefix { !$0.isWhitespace }
    let parts = word.dropFirst().split(separator: "@", omittingEmptySubsequences: false)
    let rest = text.dropFirst(word.count).trimmingCharacters(in: .whitespacesAndNewlines)
    guard parts.first?.lowercased() == ReplyCommand.paysupport.rawValue, parts.count <= 2,
      !rest.isEmpty
    else { return nil }
    self.text = Self.fitting(rest)
    isCall = true
    addressee = parts.count == 2 ? String(parts[1]) : nil
  }

  /// Something that came without words.
  init(telegramID: Int64, name: CustomerName, attachment: SupportMessage.Attachment) {
    self.telegramID = telegramID
    self.name = name
    (text, isCall, addressee) = ("", false, nil)
    self.attachment = attachment
  }

  func isFor(_ bot: Bot) -> Bool {
    addressee.map { $0.lowercased() == bot.username.lowercased() } ?? true
  }

  private static func fitting(_ text: String) -> String {
    guard text.unicodeScalars.count > Limits.supportTextCharacters else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.prefix(Limits.supportTextCharacters)))
  }
}

extension SpokenWords {
  /// The parts of an update's `message` that tell.
  struct Message: Decodable {
    struct Person: Decodable {
      let id: Int64
      let isBot: Bool?
      let firstName: String?
      let lastName: String?
      let username: String?
      let languageCode: String?

      enum CodingKeys: String, CodingKey {
        case id, username
        case isBot = "is_bot"
        case firstName = "first_name"
        case lastName = "last_name"
        case languageCode = "language_code"
      }
    }

    struct Chat: Decodable {
      let id: Int64
      let type: String
    }

    let from: Person?
    let chat: Chat
    let text: String?
    /// Beside a picture, say.
    let caption: String?
    let attachment: SupportMessage.Attachment?

    private enum CodingKeys: String, CodingKey { case from, chat, text, caption }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      from = try fields.decodeIfPresent(Person.self, forKey: .from)
      chat = try fields.decode(Chat.self, forKey: .chat)
      text = try fields.decodeIfPresent(String.self, forKey: .text)
      caption = try fields.decodeIfPresent(String.self, forKey: .caption)
      // What is in it is not read, only that it is there.
      let kinds = try decoder.container(keyedBy: SupportMessage.Attachment.Field.self)
      attachment = SupportMessage.Attachment.allCases.first { kinds.contains(.init($0)) }
    }
  }

  /// - Returns: nil for what no person said or sent in the bot's own chat.
  init?(_ message: Message) {
    guard message.chat.type == "private", let person = message.from, person.isBot != true,
      person.id == message.chat.id,
      (1..<Limits.telegramID).contains(person.id)
    else { return nil }
    let name = CustomerName(
      firstName: person.firstName, lastName: person.lastName, username: person.username,
      languageCode: person.languageCode)
    guard let text = message.text ?? message.caption else {
      guard let attachment = message.attachment else { return nil }
      self.init(telegramID: person.id, name: name, attachment: attachment)
      return
    }
    self.init(telegramID: person.id, name: name, text: text)
    attachment = message.attachment
  }
}

extension Transaction {
  /// Who of these people has a case that goes on with a bot of the workspace.
  ///
  /// - Returns: Pairs of a bot and a Telegram id.
  func haveCases(
    _ telegramIDs: [Int64], in scope: WorkspaceScope
  ) async throws -> Set<[Int64]> {
    guard !telegramIDs.isEmpty else { return [] }
    let rows = try await query(
      """
      select distinct s.bot_id, c.telegram_id from customers c
      join support_cases s on s.workspace_id = c.workspace_id and s.customer_id = c.customer_id
        and s.state <> 'closed'
      where c.workspace_id = \(scope.workspaceID) and c.telegram_id = any(\(telegramIDs))
      """)
    return Set(try rows.map { [try $0.get("bot_id"), try $0.get("telegram_id")] })
  }

  /// Takes what a person wrote to a bot into a case: where it calls for support, or while one goes
  /// on. A buyer who writes without end is heard no more that day.
  ///
  /// - Returns: nil where it is no business of ours.
  func hear(
    _ spoken: SpokenWords, updateID: Int64, by bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws -> PaymentOutcome? {
    let known = try await query(
      """
      select customer_id from customers
      where workspace_id = \(scope.workspaceID) and telegram_id = \(spoken.telegramID)
      """
    ).first?.get("customer_id", as: Int64.self)
    let customerID: Int64
    if let known {
      customerID = known
    } else {
      guard spoken.isCall else { return nil }
      customerID = try await customer(
        telegramID: spoken.telegramID, name: spoken.name, in: scope, at: at
      ).id
    }
    do {
      let heard = try await hear(
        BuyerWords(
          customerID: customerID, text: spoken.text,
          payment: spoken.isCall
            ? try await paymentNamed(in: spoken.text, of: customerID, bot, in: scope) : nil,
          source: .buyer, mayOpen: spoken.isCall,
          updateID: updateID, attachment: spoken.attachment), by: bot, in: scope, at: at)
      guard let heard else { return nil }
      return PaymentOutcome(
        kind: heard.isOpening ? .supportOpened : .supportJoined, paymentID: nil)
    } catch SupportRefusal.tooManyMessages { return nil }
  }

  /// The buyer's payment whose transaction id stands among the words: Telegram shows it to buyers.
  private func paymentNamed(
    in text: String, of customerID: Int64, _ bot: Bot, in scope: WorkspaceScope
  ) async throws -> Payment? {
    let words = text.split(whereSeparator: \.isWhitespace).filter { $0.utf8.count >= 6 }
    guard !words.isEmpty else { return nil }
    return try await query(
      """
      select \(Payment.columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and p.bot_id = \(bot.id)
        and p.charge_id = any(\(words.prefix(100).map(String.init)))
        and p.customer_id = \(customerID)
      order by p.paid_at desc limit 1
      """
    ).first.map(Payment.init)
  }
}
