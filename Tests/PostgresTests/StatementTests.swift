import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct StatementTests {
  @Test func errorsCarryStateAndConstraint() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute(
        "create table t (id int primary key, n int constraint positive check (n > 0))")
      #expect(try await pool.execute("insert into t values (1, 1), (2, 2)") == 2)
      #expect(try await pool.execute("delete from t where id > \(9)") == 0)
      let duplicate = await failure(.server, .uniqueViolation) {
        try await pool.execute("insert into t values (\(1), \(1))")
      }
      #expect(duplicate.constraint == "t_pkey")
      #expect(duplicate.detail?.contains("(id)=(1)") == true)
      #expect(!duplicate.description.contains("(id)=(1)"))
      let check = await failure(.server, .checkViolation) {
        try await pool.execute("insert into t values (3, -1)")
      }
      #expect(check.constraint == "positive")
      #expect(!check.isTransient)
      await failure(.server, .syntaxError) { try await pool.query("selec 1") }
      await failure(.server, .undefinedTable) { try await database.pool.query("table nothing") }
      await failure(.server, .insufficientPrivilege) { try await database.pool.query("table t") }
    }
  }

  @Test func sessionsSpeakUTCAndISO() async throws {
    try await withTestDatabase(migrated: false) { database in
      let rows = try await database.pool.query(
        """
        select current_setting('TimeZone') as zone, current_setting('DateStyle') as style,
          current_setting('client_min_messages') as messages,
          current_setting('client_encoding') as encoding,
          current_setting('application_name') as name, current_user::text as role
        """)
      #expect(try rows[0].get("zone", as: String.self) == "UTC")
      #expect(try rows[0].get("style", as: String.self) == "ISO, YMD")
      #expect(try rows[0].get("messages", as: String.self) == "warning")
      #expect(try rows[0].get("encoding", as: String.self) == "UTF8")
      #expect(try rows[0].get("name", as: String.self) == "estars")
      #expect(try rows[0].get("role", as: String.self) == "estars_app")
    }
  }

  @Test func aPipelineIsOneImplicitTransaction() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute("create table t (id int primary key)")
      let rows = try await pool.pipeline([
        "select set_config('estars.workspace_id', \("7"), true)",
        "insert into t values (1), (2) returning id",
        "select current_setting('estars.workspace_id') as workspace",
      ])
      #expect(try rows[1].map { try $0.get("id", as: Int.self) } == [1, 2])
      #expect(try rows[2][0].get("workspace", as: Int.self) == 7)
      // The setting ended with the pipeline.
      let after = try await pool.query("select current_setting('estars.workspace_id', true) as w")
      #expect(try after[0].getIfPresent("w", as: String.self) ?? "" == "")
      #expect(try await pool.pipeline([]).isEmpty)
    }
  }

  @Test func aFailedPipelineIsUndoneAsAWhole() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute("create table t (id int primary key)")
      try await pool.withConnection { connection in
        await failure(.server, .uniqueViolation) {
          try await connection.pipeline([
            "insert into t values (1)", "insert into t values (1)", "insert into t values (2)",
          ])
        }
        // The first error is the one that is told, wherever it stands.
        await failure(.server, .undefinedTable) {
          try await connection.pipeline([
            "insert into t values (5)", "table nothing", "insert into t values (5)",
          ])
        }
        let left = try await connection.query("select count(*) as n from t")
        #expect(try left[0].get("n", as: Int.self) == 0)
        // What was prepared behind the failure is prepared when it is needed.
        let rows = try await connection.pipeline([
          "insert into t values (2)", "select count(*) as n from t",
        ])
        #expect(try rows[1][0].get("n", as: Int.self) == 1)
      }
    }
  }

  @Test func manyStatementsInOnePipeline() async throws {
    try await withTestDatabase(migrated: false) { database in
      let numbers = 0..<5000
      let answers = try await database.pool.pipeline(numbers.map { "select \($0)::int as n" })
      #expect(try answers.map { try $0[0].get("n", as: Int.self) } == Array(numbers))
      let prepared = try await database.pool.query(
        "select count(*) as n from pg_prepared_statements where statement like '%::int as n'")
      #expect(try prepared[0].get("n", as: Int.self) == 1)
    }
  }

  @Test func preparedStatementsAreBounded() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      for number in 0..<300 {
        let rows = try await database.pool.query("select \(unsafe: "\(number)") as n")
        #expect(try rows[0].get("n", as: Int.self) == number)
      }
      // More different statements in one pipeline than are kept.
      _ = try await database.pool.pipeline((0..<600).map { "select \(unsafe: "\($0)") as m" })
      let prepared = try await database.pool.query(
        "select count(*) as n from pg_prepared_statements")
      // The one that this query displaced goes before the next.
      #expect(try prepared[0].get("n", as: Int.self) <= 257)
      // Deallocating the others is no part of the statement's transaction.
      try await withOtherDatabase(of: database)
    }
  }

  /// CREATE DATABASE runs alone only, also when old statements have to be deallocated first.
  private func withOtherDatabase(of database: TestDatabase) async throws {
    try await database.superPool.withConnection { connection in
      for number in 0..<300 { _ = try await connection.query("select \(unsafe: "\(number)")") }
      try await connection.execute("create database \(unsafe: database.name)_other")
      try await connection.execute("drop database \(unsafe: database.name)_other")
    }
  }

  @Test func statementsLostOnTheServerArePreparedAgain() async throws {
    try await withTestDatabase(migrated: false, maxConnections: 1) { database in
      let pool = database.pool
      let sql: SQL = "select \(1)::int as one"
      _ = try await pool.query(sql)
      try await pool.execute("deallocate all")
      #expect(try await pool.query(sql)[0].get("one", as: Int.self) == 1)
      try await pool.withConnection { try await $0.executeScript("discard all") }
      #expect(try await pool.query(sql)[0].get("one", as: Int.self) == 1)
      #expect(try await pool.pipeline([sql, sql]).count == 2)
    }
  }

  @Test func aChangedResultTypeIsPreparedAgain() async throws {
    try await withTestDatabase(migrated: false) { database in
      let pool = database.ownerPool
      try await pool.execute("create table t (a int)")
      try await pool.execute("insert into t values (1)")
      try await pool.withConnection { connection in
        #expect(try await connection.query("select * from t")[0].columns == ["a"])
        try await connection.execute("alter table t add b int")
        #expect(try await connection.query("select * from t")[0].columns == ["a", "b"])
      }
      // Inside a transaction nothing can be repeated, but the next attempt works.
      try await pool.transaction { tx in _ = try await tx.query("select * from t") }
      try await database.superPool.execute("alter table t add c int")
      for _ in 0..<3 {
        do {
          try await pool.transaction { tx in _ = try await tx.query("select * from t") }
        } catch let error as PostgresError {
          #expect(error.isTransient, "\(error)")
        }
      }
      let columns = try await pool.transaction { tx in
        try await tx.query("select * from t")[0].columns
      }
      #expect(columns == ["a", "b", "c"])
    }
  }

  @Test func scriptsRunManyStatementsAndReportTheFirstError() async throws {
    try await withTestDatabase(migrated: false) { database in
      try await database.ownerPool.withConnection { connection in
        try await connection.executeScript(
          "create table a (id int); insert into a values (1); select * from a; -- end")
        await failure(.server, .undefinedTable) {
          try await connection.executeScript("insert into a values (2); table nothing")
        }
        let rows = try await connection.query("select count(*) as n from a")
        #expect(try rows[0].get("n", as: Int.self) == 1)
        try await connection.executeScript("")
        await failure(.connection) { try await connection.executeScript("copy a from stdin") }
      }
      #expect(try await database.ownerPool.query("select 1 as one").count == 1)
    }
  }

  @Test func twoTasksShareAConnection() async throws {
    try await withTestDatabase(migrated: false) { database in
      try await database.pool.withConnection { connection in
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
          for number in 1...50 {
            group.addTask {
              try await connection.query("select \(number)::int as n")[0].get("n")
            }
          }
          return try await group.reduce(0, +)
        }
        #expect(sum == 1275)
      }
    }
  }
}
