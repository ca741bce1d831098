import Foundation
import Postgres

/// Counts failures by key in a window; past the limit the key is blocked for the window's length.
enum Throttle {
  struct Key: Sendable {
    let text: String
    let limit: Int
    var seconds = Limits.loginWindowSeconds

    static func account(_ email: String) -> Key {
      Key(text: "account:" + Bytes.hex(Bytes.sha256(email)), limit: Limits.loginFailures)
    }

    /// An address may stand for a whole office, so it gets five times an account's attempts.
    static func address(_ address: String) -> Key {
      Key(text: "address:\(address)", limit: Limits.loginFailures * 5)
    }

    /// Codes of the second factor, recovery codes among them.
    static func codes(_ operatorID: Int64) -> [Key] {
      [
        Key(text: "totp:\(operatorID)", limit: Limits.totpFailures),
        Key(
          text: "totp-day:\(operatorID)", limit: Limits.totpFailuresPerDay, seconds: daySeconds),
      ]
    }
  }

  private static let daySeconds = 86_400

  /// - Returns: Seconds until the longest block ends, or nil when no key is blocked.
  static func blockedSeconds(_ keys: [Key], at: Date, _ pool: Pool) async throws -> Int? {
    let until = try await pool.query(
      """
      select max(blocked_until) as until from throttles
      where throttle_key = any(\(keys.map(\.text))) and blocked_until > \(at)
      """
    ).first?.getIfPresent("until", as: Date.self)
    return until.map { max(1, Int($0.timeIntervalSince(at).rounded(.up))) }
  }

  static func countFailure(_ keys: [Key], at: Date, _ pool: Pool) async throws {
    for key in keys.sorted(by: { $0.text < $1.text }) {
      let windowStart = at.addingTimeInterval(-Double(key.seconds))
      let until = at.addingTimeInterval(Double(key.seconds))
      try await pool.execute(
        """
        insert into throttles as t (throttle_key, failures, window_started_at)
        values (\(key.text), 1, \(at))
        on conflict (throttle_key) do update set
          failures = case when t.window_started_at < \(windowStart) then 1 else t.failures + 1 end,
          window_started_at = case when t.window_started_at < \(windowStart) then \(at)
            else t.window_started_at end,
          blocked_until = case
            when t.window_started_at >= \(windowStart) and t.failures + 1 >= \(key.limit)
            then \(until)::timestamptz else t.blocked_until end
        """)
    }
  }

  /// Counts an attempt before anybody looks whether it is right, so that many at the same moment
  /// are no way past the limit. One that is past it already is told so and writes nothing, so that
  /// whoever goes on trying makes no work.
  ///
  /// - Returns: Seconds until the next attempt may be made; nil: this one may.
  static func take(_ keys: [Key], at: Date, _ pool: Pool) async throws -> Int? {
    var wait: Int?
    for key in keys {
      let windowStart = at.addingTimeInterval(-Double(key.seconds))
      let row = try await pool.query(
        """
        with over as (
          select failures + 1 as failures, window_started_at from throttles
          where throttle_key = \(key.text) and failures >= \(key.limit)
            and window_started_at >= \(windowStart)),
        counted as (
          insert into throttles as t (throttle_key, failures, window_started_at)
          select \(key.text), 1, \(at)::timestamptz where not exists (select from over)
          on conflict (throttle_key) do update set
            failures = case when t.window_started_at < \(windowStart) then 1
              else t.failures + 1 end,
            window_started_at = case when t.window_started_at < \(windowStart) then \(at)
              else t.window_started_at end
          returning failures, window_started_at)
        select * from over union all select * from counted
        """)[0]
      guard try row.get("failures", as: Int.self) > key.limit else { continue }
      let end = try row.get("window_started_at", as: Date.self)
        .addingTimeInterval(Double(key.seconds))
      wait = max(wait ?? 1, Int(end.timeIntervalSince(at).rounded(.up)))
    }
    return wait
  }

  static func clear(_ keys: [Key], _ pool: Pool) async throws {
    try await pool.execute(
      "delete from throttles where throttle_key = any(\(keys.map(\.text)))")
  }

  static func purge(at: Date, _ pool: Pool) async throws -> Int {
    try await pool.execute(
      """
      delete from throttles where coalesce(blocked_until, window_started_at)
        < \(at.addingTimeInterval(-Double(daySeconds)))
      """)
  }
}
