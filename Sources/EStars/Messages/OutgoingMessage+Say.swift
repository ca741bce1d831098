import Foundation
import Ledger
import Postgres

extension Transaction {
  /// Has a bot say something to a customer, once for each kind and subject however often it is asked.
  ///
  /// - Parameters:
  ///   - subject: What it is about, 1–200 characters: a payment, a checkout, a period.
  ///   - body: Plain text; what Telegram would not take of it is cut off.
  ///   - askedBy: The operator who wants it; nil where a rule does.
  /// - Returns: Whether it was written now; false where it was said, or waits to be, already.
  @discardableResult
  func say(
    _ kind: OutgoingMessage.Kind, about subject: String, to customerID: Int64, botID: Int64,
    _ body: String, button: OutgoingMessage.Button? = nil, askedBy: Actor? = nil,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    try await write(
      kind, subject, to: (customerID: customerID, chatID: nil), botID: botID, body, button,
      askedBy: askedBy, in: scope, at: at)
  }

  /// Tells every linked alert chat of the workspace, once for each kind and subject.
  ///
  /// - Returns: How many chats are told by this call.
  @discardableResult
  func alert(
    _ kind: OutgoingMessage.Kind, about subject: String, _ body: String,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Int {
    let chats = try await query(
      """
      select a.bot_id, a.chat_id from alert_chats a
      join bots b on b.workspace_id = a.workspace_id and b.bot_id = a.bot_id
      where a.workspace_id = \(scope.workspaceID) and b.disconnected_at is null
      order by a.bot_id, a.chat_id
      """)
    var told = 0
    for row in chats {
      let botID: Int64 = try row.get("bot_id")
      let chatID: Int64 = try row.get("chat_id")
      let isNew = try await write(
        kind, "\(subject):\(botID):\(chatID)", to: (customerID: nil, chatID: chatID),
        botID: botID, body, nil, askedBy: nil, in: scope, at: at)
      if isNew { told += 1 }
    }
    return told
  }

  /// - Parameter to: One of the two.
  func write(
    _ kind: OutgoingMessage.Kind, _ subject: String, to: (customerID: Int64?, chatID: Int64?),
    botID: Int64, _ body: String, _ button: OutgoingMessage.Button?, askedBy: Actor?,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let row = try await query(
      """
      insert into outgoing_messages (workspace_id, bot_id, kind, subject, customer_id, chat_id,
        body, button_title, button_url, asked_by, created_at)
      values (\(scope.workspaceID), \(botID), \(kind.rawValue), \(subject), \(to.customerID),
        \(to.chatID), \(OutgoingMessage.fitting(body)), \(button?.title), \(button?.url),
        \(askedBy?.name ?? ""), \(at))
      on conflict (workspace_id, kind, subject) do nothing
      returning message_id
      """
    ).first
    guard let row else { return false }
    let id: Int64 = try row.get("message_id")
    try await Job.enqueue(.messagesSend, subject: "\(botID):\(id)", in: scope, self)
    return true
  }
}

extension OutgoingMessage {
  /// A text that Telegram takes: it counts in UTF-16 code units.
  static func fitting(_ body: String) -> String {
    var text = body.replacing("\0", with: "")
    while text.utf16.count > Limits.messageUnits { text.removeLast() }
    return text
  }
}
