import Foundation
import Ledger
import Postgres

/// Where a bot's events go, and what they are signed with.
public struct EventAddress: Sendable, Equatable {
  public let url: String
  /// Until when the secret before this one signs, too; nil when there is none.
  public let previousUntil: Date?
  /// Names the present secret without telling it: a form that was made for another one is refused.
  public let fingerprint: String
  let sealedSecret: [UInt8]
  let sealedPrevious: [UInt8]?

  public enum Problem: Error, Sendable, Equatable {
    case target(Target.Refusal)
    case noBot
    case noAddress
    /// The secret is another one than the form was made for: it was changed meanwhile.
    case changed
    /// The secret before the present one still signs; a third would drive it out.
    case overlapping
  }

  private init?(_ row: Row) throws {
    guard let url = try row.getIfPresent("event_url", as: String.self) else { return nil }
    self.url = url
    sealedSecret = try row.get("sealed_event_secret")
    sealedPrevious = try row.getIfPresent("sealed_event_secret_before")
    previousUntil = try row.getIfPresent("event_secret_before_until")
    fingerprint = Bytes.hex(Bytes.sha256(Bytes.hex(sealedSecret)).prefix(8))
  }

  /// nil when the bot has none.
  public static func of(
    bot id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> EventAddress? {
    try await pool.query(select(id, in: scope), in: scope).first.flatMap(EventAddress.init)
  }

  private static func select(_ botID: Int64, in scope: WorkspaceScope) -> SQL {
    """
    select event_url, sealed_event_secret, sealed_event_secret_before, event_secret_before_until
    from bots where workspace_id = \(scope.workspaceID) and bot_id = \(botID)
    """
  }

  /// Those that sign now, the newest first.
  ///
  /// - Throws: ``Secrets/Problem/sealed``
  func secrets(at: Date, _ secrets: Secrets) throws -> [String] {
    var open = [try secrets.open(sealedSecret)]
    if let sealedPrevious, let previousUntil, at < previousUntil {
      open.append(try secrets.open(sealedPrevious))
    }
    return open
  }

  private static func newSecret() -> String { "ess_" + Bytes.base64URL(Bytes.random(32)) }

  /// Sets the address. A bot that had one keeps its secret.
  ///
  /// - Returns: The secret, when it is new. It is shown once and never again.
  /// - Throws: ``Problem``
  public static func set(
    _ url: String, bot id: Int64, by actor: Actor, in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> String? {
    do { try await platform.targets.check(url) } catch let refusal as Target.Refusal {
      throw Problem.target(refusal)
    }
    let fresh = newSecret()
    let sealed = try platform.secrets.seal(fresh)
    return try await platform.pool.transaction(in: scope) { tx in
      guard let row = try await tx.query(select(id, in: scope) + " for update").first else {
        throw Problem.noBot
      }
      let before = try EventAddress(row)
      try await tx.execute(
        """
        update bots set event_url = \(url),
          sealed_event_secret = coalesce(sealed_event_secret, \(sealed)::bytea)
        where workspace_id = \(scope.workspaceID) and bot_id = \(id)
        """)
      if before?.url != url { try await tx.hurryEvents(botID: id, in: scope) }
      // An address may hold a token, so the audit log names hosts alone.
      try await tx.audit(
        actor, "event_address.set", "bot", String(id),
        before: ["url": before?.url.hostAlone ?? ""], after: ["url": url.hostAlone], in: scope,
        at: scope.now)
      return before == nil ? fresh : nil
    }
  }

  /// Makes a new secret. Both sign for ``Limits/eventSecretOverlapSeconds``.
  ///
  /// - Parameter fingerprint: Of the secret that is to be replaced: a form that is sent twice must
  ///   not drive out the secret that the bot still uses.
  /// - Returns: The new secret, to be shown once.
  /// - Throws: ``Problem``
  public static func rotate(
    bot id: Int64, fingerprint: String, by actor: Actor, in scope: WorkspaceScope,
    _ platform: Platform
  ) async throws -> String {
    let fresh = newSecret()
    let sealed = try platform.secrets.seal(fresh)
    // Events are timed by our own clock.
    let until = Date().addingTimeInterval(Limits.eventSecretOverlapSeconds)
    return try await platform.pool.transaction(in: scope) { tx in
      guard let row = try await tx.query(select(id, in: scope) + " for update").first,
        let address = try EventAddress(row)
      else { throw Problem.noAddress }
      guard address.fingerprint == fingerprint else { throw Problem.changed }
      if let until = address.previousUntil, Date() < until { throw Problem.overlapping }
      try await tx.execute(
        """
        update bots set sealed_event_secret = \(sealed),
          sealed_event_secret_before = sealed_event_secret, event_secret_before_until = \(until)
        where workspace_id = \(scope.workspaceID) and bot_id = \(id)
        """)
      try await tx.audit(
        actor, "event_address.rotated", "bot", String(id), in: scope, at: scope.now)
      return fresh
    }
  }

  /// Takes the address away; what still waits is not sent.
  public static func remove(
    bot id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard let row = try await tx.query(select(id, in: scope) + " for update").first,
        let address = try EventAddress(row)
      else { return }
      try await tx.execute(
        """
        update bots set event_url = null, sealed_event_secret = null,
          sealed_event_secret_before = null, event_secret_before_until = null
        where workspace_id = \(scope.workspaceID) and bot_id = \(id)
        """)
      try await tx.execute(
        """
        update events set state = 'skipped', next_at = null
        where workspace_id = \(scope.workspaceID) and bot_id = \(id) and state = 'pending'
        """)
      try await tx.audit(
        actor, "event_address.removed", "bot", String(id), before: ["url": address.url.hostAlone],
        in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  /// What waits is sent at once, since the address is another.
  fileprivate func hurryEvents(botID: Int64, in scope: WorkspaceScope) async throws {
    // Events are timed by our own clock. One that is under way just now is left alone.
    try await execute(
      """
      update events set next_at = now()
      where workspace_id = \(scope.workspaceID) and bot_id = \(botID) and state = 'pending'
        and next_at > now()
      """)
    try await Job.hurry(.eventsSend, botID: botID, in: scope, self)
  }
}
