import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct TransactionTests {
  private struct Refusal: Error {}

  private func count(_ pool: Pool) async throws -> Int {
    try await pool.query("select count(*) as n from t")[0].get("n")
  }

  @Test func returningCommitsAndThrowingRollsBack() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute("create table t (id int primary key)")
      let answer = try await pool.transaction { tx in
        try await tx.execute("insert into t values (1)")
        return "done"
      }
      #expect(answer == "done")
      await #expect(throws: Refusal.self) {
        try await pool.transaction { tx in
          try await tx.execute("insert into t values (2)")
          throw Refusal()
        }
      }
      #expect(try await count(pool) == 1)
    }
  }

  @Test func settingsEndWithTheTransaction() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      let settings = ["estars.workspace_id": "5", "estars.actor": "o'hara"]
      let sql: SQL = """
        select current_setting('estars.workspace_id', true) as workspace,
          current_setting('estars.actor', true) as actor
        """
      let row = try await database.pool.transaction(settings) { tx in try await tx.query(sql)[0] }
      #expect(try row.get("workspace", as: String.self) == "5")
      #expect(try row.get("actor", as: String.self) == "o'hara")
      let after = try await database.pool.query(sql)[0]
      #expect(try after.getIfPresent("workspace", as: String.self) ?? "" == "")
    }
  }

  @Test func aSwallowedFailureIsNotACommit() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute("create table t (id int primary key)")
      await failure(.server, .inFailedTransaction) {
        try await pool.transaction { tx in
          try await tx.execute("insert into t values (1)")
          await failure(.server, .uniqueViolation) {
            try await tx.execute("insert into t values (1)")
          }
        }
      }
      #expect(try await count(pool) == 0)
    }
  }

  @Test func anOpenTransactionIsRolledBackBeforeLending() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      try await database.ownerPool.execute("create table t (id int)")
      try await database.ownerPool.execute("grant all on t to estars_app")
      let pool = database.pool
      try await pool.withConnection { connection in
        try await connection.execute("begin")
        try await connection.execute("insert into t values (1)")
      }
      #expect(try await count(pool) == 0)
      try await pool.withConnection { connection in
        _ = await failure(.server) {
          try await connection.pipeline(["begin", "insert into t values (1)", "table nothing"])
        }
      }
      #expect(try await count(pool) == 0)
      #expect(try await pool.execute("insert into t values (1)") == 1)
    }
  }

  @Test func nothingIsUsableAfterItsClosure() async throws {
    try await withTestDatabase(migrated: false) { database in
      let connection = try await database.pool.withConnection { $0 }
      await failure(.closed) { try await connection.query("select 1") }
      await failure(.closed) { try await connection.executeScript("select 1") }
      let transaction = try await database.pool.transaction { $0 }
      await failure(.closed) { try await transaction.execute("select 1") }
    }
  }

  @Test func aCancelledTransactionCommitsNothing() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute("create table t (id int primary key)")
      let task = Task {
        try await pool.transaction { tx in
          try await tx.execute("insert into t values (1)")
          // Deaf to cancellation, as a body may be.
          withUnsafeCurrentTask { $0?.cancel() }
        }
      }
      await failure(.cancelled) { try await task.value }
      #expect(try await count(pool) == 0)
    }
  }
}
