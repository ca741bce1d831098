import Foundation
import Ledger
import Postgres

/// People who were seen for the first time.
public enum NewcomerFigures {
  /// - Parameter days: nil = since the beginning.
  public static func total(
    _ days: ClosedRange<Day>?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64 {
    let narrowed: SQL = days.map { "and \($0.covers("day"))" } ?? ""
    return try await pool.query(
      """
      select coalesce(sum(customers), 0)::bigint as customers from newcomer_days
      where workspace_id = \(scope.workspaceID) \(narrowed)
      """, in: scope)[0].get("customers")
  }

  /// By where they came from; empty = nobody said.
  public static func bySource(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [String: Int64] {
    let rows = try await pool.query(
      """
      select traffic_source, sum(customers)::bigint as customers from newcomer_days
      where workspace_id = \(scope.workspaceID) and \(days.covers("day")) group by traffic_source
      """, in: scope)
    return Dictionary(
      try rows.map { (try $0.get("traffic_source"), try $0.get("customers")) },
      uniquingKeysWith: { $1 })
  }
}
