import Foundation
import Postgres

/// A signed-in browser. The token lives in a cookie; only its hash is stored.
public struct Session: Sendable {
  /// What the session is called where its token must not be.
  public let id: Int64
  let tokenHash: [UInt8]
  public let `operator`: Operator
  public let csrfToken: String
  public let createdAt: Date

  public struct Opened: Sendable {
    /// Given to the browser once; never stored.
    public let token: String
    public let csrfToken: String
    /// The password was right; the second factor is still to come.
    public let awaitsTOTP: Bool
  }

  /// Opens a session for an operator whose password was just checked.
  static func open(
    for operatorID: Int64, awaitsTOTP: Bool, userAgent: String, address: String, at: Date,
    _ pool: Pool
  ) async throws -> Opened {
    let token = Bytes.base64URL(Bytes.random(32))
    let csrf = Bytes.base64URL(Bytes.random(24))
    let agent = userAgent.replacing("\0", with: "").prefix(200)
    try await pool.execute(
      """
      insert into sessions (token_hash, operator_id, csrf_token, created_at, last_seen_at,
        user_agent, address, awaits_totp)
      values (\(Bytes.sha256(token)), \(operatorID), \(csrf), \(at), \(at),
        \(String(agent)), \(address), \(awaitsTOTP))
      """)
    return Opened(token: token, csrfToken: csrf, awaitsTOTP: awaitsTOTP)
  }

  /// The session of a token, if neither its idle time nor its whole time has run out. One that still
  /// waits for the second factor is none.
  public static func find(token: String, at: Date, _ pool: Pool) async throws -> Session? {
    try await find(token, awaitsTOTP: false, within: Limits.sessionSeconds, at: at, pool)
  }

  /// The session of a browser whose second factor is still to come.
  public static func findAwaitingTOTP(
    token: String, at: Date, _ pool: Pool
  ) async throws -> Session? {
    try await find(token, awaitsTOTP: true, within: Limits.totpSeconds, at: at, pool)
  }

  private static func find(
    _ token: String, awaitsTOTP: Bool, within seconds: Int, at: Date, _ pool: Pool
  ) async throws -> Session? {
    guard token.utf8.count <= 128 else { return nil }
    let hash = Bytes.sha256(token)
    let row = try await pool.query(
      """
      select \(Operator.columns), s.session_id, s.csrf_token, s.created_at, s.last_seen_at
      from sessions s join operators o using (operator_id)
      where s.token_hash = \(hash) and s.awaits_totp = \(awaitsTOTP)
        and s.last_seen_at > \(at.addingTimeInterval(-Double(Limits.sessionIdleSeconds)))
        and s.created_at > \(at.addingTimeInterval(-Double(seconds)))
      """
    ).first
    guard let row else { return nil }
    // A write a minute is enough to measure idleness in hours.
    if try row.get("last_seen_at", as: Date.self) < at.addingTimeInterval(-60) {
      try await pool.execute(
        "update sessions set last_seen_at = \(at) where token_hash = \(hash)")
    }
    return Session(
      id: try row.get("session_id"), tokenHash: hash, operator: try Operator(row),
      csrfToken: try row.get("csrf_token"), createdAt: try row.get("created_at"))
  }

  public func close(_ pool: Pool) async throws {
    try await pool.execute("delete from sessions where token_hash = \(tokenHash)")
  }

  /// Closes whatever session a browser had before it signs in anew.
  public static func close(token: String, _ pool: Pool) async throws {
    guard token.utf8.count <= 128 else { return }
    try await pool.execute("delete from sessions where token_hash = \(Bytes.sha256(token))")
  }

  /// Sessions past their times, removed by a job.
  public static func purge(at: Date, _ pool: Pool) async throws -> Int {
    try await pool.execute(
      """
      delete from sessions
      where last_seen_at <= \(at.addingTimeInterval(-Double(Limits.sessionIdleSeconds)))
        or created_at <= \(at.addingTimeInterval(-Double(Limits.sessionSeconds)))
        or awaits_totp and created_at <= \(at.addingTimeInterval(-Double(Limits.totpSeconds)))
      """)
  }
}

/// One of an operator's sessions, as their list shows it.
public struct SessionRecord: Sendable, Equatable {
  public let id: Int64
  /// As the browser called itself; may be empty.
  public let userAgent: String
  public let address: String
  public let createdAt: Date
  public let lastSeenAt: Date

  /// Those that are signed in, the latest first.
  public static func all(
    of person: Operator, at: Date, _ pool: Pool
  ) async throws -> [SessionRecord] {
    try await pool.query(
      """
      select session_id, user_agent, address, created_at, last_seen_at from sessions
      where operator_id = \(person.id) and not awaits_totp
        and last_seen_at > \(at.addingTimeInterval(-Double(Limits.sessionIdleSeconds)))
        and created_at > \(at.addingTimeInterval(-Double(Limits.sessionSeconds)))
      order by last_seen_at desc, session_id desc limit 100
      """
    ).map { row in
      SessionRecord(
        id: try row.get("session_id"), userAgent: try row.get("user_agent"),
        address: try row.get("address"), createdAt: try row.get("created_at"),
        lastSeenAt: try row.get("last_seen_at"))
    }
  }
}

extension Session {
  /// Ends another session of the same operator.
  ///
  /// - Returns: Whether there was one.
  public func revoke(_ id: Int64, _ platform: Platform) async throws -> Bool {
    let ended = try await platform.pool.execute(
      "delete from sessions where session_id = \(id) and operator_id = \(self.operator.id)")
    if ended > 0 { await self.operator.tell("operator.sessions_revoked", platform) }
    return ended > 0
  }

  /// Ends all sessions of the operator but this one.
  public func revokeOthers(_ platform: Platform) async throws {
    let ended = try await platform.pool.execute(
      """
      delete from sessions where operator_id = \(self.operator.id) and session_id <> \(id)
      """)
    if ended > 0 { await self.operator.tell("operator.sessions_revoked", platform) }
  }
}
