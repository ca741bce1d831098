import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ClusterTests {
  private func contents(of cluster: Cluster) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cluster.directory.path).sorted()
  }

  @Test func startsWithRolesAndDatabase() async throws {
    try await withPrivateCluster { cluster in
      let pool = cluster.pool()
      let row = try await pool.query(
        """
        select current_user::text as role, current_database()::text as database,
          pg_encoding_to_char(encoding) as encoding, datcollate as collation,
          pg_get_userbyid(datdba)::text as owner, current_setting('data_checksums') as checksums,
          current_setting('listen_addresses') as addresses,
          current_setting('fsync') as fsync, current_setting('max_connections') as connections,
          pg_has_role('estars_owner', 'estars_search', 'member') as member
        from pg_database where datname = current_database()
        """)[0]
      #expect(try row.get("role", as: String.self) == "estars_app")
      #expect(try row.get("database", as: String.self) == "estars")
      #expect(try row.get("encoding", as: String.self) == "UTF8")
      #expect(try row.get("collation", as: String.self) == "C.UTF-8")
      #expect(try row.get("owner", as: String.self) == "estars_owner")
      #expect(try row.get("checksums", as: String.self) == "on")
      #expect(try row.get("addresses", as: String.self) == "")
      #expect(try row.get("fsync", as: String.self) == "off")
      #expect(try row.get("connections", as: Int.self) == 30)
      #expect(try row.get("member", as: Bool.self))
      let roles = try await pool.query(
        """
        select rolname from pg_roles where rolname like 'estars%'
          and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)
        """)
      #expect(roles.isEmpty)
      await failure(.server, .insufficientPrivilege) { try await pool.execute("create table t ()") }
      await pool.close()
    }
  }

  @Test func theSocketIsPrivateAndShort() async throws {
    try await withPrivateCluster { cluster in
      var status = stat()
      #expect(lstat(cluster.socketDirectory, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
      #expect("\(cluster.socketDirectory)/.s.PGSQL.5432".utf8.count <= 107)
    }
    let deep = "/tmp/" + String(repeating: "very-long-directory-name/", count: 20)
    let cluster = Cluster(directory: URL(filePath: deep))
    #expect("\(cluster.socketDirectory)/.s.PGSQL.5432".utf8.count <= 107)
  }

  @Test func aSocketDirectoryOfSomebodyElseIsRefused() async throws {
    try await withPrivateCluster(starting: false) { cluster in
      try FileManager.default.createDirectory(
        atPath: cluster.socketDirectory, withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o777])
      let error = await failure(.setup) { try await cluster.start() }
      #expect(error.message.contains(cluster.socketDirectory))
    }
  }

  @Test func aSecondStartKeepsTheData() async throws {
    try await withPrivateCluster { cluster in
      let configuration = Configuration(connectionString: cluster.ownerURL)
      let owner = Pool(configuration, logger: TestCluster.logger)
      try await owner.execute("create table kept as select 7 as n")
      let first = try await cluster.processID()
      // Another process of ours finds it running, as after kill -9 of the one that started it.
      let same = Cluster(
        directory: cluster.directory, settings: cluster.settings, logger: TestCluster.logger)
      try await same.start()
      #expect(try await same.processID() == first)
      try await same.stop()
      try await same.stop()
      try await cluster.start()
      #expect(try await cluster.processID() != first)
      let rows = try await owner.query("select n from kept")
      #expect(try rows[0].get("n", as: Int.self) == 7)
      await owner.close()
    }
  }

  @Test func twoStartersMakeOneServer() async throws {
    try await withPrivateCluster(starting: false) { cluster in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 { group.addTask { try await cluster.start() } }
        try await group.waitForAll()
      }
      let pool = cluster.pool()
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func aServerThatIsKilledWhileItStopsHasStopped() async throws {
    try await withPrivateCluster { cluster in
      let server = try #require(try await cluster.processID())
      // Frozen, it cannot follow the request to stop.
      kill(server, SIGSTOP)
      let stopping = Task { try await cluster.stop() }
      try await Task.sleep(for: .milliseconds(300))
      kill(server, SIGKILL)
      try await stopping.value
      #expect(try await cluster.processID() == nil)
    }
  }

  @Test func halfBuiltDataIsRemoved() async throws {
    try await withPrivateCluster(starting: false) { cluster in
      let half = cluster.directory.appending(path: "data.new12345/base")
      try FileManager.default.createDirectory(at: half, withIntermediateDirectories: true)
      try await cluster.start()
      #expect(try contents(of: cluster).filter { $0.hasPrefix("data") } == ["data"])
    }
  }

  @Test func foreignDataIsRefused() async throws {
    try await withPrivateCluster(starting: false) { cluster in
      let foreign = cluster.directory.appending(path: "data/precious")
      try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: true)
      let error = await failure(.setup) { try await cluster.start() }
      #expect(error.message.contains("is not a database cluster"))
      #expect(FileManager.default.fileExists(atPath: foreign.path))
    }
  }

  @Test func aStaleLockFileIsNoServer() async throws {
    try await withPrivateCluster { cluster in
      try await cluster.stop()
      // Process numbers start again in a new container: this one is the test's own.
      let lockFile = cluster.directory.appending(path: "data/postmaster.pid")
      try Data("\(getpid())\n\(cluster.directory.path)/data\n".utf8).write(to: lockFile)
      try await cluster.start()
      let pool = cluster.pool()
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func theServerInheritsNothing() async throws {
    // As a web server's port is: open, and not marked to be closed in other programs.
    let port = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(port) }
    let files = FileManager.default
    let mine = try files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(port)")
    try await withPrivateCluster { cluster in
      let server = "/proc/\(try #require(try await cluster.processID()))/fd"
      let theirs = try files.contentsOfDirectory(atPath: server).compactMap {
        try? files.destinationOfSymbolicLink(atPath: "\(server)/\($0)")
      }
      #expect(!theirs.isEmpty && !theirs.contains(mine), "\(theirs)")
    }
  }

  @Test func aServerWhoseSocketIsGoneIsRestarted() async throws {
    try await withPrivateCluster { cluster in
      let first = try await cluster.processID()
      try FileManager.default.removeItem(atPath: cluster.socketDirectory)
      try await cluster.start()
      #expect(try await cluster.processID() != first)
      let pool = cluster.pool()
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func aWrongSettingIsToldInOneLine() async throws {
    try await withPrivateCluster(starting: false) { cluster in
      let wrong = Cluster(
        directory: cluster.directory, settings: ["shared_buffers": "many"],
        logger: TestCluster.logger)
      let error = await failure(.setup) { try await wrong.start() }
      #expect(error.message.contains("shared_buffers"), "\(error.message)")
      #expect(!error.message.contains("\n"))
    }
  }

  @Test(.enabled(if: getuid() == 0, "only root runs the server as somebody else"))
  func dataMovesWhereTheServersUserCanReachIt() async throws {
    let home = "/tmp/estars-private-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: home) }
    try await withPrivateCluster(in: home) { cluster in
      let pointer = cluster.directory.appending(path: "cluster-path")
      let text = try String(contentsOf: pointer, encoding: .utf8)
      let path = text.trimmingCharacters(in: .newlines)
      #expect(FileManager.default.fileExists(atPath: "\(path)/data/PG_VERSION"))
      let first = try await cluster.processID()
      try await cluster.start()
      #expect(try await cluster.processID() == first)
      var status = stat()
      #expect(lstat(home, &status) == 0 && status.st_mode & 0o777 == 0o700)
      try await cluster.remove()
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(!FileManager.default.fileExists(atPath: cluster.directory.path))
    }
  }
}
