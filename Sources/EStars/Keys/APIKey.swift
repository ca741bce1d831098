import Foundation
import Postgres

/// What a bot presents to `/v1`.
public struct APIKey: Sendable {
  public enum Scope: String, Sendable, CaseIterable { case read, use, sell, support }

  public let id: Int64
  public let workspaceID: Int64
  public let botID: Int64
  public let scopes: Set<Scope>
  public let hash: [UInt8]
  /// Set when the key was rotated: it works until then.
  public let expiresAt: Date?

  public func isExpired(at: Date) -> Bool { expiresAt.map { $0 <= at } ?? false }

  /// A key that still works. Keys live by the wall clock, whatever a test side's own says.
  static func find(hash: [UInt8], _ pool: Pool) async throws -> APIKey? {
    try await pool.query(
      """
      select api_key_id, workspace_id, bot_id, scopes, expires_at from api_keys
      where key_hash = \(hash) and revoked_at is null
        and (expires_at is null or expires_at > \(Date()))
      """
    ).first.map { row in
      APIKey(
        id: try row.get("api_key_id"), workspaceID: try row.get("workspace_id"),
        botID: try row.get("bot_id"),
        scopes: Set(try row.get("scopes", as: [String].self).compactMap(Scope.init(rawValue:))),
        hash: hash, expiresAt: try row.getIfPresent("expires_at"))
    }
  }

  /// Makes a key. The text is given out once and stored only as a hash.
  public static func issue(
    for bot: Bot, side: Workspace.Side, scopes: [Scope], at: Date, _ pool: Pool
  ) async throws -> String {
    let draft = Draft(side: side)
    try await pool.execute(
      draft.statement(
        botID: bot.id, workspaceID: bot.workspaceID, name: "", scopes: scopes, by: "", at: at))
    return draft.text
  }

  /// A key that is not stored yet.
  struct Draft: Sendable {
    let text: String

    init(side: Workspace.Side) {
      text = "esk_\(side.rawValue)_" + Bytes.base64URL(Bytes.random(30))
    }

    func statement(
      botID: Int64, workspaceID: Int64, name: String, scopes: [Scope], by: String, at: Date
    ) -> SQL {
      """
      insert into api_keys (key_hash, workspace_id, bot_id, prefix, scopes, name, created_by,
        created_at)
      values (\(Bytes.sha256(text)), \(workspaceID), \(botID), \(String(text.prefix(14))),
        \(scopes.map(\.rawValue)), \(name), \(by), \(at))
      returning api_key_id
      """
    }
  }
}
