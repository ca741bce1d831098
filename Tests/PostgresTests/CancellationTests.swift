import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct CancellationTests {
  @Test func cancellationReachesTheServer() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      let pool = database.pool
      let before: Int = try await pool.query("select pg_backend_pid() as pid")[0].get("pid")
      let task = Task { try await pool.query("select pg_sleep(60), 'cancelled'") }
      try await eventually { try await running("'cancelled'", database.superPool) == 1 }
      task.cancel()
      await failure(.cancelled) { try await task.value }
      #expect(try await running("'cancelled'", database.superPool) == 0)
      // The connection is as good as before.
      let after: Int = try await pool.query("select pg_backend_pid() as pid")[0].get("pid")
      #expect(after == before)
    }
  }

  @Test func aCancelledTransactionEndsOnTheServer() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      try await database.ownerPool.execute("create table t (id int)")
      try await database.ownerPool.execute("grant all on t to estars_app")
      let task = Task {
        try await database.pool.transaction { tx in
          try await tx.execute("insert into t values (1)")
          _ = try await tx.query("select pg_sleep(60), 'in transaction'")
        }
      }
      try await eventually { try await running("'in transaction'", database.superPool) == 1 }
      task.cancel()
      await failure(.cancelled) { try await task.value }
      let rows = try await database.pool.query("select count(*) as n from t")
      #expect(try rows[0].get("n", as: Int.self) == 0)
    }
  }

  /// A cancel request must never hit the statement that runs next on the same connection.
  @Test func cancellationHitsOnlyItsOwnStatement() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 2) { database in
      let pool = database.pool
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<200 {
          group.addTask {
            let victim = Task { try await pool.query("select pg_sleep(0.002), 'victim'") }
            try? await Task.sleep(for: .microseconds(number * 20))
            victim.cancel()
            do {
              _ = try await victim.value
            } catch let error as PostgresError {
              #expect(error.kind == .cancelled, "\(error)")
            } catch {
              Issue.record(error)
            }
          }
          group.addTask {
            do {
              let rows = try await pool.query("select \(number)::int as n")
              #expect(try rows[0].get("n", as: Int.self) == number)
            } catch {
              Issue.record(error)
            }
          }
        }
      }
    }
  }

  @Test func aStatementQueuedOnASharedConnectionCanBeCancelled() async throws {
    try await withTestDatabase(migrated: false) { database in
      try await database.pool.withConnection { connection in
        let first = Task { try await connection.query("select pg_sleep(0.5), 'first'") }
        try await eventually { try await running("'first'", database.superPool) == 1 }
        let second = Task { try await connection.query("select pg_sleep(60), 'second'") }
        second.cancel()
        await failure(.cancelled) { try await second.value }
        #expect(try await first.value.count == 1)
      }
    }
  }

  @Test func theServersOwnTimeoutIsTold() async throws {
    try await withTestDatabase(migrated: false) { database in
      let role = try await database.pool.query(
        """
        select current_setting('statement_timeout') as statement,
          current_setting('lock_timeout') as lock,
          current_setting('idle_in_transaction_session_timeout') as idle
        """)[0]
      #expect(try role.get("statement", as: String.self) == "10s")
      #expect(try role.get("lock", as: String.self) == "5s")
      #expect(try role.get("idle", as: String.self) == "15s")
      await failure(.server, .queryCanceled) {
        try await database.pool.transaction(["statement_timeout": "50ms"]) { tx in
          try await tx.query("select pg_sleep(60)")
        }
      }
    }
  }
}
