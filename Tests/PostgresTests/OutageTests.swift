import Foundation
import Postgres
import TestSupport
import Testing

/// What callers see, and how the pool recovers, when the server or the way to it fails.
@Suite struct OutageTests {
  private func processID(_ pool: Pool) async throws -> Int32 {
    try await pool.query("select pg_backend_pid() as pid")[0].get("pid")
  }

  private func pool(
    _ relay: Relay, _ database: TestDatabase, _ adjust: (inout Configuration) -> Void = { _ in }
  ) -> Pool {
    var configuration = Configuration(
      connectionString: "postgresql://estars_app@/\(database.name)?host=\(relay.directory)")
    configuration.maxConnections = 4
    adjust(&configuration)
    return Pool(configuration, logger: TestCluster.logger)
  }

  @Test func idleConnectionsThatTheServerEndedAreReplaced() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 4) { database in
      let pool = database.pool
      for _ in 0..<5 {
        _ = try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<4 { group.addTask { _ = try await pool.query("select pg_sleep(0.01)") } }
          try await group.waitForAll()
        }
        try await database.superPool.execute(
          """
          select pg_terminate_backend(pid, 10000) from pg_stat_activity
          where datname = \(database.name) and usename = 'estars_app'
          """)
        #expect(try await pool.query("select 1 as one").count == 1)
      }
    }
  }

  @Test func aTerminatedBackendIsToldAndReplaced() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      let pool = database.pool
      let task = Task { try await pool.query("select pg_sleep(60), 'terminated'") }
      try await eventually { try await running("'terminated'", database.superPool) == 1 }
      try await database.superPool.execute(
        """
        select pg_terminate_backend(pid) from pg_stat_activity
        where query like '%''terminated''%' and usename = 'estars_app'
        """)
      let error = await failure(.connection, .adminShutdown) { try await task.value }
      #expect(error.isTransient)
      #expect(try await pool.query("select 1 as one").count == 1)
    }
  }

  @Test func aBackendKilledInTheMiddleOfAQuery() async throws {
    try await withPrivateCluster { cluster in
      let pool = cluster.pool()
      let other = try await processID(pool)
      let task = Task {
        try await pool.withConnection { connection in
          try await connection.query("select pg_sleep(60), 'killed'")
        }
      }
      try await eventually { try await running("'killed'", pool) == 1 }
      let rows = try await pool.query(
        """
        select pid from pg_stat_activity
        where query like '%''killed''%' and pid <> pg_backend_pid()
        """
      )
      kill(try rows[0].get("pid"), SIGKILL)
      let error = await failure(.connection) { try await task.value }
      #expect(error.isTransient)
      // The server ends every other session and recovers; the pool follows as soon as it can.
      try await eventually {
        do {
          return try await processID(pool) != other
        } catch let error as PostgresError where error.isTransient {
          return false
        }
      }
      await pool.close()
    }
  }

  @Test func aKilledServerIsStartedAgain() async throws {
    try await withPrivateCluster { cluster in
      let pool = cluster.pool()
      try await pool.withConnection { try await $0.executeScript("create temp table t ()") }
      let task = Task { try await pool.query("select pg_sleep(60)") }
      try await eventually { pool.lentConnections == 1 }
      kill(try #require(try await cluster.processID()), SIGKILL)
      await failure(.connection) { try await task.value }
      await failure(.connection) { try await pool.query("select 1") }
      try await cluster.start()
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func aStoppedServerIsStartedAgain() async throws {
    try await withPrivateCluster { cluster in
      let pool = cluster.pool()
      _ = try await pool.query("select 1")
      try await cluster.stop()
      #expect(try await cluster.processID() == nil)
      await failure(.connection) { try await pool.query("select 1") }
      try await cluster.start()
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func aFrozenBackendIsGivenUp() async throws {
    try await withTestDatabase(migrated: false) { database in
      var configuration = Configuration(connectionString: database.appURL)
      configuration.maxConnections = 1
      configuration.queryTimeout = .seconds(2)
      let pool = Pool(configuration, logger: TestCluster.logger)
      let frozen = try await processID(pool)
      kill(frozen, SIGSTOP)
      await failure(.timeout) { try await pool.query("select 1") }
      let fresh = try await processID(pool)
      #expect(fresh != frozen)
      kill(frozen, SIGCONT)
      // Awake again, it finds its client gone.
      try await eventually { kill(frozen, 0) != 0 }
      await pool.close()
    }
  }

  @Test func cancellingAFrozenStatementEndsTheWait() async throws {
    try await withTestDatabase(migrated: false) { database in
      var configuration = Configuration(connectionString: database.appURL)
      configuration.maxConnections = 1
      configuration.queryTimeout = .seconds(600)
      let pool = Pool(configuration, logger: TestCluster.logger)
      let frozen = try await processID(pool)
      kill(frozen, SIGSTOP)
      let task = Task { try await pool.query("select 1") }
      try await eventually { pool.lentConnections == 1 }
      task.cancel()
      await failure(.cancelled) { try await task.value }
      #expect(try await processID(pool) != frozen)
      kill(frozen, SIGCONT)
      await pool.close()
    }
  }

  @Test func aFrozenServerIsGivenUpAndUsedAgain() async throws {
    try await withPrivateCluster { cluster in
      let pool = cluster.pool(connections: 2) {
        $0.queryTimeout = .seconds(2)
        $0.connectTimeout = .seconds(2)
      }
      let backend = try await processID(pool)
      let server = try #require(try await cluster.processID())
      for process in [server, backend] { kill(process, SIGSTOP) }
      // First the idle connection, then new ones that nobody accepts.
      for _ in 0..<3 { await failure(.timeout) { try await pool.query("select 1") } }
      // Cancelling is no better off, and does not wait either.
      let task = Task { try await pool.query("select 1") }
      try? await Task.sleep(for: .milliseconds(50))
      task.cancel()
      await failure(.cancelled) { try await task.value }
      for process in [server, backend] { kill(process, SIGCONT) }
      try await eventually { (try? await pool.query("select 1").count) == 1 }
      await pool.close()
    }
  }

  @Test func aServerThatTurnsConnectionsAwayIsAskedSeldom() async throws {
    // Nobody listens behind it, so that every connection ends at once.
    let relay = try Relay(to: "/tmp/nobody-\(UUID().uuidString.prefix(8))")
    let pool = Pool(
      Configuration(connectionString: "postgresql://estars_app@/none?host=\(relay.directory)"),
      logger: TestCluster.logger)
    let start = ContinuousClock.now
    for _ in 0..<50 {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask { _ = await failure(.connection) { try await pool.query("select 1") } }
        }
      }
    }
    // Four at once, then none for the time of a pause; there were 200 callers.
    let pauses = Int((ContinuousClock.now - start) / .milliseconds(50)) + 1
    #expect(relay.accepted <= 4 * pauses)
    await pool.close()
    relay.close()
  }

  @Test func droppedSocketsAreReplaced() async throws {
    try await withTestDatabase(migrated: false) { database in
      let relay = try Relay(to: try await TestCluster.shared().socketDirectory)
      let pool = pool(relay, database)
      _ = try await pool.query("select 1")
      // While idle: noticed before anything is sent.
      relay.drop()
      try await Task.sleep(for: .milliseconds(50))
      #expect(try await pool.query("select 1 as one").count == 1)
      // While a statement runs.
      let task = Task { try await pool.query("select pg_sleep(60), 'dropped'") }
      try await eventually { try await running("'dropped'", database.superPool) == 1 }
      relay.drop()
      await failure(.connection) { try await task.value }
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
      relay.close()
    }
  }

  @Test func aSilentNetworkIsGivenUp() async throws {
    try await withTestDatabase(migrated: false) { database in
      let relay = try Relay(to: try await TestCluster.shared().socketDirectory)
      let pool = pool(relay, database) {
        $0.queryTimeout = .seconds(2)
        $0.connectTimeout = .seconds(2)
      }
      try await eventually { (try? await pool.query("select 1").count) == 1 }
      relay.silence(true)
      // First on the connection that is there, then in making a new one.
      await failure(.timeout) { try await pool.query("select 1") }
      await failure(.timeout) { try await pool.query("select 1") }
      relay.silence(false)
      try await eventually { (try? await pool.query("select 1").count) == 1 }
      await pool.close()
      relay.close()
    }
  }

  /// An answer that arrives in pieces, cut off at any place, is an error and never a hang.
  @Test func connectionsCutAtAnyMoment() async throws {
    try await withTestDatabase(migrated: false) { database in
      let relay = try Relay(to: try await TestCluster.shared().socketDirectory)
      let pool = pool(relay, database)
      let cutter = Task {
        while !Task.isCancelled {
          try? await Task.sleep(for: .milliseconds(3))
          relay.drop()
        }
      }
      let outcomes = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<400 {
          group.addTask {
            do {
              let rows = try await pool.query(
                "select \(number)::int as n, repeat('x', 20000) as t from generate_series(1, 10)")
              return try rows[9].get("n", as: Int.self) == number
            } catch let error as PostgresError {
              #expect(error.kind == .connection || error.kind == .poolExhausted, "\(error)")
              return false
            } catch {
              Issue.record(error)
              return false
            }
          }
        }
        return await group.reduce(into: (0, 0)) { $1 ? ($0.0 += 1) : ($0.1 += 1) }
      }
      cutter.cancel()
      await cutter.value
      #expect(outcomes.0 + outcomes.1 == 400)
      // Where the last attempt to connect was cut off, its error stands for a moment.
      try await eventually { (try? await pool.query("select 1").count) == 1 }
      await pool.close()
      relay.close()
    }
  }
}
