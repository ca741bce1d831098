import Foundation
import Ledger
import Postgres

/// Something that was said in a support case, or noted about it.
public struct SupportMessage: Sendable, Equatable {
  public enum Author: String, Sendable, CaseIterable { case buyer, `operator`, system }

  /// Something that a buyer sent which is no text, by the name of its field in Telegram's message. It
  /// is not kept here, only that it came: the bot's own chat has it.
  public enum Attachment: String, Sendable, CaseIterable {
    case photo, voice, video, document, audio, sticker
    case videoNote = "video_note"

    struct Field: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ attachment: Attachment) { stringValue = attachment.rawValue }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }

  public let id: Int64
  public let author: Author
  /// An e-mail address or a bot's username; empty for the buyer.
  public let authorName: String
  /// For operators' eyes.
  public let isNote: Bool
  /// Empty where something came without words.
  public let body: String
  public let attachment: Attachment?
  public let at: Date
  /// How far a reply of ours is on its way; nil for what is not sent.
  public let delivery: OutgoingMessage?

  /// One page of a case's messages, newest first.
  ///
  /// - Parameter before: A message's number; only older ones.
  public static func of(
    case id: Int64, before: Int64? = nil, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [SupportMessage] {
    let rows = try await pool.query(
      """
      select * from support_messages where workspace_id = \(scope.workspaceID)
        and support_case_id = \(id) and support_message_id < \(before ?? .max)
      order by support_message_id desc limit \(limit)
      """, in: scope)
    let sent: [Int64] = try rows.compactMap { try $0.getIfPresent("message_id") }
    let deliveries =
      sent.isEmpty
      ? []
      : try await pool.query(
        """
        select * from outgoing_messages where workspace_id = \(scope.workspaceID)
          and message_id = any(\(sent))
        """, in: scope
      ).map(OutgoingMessage.init)
    let byID = Dictionary(deliveries.map { ($0.id, $0) }) { first, _ in first }
    return try rows.map { row in
      try SupportMessage(
        row, delivery: row.getIfPresent("message_id", as: Int64.self).flatMap { byID[$0] })
    }
  }

  private init(_ row: Row, delivery: OutgoingMessage?) throws {
    id = try row.get("support_message_id")
    author = Author(rawValue: try row.get("author_kind")) ?? .system
    authorName = try row.get("author")
    isNote = try row.get("is_note")
    body = try row.get("body")
    attachment = try row.getIfPresent("attachment", as: String.self)
      .flatMap(Attachment.init(rawValue:))
    at = try row.get("at")
    self.delivery = delivery
  }
}

extension SupportMessage {
  /// One that is to be kept.
  struct Draft: Sendable {
    let author: Author
    var authorName = ""
    var isNote = false
    let body: String
    var attachment: Attachment?
    /// Of the update that brought it.
    var updateID: Int64?
    /// Of the request or form.
    var key: String?
    /// Ours, on its way to the buyer.
    var messageID: Int64?
  }
}

extension Transaction {
  /// Keeps a message of a case, once for each update and key.
  ///
  /// - Returns: false where it is kept already.
  func keep(
    _ draft: SupportMessage.Draft, of supportCase: SupportCase, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    try await execute(
      """
      insert into support_messages (workspace_id, support_case_id, author_kind, author, is_note,
        body, attachment, update_id, bot_id, message_id, idempotency_key, at)
      values (\(scope.workspaceID), \(supportCase.id), \(draft.author.rawValue),
        \(draft.authorName), \(draft.isNote), \(draft.body), \(draft.attachment?.rawValue),
        \(draft.updateID), \(draft.updateID == nil ? nil : supportCase.botID), \(draft.messageID), \(draft.key),
        \(at))
      on conflict do nothing
      """) == 1
  }

  func hasSupportMessage(key: String, in scope: WorkspaceScope) async throws -> Bool {
    try await !query(
      """
      select from support_messages where workspace_id = \(scope.workspaceID)
        and idempotency_key = \(key)
      """
    ).isEmpty
  }
}
