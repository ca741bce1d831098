import Foundation
import Ledger
import Postgres

extension AlertChat {
  /// What an update says about alert chats.
  enum News: Sendable, Equatable {
    /// `/start CODE` in a chat.
    case code(String, chatID: Int64, title: String)
    /// A group got another number.
    case moved(from: Int64, to: Int64)
  }

  /// nil for almost every update, and that costs a look at its bytes.
  static func news(in body: String, to bot: Bot) -> News? {
    let bytes = Data(body.utf8)
    guard bytes.range(of: Data(prefix.utf8)) != nil || bytes.range(of: moveMark) != nil,
      let message = (try? JSONDecoder().decode(Update.self, from: bytes))?.message
    else { return nil }
    if let to = message.movedTo { return .moved(from: message.chat.id, to: to) }
    let words = (message.text ?? "").split(whereSeparator: \.isWhitespace)
    guard words.count == 2, words[1].hasPrefix(prefix) else { return nil }
    let command = words[0].split(separator: "@", omittingEmptySubsequences: false)
    guard command.first?.lowercased() == "/start",
      command.count == 1
        || command.count == 2 && command[1].lowercased() == bot.username.lowercased()
    else { return nil }
    return .code(String(words[1]), chatID: message.chat.id, title: message.chat.name)
  }

  private static let moveMark = Data(#""migrate_to_chat_id""#.utf8)

  private struct Update: Decodable {
    let message: Message?
  }

  private struct Message: Decodable {
    struct Chat: Decodable {
      let id: Int64
      let title: String?
      let first: String?
      let last: String?
      enum CodingKeys: String, CodingKey {
        case id, title
        case first = "first_name"
        case last = "last_name"
      }

      var name: String {
        let name = title ?? [first, last].compactMap { $0 }.joined(separator: " ")
        return String(name.replacing("\0", with: "").prefix(128))
      }
    }

    let chat: Chat
    let text: String?
    let movedTo: Int64?
    enum CodingKeys: String, CodingKey {
      case chat, text
      case movedTo = "migrate_to_chat_id"
    }
  }

  /// Links a chat by its code or follows a group to its new number.
  static func hear(
    _ news: News, by bot: Bot, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      switch news {
      case .code(let code, let chatID, let title):
        try await tx.linkAlertChat(code, chatID, title, bot, in: scope, at: scope.now)
      case .moved(let from, let to):
        try await tx.execute(
          """
          update alert_chats a set chat_id = \(to)
          where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id) and chat_id = \(from)
            and not exists (select from alert_chats b where b.workspace_id = a.workspace_id
              and b.bot_id = a.bot_id and b.chat_id = \(to))
          """)
      }
    }
  }
}

extension Transaction {
  /// A code that is used, over or another bot's does nothing, and nobody is told: whoever tries
  /// codes learns nothing.
  fileprivate func linkAlertChat(
    _ code: String, _ chatID: Int64, _ title: String, _ bot: Bot, in scope: WorkspaceScope, at: Date
  ) async throws {
    let made = try await query(
      """
      update alert_codes set used_at = \(at) where workspace_id = \(scope.workspaceID)
        and code_hash = \(Bytes.sha256(code)) and bot_id = \(bot.id) and used_at is null
        and expires_at > \(at)
        and (select count(*) from alert_chats
          where workspace_id = \(scope.workspaceID)) < \(Limits.alertChats)
      returning made_by
      """
    ).first
    guard let made else { return }
    let maker: String = try made.get("made_by")
    try await execute(
      """
      insert into alert_chats (workspace_id, bot_id, chat_id, title, linked_by, linked_at)
      values (\(scope.workspaceID), \(bot.id), \(chatID), \(title), \(maker), \(at))
      on conflict (workspace_id, bot_id, chat_id) do update set title = excluded.title
      """)
    try await audit(
      Actor(.telegram, "@\(bot.username)"), "alert_chat.linked", "bot", String(bot.id),
      after: ["chat": title, "chat_id": String(chatID), "code_of": maker], in: scope, at: at)
    let place = try await query(
      "select name, locale from workspaces where workspace_id = \(scope.workspaceID)")[0]
    let words = AlertWords(language: BuyerLanguage(of: nil, else: try place.get("locale")))
    let digest = Bytes.hex(Array(Bytes.sha256(code).prefix(8)))
    _ = try await write(
      .alertTest, "linked:\(digest)", to: (customerID: nil, chatID: chatID), botID: bot.id,
      words.linked(try place.get("name")), nil, askedBy: nil, in: scope, at: at)
  }
}
