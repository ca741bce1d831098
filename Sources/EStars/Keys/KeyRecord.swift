import Foundation
import Ledger
import Postgres

/// A key as the dashboard lists it. Its text is known to nobody but its bot.
public struct KeyRecord: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    case active
    /// Rotated; it works until ``KeyRecord/expiresAt``.
    case ending
    case ended
    case revoked
  }

  public let id: Int64
  public let name: String
  public let botID: Int64
  public let botUsername: String
  /// How the key begins, enough to tell it from others.
  public let prefix: String
  public let scopes: [APIKey.Scope]
  public let createdAt: Date
  /// An e-mail address; empty for a key that the program itself made.
  public let createdBy: String
  /// Right to a minute.
  public let lastUsedAt: Date?
  public let expiresAt: Date?
  public let revokedAt: Date?

  private init(_ row: Row) throws {
    id = try row.get("api_key_id")
    name = try row.get("name")
    botID = try row.get("bot_id")
    botUsername = try row.get("username")
    prefix = try row.get("prefix")
    let names = Set(try row.get("scopes", as: [String].self))
    scopes = APIKey.Scope.allCases.filter { names.contains($0.rawValue) }
    createdAt = try row.get("created_at")
    createdBy = try row.get("created_by")
    lastUsedAt = try row.getIfPresent("last_used_at")
    expiresAt = try row.getIfPresent("expires_at")
    revokedAt = try row.getIfPresent("revoked_at")
  }

  public func state(at: Date) -> State {
    if revokedAt != nil { return .revoked }
    guard let expiresAt else { return .active }
    return expiresAt > at ? .ending : .ended
  }

  private static let select: SQL = """
    select k.api_key_id, k.name, k.bot_id, b.username, k.prefix, k.scopes, k.created_at,
      k.created_by, k.last_used_at, k.expires_at, k.revoked_at
    from api_keys k join bots b using (workspace_id, bot_id)
    """

  /// Keys of the workspace, newest first.
  ///
  /// - Parameter before: The number of the last key of the page before.
  public static func recent(
    before: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [KeyRecord] {
    try await pool.query(
      """
      \(select) where k.workspace_id = \(scope.workspaceID)
        and k.api_key_id < \(before ?? .max)
      order by k.api_key_id desc limit \(limit)
      """
    ).map(KeyRecord.init)
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> KeyRecord? {
    try await pool.query(
      "\(select) where k.workspace_id = \(scope.workspaceID) and k.api_key_id = \(id)"
    ).first.map(KeyRecord.init)
  }
}
