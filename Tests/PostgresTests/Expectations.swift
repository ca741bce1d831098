import Foundation
import Postgres
import Testing

/// Runs `body`, which must throw a `PostgresError`, and returns that.
@discardableResult
func failure<T: Sendable>(
  _ kind: PostgresError.Kind? = nil, _ state: SQLState? = nil,
  sourceLocation: SourceLocation = #_sourceLocation,
  of body: () async throws -> T
) async -> PostgresError {
  do {
    let value = try await body()
    Issue.record("no error but \(value)", sourceLocation: sourceLocation)
  } catch let error as PostgresError {
    if let kind { #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation) }
    if let state { #expect(error.sqlState == state, "\(error)", sourceLocation: sourceLocation) }
    return error
  } catch {
    Issue.record("not a PostgresError: \(error)", sourceLocation: sourceLocation)
  }
  return PostgresError(.closed, "no error")
}

/// Waits until `condition` holds; records an issue when it never does.
func eventually(
  within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("never became true", sourceLocation: sourceLocation)
      return
    }
    try await Task.sleep(for: .milliseconds(20))
  }
}

/// How many connections run a statement that contains `text`.
func running(_ text: String, _ pool: Pool) async throws -> Int {
  let rows = try await pool.query(
    """
    select count(*) as n from pg_stat_activity
    where state = 'active' and pid <> pg_backend_pid() and query like \("%\(text)%")
    """)
  return try rows[0].get("n")
}
