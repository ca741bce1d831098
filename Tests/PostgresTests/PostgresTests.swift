import Foundation
import Postgres
import TestSupport
import Testing

@Test func smoke() async throws {
  try await withTestDatabase { database in
    let pool = database.pool
    let rows = try await pool.query(
      "select \(41)::int + 1 as answer, \("é'\"") as text, null as none")
    #expect(try rows[0].get("answer", as: Int.self) == 42)
    #expect(try rows[0].get("text", as: String.self) == "é'\"")
    #expect(try rows[0].getIfPresent("none", as: String.self) == nil)
    let batches = try await pool.pipeline([
      "select set_config('estars.workspace_id', '7', true)",
      "select current_setting('estars.workspace_id') as w",
    ])
    #expect(try batches[1][0].get("w", as: Int64.self) == 7)
    try await database.ownerPool.execute("create table t (id int primary key)")
    try await database.ownerPool.transaction { tx in
      let count = try await tx.execute("insert into t values (1), (2)")
      #expect(count == 2)
    }
    do {
      try await database.ownerPool.execute("insert into t values (1)")
      Issue.record("no error")
    } catch let error as PostgresError {
      #expect(error.sqlState == .uniqueViolation)
      #expect(error.constraint == "t_pkey")
    }
    let value: Int = try await pool.withConnection { connection in
      try await connection.query("select 1 as one")[0].get("one")
    }
    #expect(value == 1)
  }
}
