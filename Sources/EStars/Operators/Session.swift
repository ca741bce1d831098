import Foundation
import Postgres

/// A signed-in browser. The token lives in a cookie; only its hash is stored.
public struct Session: Sendable {
  public let tokenHash: [UInt8]
  public let `operator`: Operator
  public let csrfToken: String
  public let createdAt: Date

  public struct Opened: Sendable {
    /// Given to the browser once; never stored.
    public let token: String
    public let csrfToken: String
  }

  /// Opens a session for an operator whose password was just checked.
  static func open(
    for operatorID: Int64, userAgent: String, address: String, at: Date, _ pool: Pool
  ) async throws -> Opened {
    let token = Bytes.base64URL(Bytes.random(32))
    let csrf = Bytes.base64URL(Bytes.random(24))
    try await pool.execute(
      """
      insert into sessions (token_hash, operator_id, csrf_token, created_at, last_seen_at,
        user_agent, address)
      values (\(Bytes.sha256(token)), \(operatorID), \(csrf), \(at), \(at),
        \(String(userAgent.prefix(200))), \(address))
      """)
    return Opened(token: token, csrfToken: csrf)
  }

  /// The session of a token, if neither its idle time nor its whole time has run out.
  public static func find(token: String, at: Date, _ pool: Pool) async throws -> Session? {
    guard token.utf8.count <= 128 else { return nil }
    let hash = Bytes.sha256(token)
    let row = try await pool.query(
      """
      select \(Operator.columns), s.csrf_token, s.created_at, s.last_seen_at
      from sessions s join operators o using (operator_id)
      where s.token_hash = \(hash)
        and s.last_seen_at > \(at.addingTimeInterval(-Double(Limits.sessionIdleSeconds)))
        and s.created_at > \(at.addingTimeInterval(-Double(Limits.sessionSeconds)))
      """
    ).first
    guard let row else { return nil }
    // A write a minute is enough to measure idleness in hours.
    if try row.get("last_seen_at", as: Date.self) < at.addingTimeInterval(-60) {
      try await pool.execute(
        "update sessions set last_seen_at = \(at) where token_hash = \(hash)")
    }
    return Session(
      tokenHash: hash, operator: try Operator(row), csrfToken: try row.get("csrf_token"),
      createdAt: try row.get("created_at"))
  }

  public func close(_ pool: Pool) async throws {
    try await pool.execute("delete from sessions where token_hash = \(tokenHash)")
  }

  /// Sessions past their times, removed by a job.
  public static func purge(at: Date, _ pool: Pool) async throws -> Int {
    try await pool.execute(
      """
      delete from sessions
      where last_seen_at <= \(at.addingTimeInterval(-Double(Limits.sessionIdleSeconds)))
        or created_at <= \(at.addingTimeInterval(-Double(Limits.sessionSeconds)))
      """)
  }
}
