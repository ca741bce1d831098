import Foundation
import Ledger
import Postgres

extension APIKey {
  public enum ChangeProblem: Error, Sendable {
    /// There is no such key, or no such bot, in this workspace.
    case notFound
    /// It is revoked or on its way out already.
    case ended
  }

  /// How long a rotated key still works.
  public enum Overlap: String, Sendable, CaseIterable {
    case none = "0"
    case hour = "3600"
    case day = "86400"

    var seconds: TimeInterval { TimeInterval(rawValue) ?? 0 }
  }

  /// Makes a key for a bot of the workspace.
  ///
  /// - Returns: Its number and its text, which nobody can ask for again.
  /// - Throws: ``ChangeProblem/notFound``
  public static func create(
    name: String, botID: Int64, scopes: [Scope], side: Workspace.Side, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (id: Int64, text: String) {
    let draft = Draft(side: side)
    let id = try await pool.transaction(in: scope) { tx in
      let bots = try await tx.query(
        """
        select from bots where workspace_id = \(scope.workspaceID) and bot_id = \(botID)
          and disconnected_at is null
        """)
      guard bots.count == 1 else { throw ChangeProblem.notFound }
      return try await tx.insert(
        draft, KeyFacts(name: name, botID: botID, scopes: scopes), by: actor, "key.created",
        in: scope)
    }
    return (id, draft.text)
  }

  /// Puts a new key in an old one's place; the old one works as long as the overlap says.
  ///
  /// - Throws: ``ChangeProblem``
  public static func rotate(
    _ id: Int64, overlap: Overlap, side: Workspace.Side, by actor: Actor,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> (id: Int64, text: String) {
    let draft = Draft(side: side)
    let now = Date()
    let newID = try await pool.transaction(in: scope) { tx in
      let old = try await tx.lockKey(id, in: scope)
      guard old.isUntouched else { throw ChangeProblem.ended }
      let end = now.addingTimeInterval(overlap.seconds)
      try await tx.execute(
        """
        update api_keys set expires_at = \(end) where workspace_id = \(scope.workspaceID)
          and api_key_id = \(id)
        """)
      let newID = try await tx.insert(draft, old.facts, by: actor, "key.created", in: scope)
      try await tx.audit(
        actor, "key.rotated", "key", String(id),
        after: ["key": String(newID), "overlap_seconds": overlap.rawValue], in: scope,
        at: scope.now)
      return newID
    }
    return (newID, draft.text)
  }

  /// Ends a key at once. A running server may take it for ``Limits/directorySeconds`` more.
  ///
  /// - Throws: ``ChangeProblem``
  public static func revoke(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let key = try await tx.lockKey(id, in: scope)
      guard !key.isRevoked else { throw ChangeProblem.ended }
      try await tx.execute(
        """
        update api_keys set revoked_at = \(Date()) where workspace_id = \(scope.workspaceID)
          and api_key_id = \(id)
        """)
      try await tx.audit(
        actor, "key.revoked", "key", String(id), in: scope, at: scope.now)
    }
  }
}

private struct KeyFacts: Sendable {
  let name: String
  let botID: Int64
  let scopes: [APIKey.Scope]
}

extension Transaction {
  fileprivate func lockKey(
    _ id: Int64, in scope: WorkspaceScope
  ) async throws -> (facts: KeyFacts, isUntouched: Bool, isRevoked: Bool) {
    let row = try await query(
      """
      select name, bot_id, scopes, expires_at is null and revoked_at is null as untouched,
        revoked_at is not null as revoked
      from api_keys where workspace_id = \(scope.workspaceID) and api_key_id = \(id) for update
      """
    ).first
    guard let row else { throw APIKey.ChangeProblem.notFound }
    let names = Set(try row.get("scopes", as: [String].self))
    return (
      KeyFacts(
        name: try row.get("name"), botID: try row.get("bot_id"),
        scopes: APIKey.Scope.allCases.filter { names.contains($0.rawValue) }),
      try row.get("untouched"), try row.get("revoked")
    )
  }

  /// Stores the key and says so in the audit log, where its text never stands.
  fileprivate func insert(
    _ draft: APIKey.Draft, _ facts: KeyFacts, by actor: Actor, _ action: String,
    in scope: WorkspaceScope
  ) async throws -> Int64 {
    let id: Int64 = try await query(
      draft.statement(
        botID: facts.botID, workspaceID: scope.workspaceID, name: facts.name,
        scopes: facts.scopes, by: actor.name, at: Date()))[0].get("api_key_id")
    try await audit(
      actor, action, "key", String(id),
      after: [
        "name": facts.name, "bot": String(facts.botID),
        "scopes": facts.scopes.map(\.rawValue).joined(separator: " "),
      ], in: scope, at: scope.now)
    return id
  }
}
