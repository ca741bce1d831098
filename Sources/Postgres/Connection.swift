import CLibpq
import Synchronization

/// A connection lent to one closure. Unusable after the closure ends.
///
/// Two tasks may use it at once; their statements then run one after the other.
public final class Connection: Sendable {
  let session: Session
  private let hasEnded = Atomic<Bool>(false)

  init(session: Session) { self.session = session }

  /// Runs a statement and returns its rows.
  ///
  /// Throws `PostgresError`: `.server` when the statement is refused, `.connection`, `.timeout`,
  /// `.cancelled`, `.encoding` or `.closed`.
  public func query(_ sql: SQL) async throws -> [Row] {
    try await run([sql])[0].rows
  }

  /// Runs a statement and returns how many rows it affected. Throws as `query` does.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int {
    try await run([sql])[0].affectedRows
  }

  /// Runs statements in one round trip. Outside a transaction they are one implicit transaction:
  /// when one fails, all are undone and its error is thrown.
  public func pipeline(_ statements: [SQL]) async throws -> [[Row]] {
    try await run(statements).map(\.rows)
  }

  /// Runs a text of several statements by the simple protocol. For migrations and fixtures: the
  /// text carries no values.
  public func executeScript(_ text: String) async throws {
    try checkIsLent()
    try await session.runScript(text)
  }

  /// The process that serves this connection on the server, as in `pg_stat_activity.pid`.
  public var serverProcessID: Int32 { session.processID }

  func run(_ statements: [SQL]) async throws -> [ResultSet] {
    try checkIsLent()
    return try await session.run(statements)
  }

  func end() { hasEnded.store(true, ordering: .relaxed) }

  private func checkIsLent() throws {
    if hasEnded.load(ordering: .relaxed) {
      throw PostgresError(.closed, "the connection went back to its pool")
    }
  }
}

/// An open transaction. Unusable after the closure that received it ends.
public struct Transaction: Sendable {
  let connection: Connection

  /// Runs a statement and returns its rows. Throws as `Connection.query` does; after a failed
  /// statement the transaction takes no others and rolls back.
  public func query(_ sql: SQL) async throws -> [Row] {
    try await connection.query(sql)
  }

  /// Runs a statement and returns how many rows it affected.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int {
    try await connection.execute(sql)
  }

  /// Runs statements in one round trip.
  public func pipeline(_ statements: [SQL]) async throws -> [[Row]] {
    try await connection.pipeline(statements)
  }
}
