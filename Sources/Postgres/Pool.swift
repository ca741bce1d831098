import Logging
import Synchronization

/// Connections to one database, made when they are needed and lent one caller at a time.
public final class Pool: Sendable {
  public let configuration: Configuration
  private let lending: Lending
  private let canceller = Canceller()
  private let failure = ConnectFailure()
  private let logger: Logger

  public init(_ configuration: Configuration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    lending = Lending(configuration)
  }

  /// Runs a statement and returns its rows.
  ///
  /// Throws `PostgresError`: `.server` when the statement is refused, `.connection`, `.timeout`,
  /// `.poolExhausted`, `.cancelled`, `.encoding` or `.closed`.
  public func query(_ sql: SQL) async throws -> [Row] {
    try await run([sql])[0].rows
  }

  /// Runs a statement and returns how many rows it affected. Throws as `query` does.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int {
    try await run([sql])[0].affectedRows
  }

  /// Runs statements in one round trip as one implicit transaction: when one fails, all are undone
  /// and its error is thrown.
  public func pipeline(_ statements: [SQL]) async throws -> [[Row]] {
    try await run(statements).map(\.rows)
  }

  /// Runs statements as `pipeline` does and returns how many rows each affected.
  @discardableResult
  public func execute(_ statements: [SQL]) async throws -> [Int] {
    try await run(statements).map(\.affectedRows)
  }

  /// Lends a connection for the time of `body`. A transaction that `body` leaves open is rolled
  /// back; settings and prepared statements made by SQL are `body`'s to undo.
  public func withConnection<T: Sendable>(
    _ body: (Connection) async throws -> T
  ) async throws -> T {
    try await withSession { session in
      let connection = Connection(session: session)
      defer { connection.end() }
      return try await body(connection)
    }
  }

  /// Runs `body` in a transaction with settings that end with it: COMMIT when it returns,
  /// ROLLBACK when it throws.
  ///
  /// Throws what `body` throws, what `query` throws, and `.server` when `body` returned although
  /// one of its statements had failed: nothing was committed then.
  public func transaction<T: Sendable>(
    _ settings: [String: String] = [:], _ body: (Transaction) async throws -> T
  ) async throws -> T {
    try await withSession { session in
      let begin: [SQL] =
        ["begin"] + settings.map { "select set_config(\($0.key), \($0.value), true)" }
      _ = try await session.run(begin)
      let connection = Connection(session: session)
      let value: T
      do {
        defer { connection.end() }
        value = try await body(Transaction(connection: connection))
        try Task.checkCancellation()
      } catch {
        // Taking the connection back rolls back.
        throw error is CancellationError ? PostgresError.cancelledStatement : error
      }
      // Not cancellable: a commit that was sent is to be waited for.
      let commit = try await session.run(["commit"], isCancellable: false)
      guard commit[0].commandTag == "COMMIT" else {
        throw PostgresError(
          .server, "the transaction was rolled back because a statement in it had failed",
          sqlState: .inFailedTransaction)
      }
      return value
    }
  }

  /// Lends nothing more, closes idle connections at once and the lent ones when they come back,
  /// at the latest after a few seconds.
  public func close() async {
    await lending.close()
  }

  /// Connections that are lent at this moment.
  public var lentConnections: Int { lending.counts.lent }

  /// Callers that wait for a connection at this moment.
  public var waitingCallers: Int { lending.counts.waiting }

  private func run(_ statements: [SQL]) async throws -> [ResultSet] {
    try await withSession { try await $0.run(statements) }
  }

  private func withSession<T: Sendable>(
    _ body: (Session) async throws -> T
  ) async throws -> T {
    let session = try await acquire()
    do {
      let value = try await body(session)
      await release(session)
      return value
    } catch {
      await release(session)
      throw error
    }
  }

  private func acquire() async throws -> Session {
    guard case .session(let session) = try await lending.acquire() else {
      return try await connect()
    }
    return session
  }

  private func connect() async throws -> Session {
    let session: Session
    do {
      try failure.check()
      do {
        session = try await Session.connect(configuration, canceller: canceller, logger: logger)
      } catch {
        failure.note(error)
        throw error
      }
    } catch {
      lending.connectionFailed()
      throw error
    }
    guard lending.connected(session) else {
      session.close()
      throw PostgresError(.closed, "the pool is closed")
    }
    return session
  }

  /// A failed or forgotten transaction must not reach the next caller.
  private func release(_ session: Session) async {
    if !session.isIdle {
      do {
        _ = try await session.run(["rollback"], isCancellable: false)
      } catch {
        session.close()
      }
    }
    lending.release(session)
  }
}
