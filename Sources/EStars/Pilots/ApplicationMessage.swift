import Foundation
import Postgres

/// What was written about an application, or to and by its applicant.
public struct ApplicationMessage: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Among admins.
    case note
    case question, answer
    /// The words that go with a decision.
    case decision
  }

  public let id: Int64
  public let kind: Kind
  /// An admin's e-mail address; nil: the applicant.
  public let writtenBy: String?
  public let writtenAt: Date
  public let body: String

  public static let characters = 2000

  init(_ row: Row) throws {
    id = try row.get("application_message_id")
    kind = Kind(rawValue: try row.get("kind")) ?? .note
    writtenBy = try row.getIfPresent("written_by")
    writtenAt = try row.get("written_at")
    body = try row.get("body")
  }

  /// Oldest first.
  public static func all(
    of application: Application, _ pool: Pool
  ) async throws -> [ApplicationMessage] {
    try await pool.query(
      """
      select * from application_messages where application_id = \(application.id)
      order by application_message_id
      """
    ).map(ApplicationMessage.init)
  }
}

extension Application {
  /// Leaves a note that admins alone read.
  ///
  /// - Throws: ``Refusal``
  public static func note(
    _ body: String, about id: Int64, by admin: Operator, at: Date, _ pool: Pool
  ) async throws {
    try await pool.transaction { tx in
      _ = try await tx.lockApplication(id)
      try await tx.write(.note, body, about: id, by: admin.email, at: at)
      try await tx.auditAdmin(admin, "application.noted", "application", String(id), at: at)
    }
  }

  /// Asks the applicant something; the question stands behind the private link.
  ///
  /// - Throws: ``Refusal``
  public static func ask(
    _ body: String, about id: Int64, by admin: Operator, at: Date, _ pool: Pool
  ) async throws {
    try await pool.transaction { tx in
      guard try await tx.lockApplication(id).isOpen else { throw Refusal.state }
      try await tx.write(.question, body, about: id, by: admin.email, at: at)
      try await tx.execute(
        "update applications set state = 'asked' where application_id = \(id)")
      try await tx.auditAdmin(admin, "application.asked", "application", String(id), at: at)
    }
  }

  /// The applicant's answer, which brings the application back into the queue.
  ///
  /// - Throws: ``Refusal``
  public func answer(_ body: String, at: Date, _ pool: Pool) async throws {
    try await pool.transaction { tx in
      guard try await tx.lockApplication(id) == .asked else { throw Refusal.state }
      try await tx.write(.answer, body, about: id, by: nil, at: at)
      try await tx.execute(
        "update applications set state = 'received' where application_id = \(id)")
    }
  }

  /// Deletes everything that the applicant wrote and what was written about it. A workspace that
  /// came of it stays.
  public func remove(_ pool: Pool) async throws {
    try await pool.execute("delete from applications where application_id = \(id)")
  }

  /// The same for an applicant who asked by another way.
  ///
  /// - Throws: ``Refusal/notFound``
  public static func remove(
    _ id: Int64, by admin: Operator, at: Date, _ pool: Pool
  ) async throws {
    try await pool.transaction { tx in
      let state = try await tx.lockApplication(id)
      try await tx.execute("delete from applications where application_id = \(id)")
      try await tx.auditAdmin(
        admin, "application.removed", "application", String(id),
        before: ["state": state.rawValue], at: at)
    }
  }
}

extension Transaction {
  /// Holds an application, so that what follows knows its state.
  ///
  /// - Throws: ``Application/Refusal/notFound``
  func lockApplication(_ id: Int64) async throws -> Application.State {
    let row = try await query(
      "select state from applications where application_id = \(id) for update"
    ).first
    guard let row, let state = Application.State(rawValue: try row.get("state")) else {
      throw Application.Refusal.notFound
    }
    return state
  }

  func write(
    _ kind: ApplicationMessage.Kind, _ body: String, about id: Int64, by writer: String?, at: Date
  ) async throws {
    // A question brings at most one answer, and a decision ends it all: these always find room.
    if kind == .note || kind == .question {
      let count = try await query(
        """
        select count(*) from application_messages
        where application_id = \(id) and kind in ('note', 'question')
        """)[0].get("count", as: Int.self)
      guard count < Limits.applicationMessages else { throw Application.Refusal.tooMany }
    }
    try await execute(
      """
      insert into application_messages (application_id, kind, written_by, written_at, body)
      values (\(id), \(kind.rawValue), \(writer), \(at), \(body))
      """)
  }
}
