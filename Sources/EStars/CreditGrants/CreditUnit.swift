import Ledger
import Postgres

/// What a workspace counts in. Number 1 is made with the workspace and called "credits".
public struct CreditUnit: Sendable, Equatable {
  public let number: Int16
  /// In the plural, as the operator wrote it.
  public let name: String

  public static func all(
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [CreditUnit] {
    try await pool.query(
      """
      select unit, name from credit_units where workspace_id = \(scope.workspaceID)
      order by unit limit 100
      """, in: scope
    ).map { CreditUnit(number: try $0.get("unit"), name: try $0.get("name")) }
  }
}
