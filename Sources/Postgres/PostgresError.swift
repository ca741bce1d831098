/// What went wrong, by kind and SQLSTATE.
///
/// `description` holds the SQLSTATE and the server's primary message, never `detail` and never
/// bound values, so it may be logged.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The server refused the statement; `sqlState` says why.
    case server
    /// The connection could not be made or was lost. What was in flight may have been committed.
    case connection
    /// The server did not answer in time, or could not be reached in time.
    case timeout
    /// No connection became free in time, or too many callers were waiting already.
    case poolExhausted
    /// The calling task was cancelled.
    case cancelled
    /// A value cannot be sent; nothing was.
    case encoding
    /// A column is missing, NULL or not of the type asked for.
    case decoding
    /// The pool, connection or transaction has ended.
    case closed
    /// A migration or the private cluster is not as it should be.
    case setup
  }

  public let kind: Kind
  public let sqlState: SQLState?
  public let message: String
  /// The constraint that was violated, when there is one.
  public let constraint: String?
  /// The server's detail. It may quote row values: not for logs.
  public let detail: String?
  /// Where in the statement's text, in characters from 1.
  let position: Int?
  /// The server's function that raised the error.
  let routine: String?

  public init(_ kind: Kind, _ message: String) {
    self.init(kind, message, sqlState: nil)
  }

  init(
    _ kind: Kind, _ message: String, sqlState: SQLState?, constraint: String? = nil,
    detail: String? = nil, position: Int? = nil, routine: String? = nil
  ) {
    self.kind = kind
    self.message = message
    self.sqlState = sqlState
    self.constraint = constraint
    self.detail = detail
    self.position = position
    self.routine = routine
  }

  public var description: String {
    if let sqlState { return "Postgres \(sqlState.rawValue): \(message)" }
    return "Postgres (\(kind)): \(message)"
  }

  /// Whether the same work may succeed a moment later: the connection was lost, the server is
  /// starting or stopping, or another transaction was in the way. Work that was in flight when a
  /// connection was lost may have been committed, so a retry must be idempotent.
  public var isTransient: Bool {
    if kind == .connection { return true }
    guard let sqlState else { return false }
    switch sqlState {
    case .serializationFailure, .deadlockDetected, .adminShutdown, .crashShutdown,
      .cannotConnectNow, .tooManyConnections, .idleInTransactionTimeout:
      return true
    default:
      return sqlState.isConnectionException || isStaleStatement
    }
  }

  /// The database is away, starting, read-only, out of room or too busy to answer in time: the
  /// same request may succeed later, and nothing is wrong with it.
  public var isOutage: Bool {
    switch kind {
    case .connection, .timeout, .poolExhausted, .closed: return true
    case .cancelled, .encoding, .decoding, .setup: return false
    case .server:
      guard let sqlState else { return false }
      return isTransient || [.queryCanceled, .lockNotAvailable].contains(sqlState)
        || sqlState.rawValue.hasPrefix("53") || sqlState.rawValue == "25006"
    }
  }

  /// A prepared statement that the server no longer has, or whose result type has changed.
  /// The source function tells the second apart from every other 0A000 in every language.
  var isStaleStatement: Bool {
    sqlState == .invalidStatementName
      || (sqlState == .featureNotSupported && routine == "RevalidateCachedQuery")
  }

  static func undecodable(_ text: String, as type: String) -> PostgresError {
    // The length, not the text: what a column holds does not belong into a log.
    PostgresError(.decoding, "a text of \(text.utf8.count) bytes is not \(type)")
  }
}
