import Foundation
import Logging
import Postgres
import Synchronization

/// When keys were last used: noted in memory on a request's way, written behind it, at most once a
/// minute and key.
public final class KeyUses: Sendable {
  private let pool: Pool
  private let logger: Logger
  private let written = Mutex<[Int64: Int64]>([:])

  init(pool: Pool, logger: Logger) {
    self.pool = pool
    self.logger = logger
  }

  /// Costs a look into a table; the write is a task of its own.
  public func note(_ key: APIKey, at: Date = Date()) {
    let minute = Int64(at.timeIntervalSince1970) / 60
    let isFirst = written.withLock { written in
      guard written[key.id] != minute else { return false }
      if written.count >= Self.capacity { written.removeAll() }
      written[key.id] = minute
      return true
    }
    guard isFirst else { return }
    Task {
      do {
        try await pool.execute(
          """
          update api_keys set last_used_at = \(at) where api_key_id = \(key.id)
            and (last_used_at is null or last_used_at < \(at)::timestamptz - interval '50 seconds')
          """)
      } catch {
        logger.debug("a key's use was not noted", metadata: ["error": "\(error.withoutValues)"])
      }
    }
  }

  private static var capacity: Int { 50_000 }
}
