/// How to reach a database, and how much of it to use.
public struct Configuration: Sendable {
  /// A libpq URL or `key=value` string.
  /// https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
  public var connectionString: String
  public var maxConnections: Int = 16
  /// Callers that may wait for a connection; one more is refused at once.
  public var maxWaiters: Int = 1024
  /// How long a caller waits for a free connection.
  public var acquireTimeout: Duration = .seconds(5)
  public var connectTimeout: Duration = .seconds(5)
  /// How long a statement or pipeline may take before its connection is given up. It is meant to
  /// be longer than the server's own `statement_timeout`, which ends a slow statement more gently:
  /// this one is for a server that does not answer at all.
  public var queryTimeout: Duration = .seconds(15)
  public var applicationName = "estars"

  public init(connectionString: String) {
    self.connectionString = connectionString
  }
}
