import Foundation
import Postgres
import TestSupport
import Testing

private actor Order {
  private(set) var numbers: [Int] = []
  func note(_ number: Int) { numbers.append(number) }
}

@Suite struct PoolTests {
  private func pool(
    _ database: TestDatabase, connections: Int, waiters: Int = 1024,
    acquireTimeout: Duration = .seconds(20)
  ) -> Pool {
    var configuration = Configuration(connectionString: database.appURL)
    configuration.maxConnections = connections
    configuration.maxWaiters = waiters
    configuration.acquireTimeout = acquireTimeout
    return Pool(configuration, logger: TestCluster.logger)
  }

  @Test func connectionsAreBoundedAndReused() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = pool(database, connections: 3)
      let processes = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<60 {
          group.addTask { try await pool.query("select pg_backend_pid() as pid")[0].get("pid") }
        }
        return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
      }
      #expect((1...3).contains(processes.count))
      await pool.close()
    }
  }

  @Test func waitersAreServedInOrder() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = pool(database, connections: 1)
      let order = Order()
      let gate = AsyncStream.makeStream(of: Void.self)
      let holder = Task {
        try await pool.withConnection { _ in for await _ in gate.stream {} }
      }
      try await eventually { pool.lentConnections == 1 }
      var tasks: [Task<Void, any Error>] = []
      for number in 0..<20 {
        tasks.append(Task { try await pool.withConnection { _ in await order.note(number) } })
        try await eventually { pool.waitingCallers == number + 1 }
      }
      gate.continuation.finish()
      try await holder.value
      for task in tasks { try await task.value }
      #expect(await order.numbers == Array(0..<20))
      await pool.close()
    }
  }

  @Test func waitingEndsAfterItsTimeAndItsNumber() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = pool(
        database, connections: 1, waiters: 2, acquireTimeout: .milliseconds(300))
      try await pool.withConnection { _ in
        let first = Task { try await pool.query("select 1") }
        let second = Task { try await pool.query("select 1") }
        try await eventually { pool.waitingCallers == 2 }
        let full = await failure(.poolExhausted) { try await pool.query("select 1") }
        #expect(full.message.contains("waiting already"))
        for task in [first, second] {
          let late = await failure(.poolExhausted) { try await task.value }
          #expect(late.message.contains("in time"))
        }
      }
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func aCancelledWaiterLeavesTheQueue() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = pool(database, connections: 1)
      try await pool.withConnection { _ in
        let waiter = Task { try await pool.query("select 1") }
        try await eventually { pool.waitingCallers == 1 }
        waiter.cancel()
        await failure(.cancelled) { try await waiter.value }
        #expect(pool.waitingCallers == 0)
      }
      #expect(try await pool.query("select 1 as one").count == 1)
      await pool.close()
    }
  }

  @Test func cancelledBeforeItBegan() async throws {
    try await withTestDatabase(migrated: false) { database in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await database.pool.query("select 1")
      }
      await failure(.cancelled) { try await task.value }
      let rows = try await database.pool.query("select 1 as one")
      #expect(rows.count == 1)
    }
  }

  @Test func aClosedPoolLendsNothing() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = pool(database, connections: 1)
      let gate = AsyncStream.makeStream(of: Void.self)
      let holder = Task {
        try await pool.withConnection { connection in
          for await _ in gate.stream {}
          // What was lent before the end may finish.
          return try await connection.query("select 1 as one").count
        }
      }
      try await eventually { pool.lentConnections == 1 }
      let waiter = Task { try await pool.query("select 1") }
      try await eventually { pool.waitingCallers == 1 }
      let closing = Task { await pool.close() }
      await failure(.closed) { try await waiter.value }
      await failure(.closed) { try await pool.query("select 1") }
      gate.continuation.finish()
      #expect(try await holder.value == 1)
      await closing.value
      #expect(pool.lentConnections == 0)
      let left = try await database.superPool.query(
        """
        select count(*) as n from pg_stat_activity
        where datname = \(database.name) and usename = 'estars_app'
        """)
      #expect(try left[0].get("n", as: Int.self) <= 1)
    }
  }

  @Test func aRefusedConnectionFreesItsPlace() async throws {
    try await withTestDatabase(migrated: false) { database in
      var configuration = Configuration(connectionString: database.appURL + "&dbname=missing")
      configuration.maxConnections = 1
      let pool = Pool(configuration, logger: TestCluster.logger)
      for _ in 0..<3 {
        let error = await failure(.connection) { try await pool.query("select 1") }
        #expect(error.message.contains("missing"))
      }
      await pool.close()
      let nowhere = Pool(
        Configuration(connectionString: "host=/tmp/nowhere"), logger: TestCluster.logger)
      let error = await failure(.connection) { try await nowhere.query("select 1") }
      #expect(error.isTransient)
      #expect(!error.message.contains("\n"))
      let nonsense = Pool(
        Configuration(connectionString: "nonsense"), logger: TestCluster.logger)
      await failure(.connection) { try await nonsense.query("select 1") }
    }
  }
}
