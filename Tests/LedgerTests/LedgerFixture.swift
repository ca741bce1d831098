import Foundation
@_spi(Guard) @testable import Ledger
import Postgres
import TestSupport

/// A database with workspaces of both sides, and the doors to their ledgers.
struct LedgerFixture: Sendable {
  let database: TestDatabase
  let ledger: Ledger
  /// A test side: any time may be told.
  let test: WorkspaceScope
  let live: WorkspaceScope

  var pool: Pool { database.pool }

  init(_ database: TestDatabase) async throws {
    self.database = database
    ledger = Ledger(pool: database.pool)
    test = try await Self.makeWorkspace("test-side", side: "test", in: database)
    live = try await Self.makeWorkspace("live-side", side: "live", in: database)
  }

  static func makeWorkspace(
    _ slug: String, side: String, in database: TestDatabase
  ) async throws -> WorkspaceScope {
    let rows = try await database.pool.query(
      """
      insert into workspaces (slug, name, side, segment)
      values (\(slug), \(slug), \(side), 'ai_bot') returning workspace_id
      """)
    return WorkspaceScope(workspaceID: try rows[0].get("workspace_id"))
  }

  /// Runs one posting in a transaction of its own.
  func post<T: Sendable>(
    in scope: WorkspaceScope? = nil, _ body: (Transaction) async throws -> T
  ) async throws -> T {
    try await pool.transaction(in: scope ?? test, body)
  }
}

func withLedger<T: Sendable>(
  maxConnections: Int = 8, _ body: (LedgerFixture) async throws -> T
) async throws -> T {
  try await withTestDatabase(maxConnections: maxConnections) { database in
    try await body(try await LedgerFixture(database))
  }
}

/// The `n`-th day of 2026, at midnight UTC.
func day(_ n: Double) -> Date { Date(timeIntervalSince1970: 1_767_225_600 + (n - 1) * 86_400) }
