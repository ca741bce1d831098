import Foundation
import Logging

/// A private PostgreSQL server for one directory: made when missing, reached over a Unix socket
/// only, with the roles and the database of the product.
///
/// A server that outlived its process (kill -9) is adopted by the next `start`. Under root the
/// server runs as the user `postgres`; where that user cannot reach the directory, a file
/// `cluster-path` in it names one that it can.
public struct Cluster: Sendable {
  /// For real use on one machine.
  public static let productSettings = [
    "shared_buffers": "256MB", "max_connections": "100", "wal_compression": "on",
    "max_wal_size": "2GB", "random_page_cost": "1.1", "jit": "off",
    "log_min_duration_statement": "1s",
  ]

  /// For tests: nothing survives a crash of the machine, and nothing has to.
  public static let testSettings = [
    "shared_buffers": "64MB", "max_connections": "300", "fsync": "off",
    "synchronous_commit": "off", "full_page_writes": "off", "jit": "off",
    "autovacuum_naptime": "10min",
  ]

  /// The cluster's own directory. Nothing else should live in it.
  public let directory: URL
  public let settings: [String: String]
  /// Short, because a socket's path ends at 107 bytes, and the same for every process: it does not
  /// follow TMPDIR, which differs from login to login.
  public let socketDirectory: String
  private let logger: Logger

  public init(
    directory: URL, settings: [String: String] = Cluster.productSettings,
    logger: Logger = Logger(label: "estars.cluster")
  ) {
    let path = directory.standardizedFileURL.resolvingSymlinksInPath().path
    self.directory = URL(filePath: path, directoryHint: .isDirectory)
    self.settings = settings
    self.logger = logger
    socketDirectory = "/tmp/estars-\(Cluster.fingerprint(of: path))"
  }

  /// Connection string of the role that the product works as.
  public var appURL: String { url(role: "estars_app", database: "estars") }
  /// Connection string of the role that owns the schema: migrations only.
  public var ownerURL: String { url(role: "estars_owner", database: "estars") }
  /// Connection string of the superuser.
  public var superURL: String { url(role: "postgres", database: "postgres") }

  public func url(role: String, database: String) -> String {
    "postgresql://\(role)@/\(database)?host=\(socketDirectory)"
  }

  /// Makes what is missing and returns when the server accepts connections.
  ///
  /// Throws `.setup` with one line that says what is in the way.
  public func start() async throws {
    let home = try await ClusterHome.prepare(directory)
    let lock = try await home.lock()
    defer { lock.release() }
    try home.removeHalfBuilt()
    if !home.hasData {
      logger.info("creating a database cluster in \(home.path)")
      try await home.initialize(syncs: settings["fsync"] != "off")
    }
    try home.prepareSocketDirectory(socketDirectory)
    if home.runningProcessID() != nil, !hasSocket {
      // The checkout has moved, or somebody cleaned /tmp: nobody can reach that server any more.
      logger.info("restarting PostgreSQL, whose socket is gone")
      try await home.stopServer()
    }
    if home.runningProcessID() == nil {
      try await home.clearRemains(socketDirectory: socketDirectory)
      try home.write(settings: serverSettings)
      logger.info("starting PostgreSQL")
      try await home.startServer()
    } else {
      logger.info("PostgreSQL is running already")
    }
    try await bootstrap()
  }

  /// Stops the server, ending its connections, and returns when it has stopped.
  public func stop() async throws {
    guard let home = try await ClusterHome.existing(directory) else { return }
    try await home.stopServer()
  }

  /// Stops the server and deletes its data.
  public func remove() async throws {
    if let home = try await ClusterHome.existing(directory) {
      try await home.stopServer()
      try home.remove()
    }
    try? FileManager.default.removeItem(at: directory)
    try? FileManager.default.removeItem(atPath: socketDirectory)
  }

  /// The process of the running server, if it runs.
  public func processID() async throws -> Int32? {
    try await ClusterHome.existing(directory)?.runningProcessID()
  }

  private var hasSocket: Bool {
    FileManager.default.fileExists(atPath: "\(socketDirectory)/.s.PGSQL.5432")
  }

  private var serverSettings: [String: String] {
    var all = settings
    all["listen_addresses"] = ""
    all["unix_socket_directories"] = socketDirectory
    all["unix_socket_permissions"] = "0700"
    all["port"] = "5432"
    all["timezone"] = "UTC"
    all["log_timezone"] = "UTC"
    return all
  }

  /// Roles and database. Every step can be repeated: a start that was killed half-way is
  /// completed by the next.
  private func bootstrap() async throws {
    let session = try await connectWhenReady()
    defer { session.close() }
    try await session.runScript(
      """
      do $$
      begin
        if not exists (select from pg_roles where rolname = 'estars_owner') then
          create role estars_owner login;
        end if;
        if not exists (select from pg_roles where rolname = 'estars_app') then
          create role estars_app login;
        end if;
        if not exists (select from pg_roles where rolname = 'estars_search') then
          create role estars_search nologin;
        end if;
      end $$;
      grant estars_search to estars_owner;
      alter role estars_app set statement_timeout = '10s';
      alter role estars_app set lock_timeout = '5s';
      alter role estars_app set idle_in_transaction_session_timeout = '15s';
      """)
    let found = try await session.run(["select 1 from pg_database where datname = 'estars'"])
    if found[0].rowCount == 0 {
      _ = try await session.run(["create database estars owner estars_owner"])
    }
  }

  private func connectWhenReady() async throws -> Session {
    let deadline = ContinuousClock.now + Limits.clusterStartTimeout
    while true {
      do {
        return try await Session.connect(
          Configuration(connectionString: superURL), canceller: Canceller(), logger: logger)
      } catch let error as PostgresError where error.kind != .cancelled {
        guard ContinuousClock.now < deadline else {
          throw PostgresError(.setup, "PostgreSQL does not accept connections: \(error.message)")
        }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  /// FNV-1a, 48 bits in hex: http://www.isthe.com/chongo/tech/comp/fnv/
  static func fingerprint(of path: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash >> 16, radix: 16)
    return String(repeating: "0", count: 12 - digits.count) + digits
  }
}
