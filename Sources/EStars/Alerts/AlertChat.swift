import Foundation
import Ledger
import Postgres

/// A Telegram chat, of one person or a group, in which operators read a workspace's alerts.
public struct AlertChat: Sendable, Equatable {
  public let botID: Int64
  public let chatID: Int64
  /// A group's title or a person's name, as Telegram gave it.
  public let title: String
  /// Who made the code.
  public let linkedBy: String
  public let linkedAt: Date
  /// What became of the last message to it; nil while there was none.
  public let lastMessage: OutgoingMessage?

  private init(_ row: Row) throws {
    botID = try row.get("chat_bot_id")
    chatID = try row.get("alert_chat_id")
    title = try row.get("title")
    linkedBy = try row.get("linked_by")
    linkedAt = try row.get("linked_at")
    let message: Int64? = try row.getIfPresent("message_id")
    lastMessage = try message.map { _ in try OutgoingMessage(row) }
  }

  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [AlertChat] {
    try await pool.query(
      """
      select a.bot_id as chat_bot_id, a.chat_id as alert_chat_id, a.title, a.linked_by, a.linked_at,
        m.*
      from alert_chats a
      left join lateral (
        select * from outgoing_messages m where m.workspace_id = a.workspace_id
          and m.bot_id = a.bot_id and m.chat_id = a.chat_id
        order by m.message_id desc limit 1) m on true
      where a.workspace_id = \(scope.workspaceID)
      order by a.linked_at, a.bot_id, a.chat_id limit 100
      """, in: scope
    ).map(AlertChat.init)
  }

  /// A code that links the chat in which it is sent to the bot. Its text is in no table.
  ///
  /// - Returns: Letters, digits, `-` and `_`: what a link to a bot may carry.
  public static func makeCode(
    for bot: Bot, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    let code = prefix + Bytes.base64URL(Bytes.random(18))
    let at = scope.now
    try await pool.transaction(in: scope) { tx in
      // Those that nobody can use any more.
      try await tx.execute(
        """
        delete from alert_codes where workspace_id = \(scope.workspaceID)
          and expires_at < \(at.addingTimeInterval(-86_400))
        """)
      try await tx.execute(
        """
        insert into alert_codes (workspace_id, code_hash, bot_id, made_by, expires_at)
        values (\(scope.workspaceID), \(Bytes.sha256(code)), \(bot.id), \(actor.name),
          \(at.addingTimeInterval(Limits.alertCodeSeconds)))
        """)
      try await tx.audit(
        actor, "alert_chat.code_made", "bot", String(bot.id), in: scope, at: at)
    }
    return code
  }

  static let prefix = "alert-"

  /// Sends a message by which its readers see that the link works.
  ///
  /// - Parameter key: Of the form, so that sending it twice says it once.
  /// - Returns: false where the chat is not linked any more.
  public static func test(
    botID: Int64, chatID: Int64, key: String, by actor: Actor, in scope: WorkspaceScope,
    _ platform: Platform
  ) async throws -> Bool {
    let subject = "\(botID):\(chatID):\(key)"
    let isLinked = try await platform.pool.transaction(in: scope) { tx in
      guard try await tx.isLinked(botID, chatID, in: scope) else { return false }
      let place = try await tx.query(
        "select name, locale from workspaces where workspace_id = \(scope.workspaceID)")[0]
      let words = AlertWords(language: BuyerLanguage(of: nil, else: try place.get("locale")))
      _ = try await tx.write(
        .alertTest, subject, to: (customerID: nil, chatID: chatID), botID: botID,
        words.test(try place.get("name"), by: actor.name), nil, askedBy: actor, in: scope,
        at: scope.now)
      return true
    }
    if isLinked { await platform.messages.sendNow(.alertTest, about: subject, in: scope) }
    return isLinked
  }

  /// Alerts go there no more.
  public static func unlink(
    botID: Int64, chatID: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let removed = try await tx.query(
        """
        delete from alert_chats where workspace_id = \(scope.workspaceID) and bot_id = \(botID)
          and chat_id = \(chatID) returning title
        """
      ).first
      guard let removed else { return }
      try await tx.audit(
        actor, "alert_chat.unlinked", "bot", String(botID),
        before: ["chat": try removed.get("title"), "chat_id": String(chatID)], in: scope,
        at: scope.now)
    }
  }
}

extension Transaction {
  fileprivate func isLinked(
    _ botID: Int64, _ chatID: Int64, in scope: WorkspaceScope
  ) async throws -> Bool {
    try await !query(
      """
      select from alert_chats where workspace_id = \(scope.workspaceID) and bot_id = \(botID)
        and chat_id = \(chatID)
      """
    ).isEmpty
  }
}

/// How alert chats are spoken to.
struct AlertWords: Sendable {
  let language: BuyerLanguage

  func linked(_ workspace: String) -> String {
    switch language {
    case .en: "This chat now gets the alerts of \(workspace)."
    case .ptBR: "Este chat passa a receber os alertas de \(workspace)."
    case .es: "Este chat recibe ahora las alertas de \(workspace)."
    case .ru: "В этот чат теперь приходят уведомления: \(workspace)."
    }
  }

  func test(_ workspace: String, by operatorName: String) -> String {
    switch language {
    case .en: "A test by \(operatorName): alerts of \(workspace) arrive here."
    case .ptBR: "Um teste de \(operatorName): os alertas de \(workspace) chegam aqui."
    case .es: "Una prueba de \(operatorName): las alertas de \(workspace) llegan aquí."
    case .ru: "Проверка (\(operatorName)): уведомления «\(workspace)» приходят сюда."
    }
  }
}
