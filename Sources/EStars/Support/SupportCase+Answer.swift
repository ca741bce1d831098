import Foundation
import Ledger
import Postgres

extension SupportCase {
  /// Has the bot say something to the buyer, once for each key; the next word is the buyer's then.
  /// Whoever answers a case that is nobody's takes it.
  ///
  /// - Parameters:
  ///   - body: As the buyer reads it, at most ``Limits/messageUnits`` UTF-16 units.
  ///   - key: Of the form, so that sending it twice says it once.
  ///   - operatorID: Of the one who answers.
  /// - Returns: What the message is about, to send it at once with.
  /// - Throws: ``SupportRefusal``
  @discardableResult
  public static func reply(
    to id: Int64, _ body: String, key: String, by actor: Actor, operatorID: Int64,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> String {
    guard body.utf16.count <= Limits.messageUnits else { throw SupportRefusal.tooLong }
    return try await pool.transaction(in: scope) { tx in
      try await tx.reply(
        to: id, body, key: key, by: actor, operatorID: operatorID, in: scope, at: scope.now)
    }
  }

  /// Writes something down for colleagues, once for each key. Whose word is next stays.
  ///
  /// - Throws: ``SupportRefusal/notFound``
  public static func note(
    on id: Int64, _ body: String, key: String, by actor: Actor, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard let supportCase = try await tx.lockSupportCase(id, in: scope) else {
        throw SupportRefusal.notFound
      }
      let at = scope.now
      let isNew = try await tx.keep(
        .init(
          author: .operator, authorName: actor.name, isNote: true, body: body,
          key: "note:\(id):\(key)"), of: supportCase, in: scope, at: at)
      guard isNew else { return }
      try await tx.audit(
        actor, "support.noted", "support_case", String(id), in: scope, at: at)
    }
  }
}

extension Transaction {
  /// - Parameter isSent: Whether the bot says it; else it is kept as said already.
  func reply(
    to id: Int64, _ body: String, key: String, by actor: Actor, operatorID: Int64?,
    isSent: Bool = true, in scope: WorkspaceScope, at: Date
  ) async throws -> String {
    guard let supportCase = try await lockSupportCase(id, in: scope) else {
      throw SupportRefusal.notFound
    }
    let subject = "\(id):\(key)"
    guard try await !hasSupportMessage(key: "reply:\(subject)", in: scope) else { return subject }
    guard supportCase.state != .closed else { throw SupportRefusal.closed(supportCase) }
    var messageID: Int64?
    if isSent {
      try await say(
        .supportReply, about: subject, to: supportCase.customerID, botID: supportCase.botID, body,
        askedBy: actor, in: scope, at: at)
      messageID = try await query(
        """
        select message_id from outgoing_messages where workspace_id = \(scope.workspaceID)
          and kind = \(OutgoingMessage.Kind.supportReply.rawValue) and subject = \(subject)
        """)[0].get("message_id")
    }
    _ = try await keep(
      .init(
        author: .operator, authorName: actor.name, body: OutgoingMessage.fitting(body),
        key: "reply:\(subject)", messageID: messageID), of: supportCase, in: scope, at: at)
    try await execute(
      """
      update support_cases set state = 'waiting', waits_since = null, last_message_at = \(at),
        first_answered_at = coalesce(first_answered_at, \(at)),
        assigned_to = coalesce(assigned_to, (select operator_id from memberships
          where workspace_id = \(scope.workspaceID) and operator_id = \(operatorID)::bigint))
      where workspace_id = \(scope.workspaceID) and support_case_id = \(id)
      """)
    try await audit(actor, "support.replied", "support_case", String(id), in: scope, at: at)
    return subject
  }
}
