import Foundation
import Postgres

/// Signing in with e-mail and password.
public struct Login: Sendable {
  public enum Refusal: Error, Equatable, Sendable {
    /// Wrong e-mail or password; which of them is not said.
    case mismatch
    /// Too many failures for this account or address; try again after the seconds.
    case throttled(retryAfterSeconds: Int)
    /// Too many logins at this moment.
    case busy
  }

  private let pool: Pool
  private let passwords: PasswordHasher

  public init(pool: Pool, passwords: PasswordHasher) {
    self.pool = pool
    self.passwords = passwords
  }

  /// - Throws: ``Refusal``. An unknown e-mail costs the same hash as a wrong password, so that the
  ///   time tells nothing.
  public func open(
    email: String, password: String, userAgent: String, address: String, at: Date
  ) async throws -> Session.Opened {
    let email = email.trimmingCharacters(in: .whitespaces).lowercased()
    let keys = ["account:" + Bytes.hex(Bytes.sha256(email)), "address:\(address)"]
    if let seconds = try await Throttle.blockedSeconds(keys, at: at, pool) {
      throw Refusal.throttled(retryAfterSeconds: seconds)
    }
    let row = try await pool.query(
      "select operator_id, password_hash from operators where email = \(email)"
    ).first
    let stored = try row?.get("password_hash", as: String.self) ?? Self.nobodysHash
    let matches: Bool
    do {
      matches = try await passwords.verify(password, stored)
    } catch PasswordHasher.Problem.busy { throw Refusal.busy }
    guard let row, matches else {
      try await Throttle.countFailure(keys, at: at, pool)
      throw Refusal.mismatch
    }
    try await Throttle.clear([keys[0]], pool)
    return try await Session.open(
      for: try row.get("operator_id"), userAgent: userAgent, address: address, at: at, pool)
  }

  /// A hash of random bytes with the same parameters as real ones.
  static let nobodysHash =
    "$argon2id$v=19$m=65536,t=3,p=1$ZXN0YXJzLW5vYm9keS1zYWx0$"
    + "Q1QwS0J0b1d5T0hGdkZ2bHhYc2ZxS0VtZ3J0aWJ4bHM"
}

/// Counts failures by key in a window; past the limit the key is blocked for the window's length.
enum Throttle {
  /// - Returns: Seconds until the longest block ends, or nil when no key is blocked.
  static func blockedSeconds(_ keys: [String], at: Date, _ pool: Pool) async throws -> Int? {
    let until = try await pool.query(
      """
      select max(blocked_until) as until from throttles
      where throttle_key = any(\(keys)) and blocked_until > \(at)
      """
    ).first?.getIfPresent("until", as: Date.self)
    return until.map { max(1, Int($0.timeIntervalSince(at).rounded(.up))) }
  }

  static func countFailure(_ keys: [String], at: Date, _ pool: Pool) async throws {
    let windowStart = at.addingTimeInterval(-Double(Limits.loginWindowSeconds))
    let until = at.addingTimeInterval(Double(Limits.loginWindowSeconds))
    for key in keys.sorted() {
      // An address may stand for a whole office, so it gets five times an account's attempts.
      let limit = key.hasPrefix("address:") ? Limits.loginFailures * 5 : Limits.loginFailures
      try await pool.execute(
        """
        insert into throttles as t (throttle_key, failures, window_started_at)
        values (\(key), 1, \(at))
        on conflict (throttle_key) do update set
          failures = case when t.window_started_at < \(windowStart) then 1 else t.failures + 1 end,
          window_started_at = case when t.window_started_at < \(windowStart) then \(at)
            else t.window_started_at end,
          blocked_until = case
            when t.window_started_at >= \(windowStart) and t.failures + 1 >= \(limit)
            then \(until)::timestamptz else t.blocked_until end
        """)
    }
  }

  static func clear(_ keys: [String], _ pool: Pool) async throws {
    try await pool.execute("delete from throttles where throttle_key = any(\(keys))")
  }

  static func purge(at: Date, _ pool: Pool) async throws -> Int {
    try await pool.execute(
      """
      delete from throttles where coalesce(blocked_until, window_started_at)
        < \(at.addingTimeInterval(-Double(Limits.loginWindowSeconds)))
      """)
  }
}
