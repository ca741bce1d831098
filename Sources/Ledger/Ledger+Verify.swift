import Postgres

extension Ledger {
  /// A projection that is not what the entries say.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    public let workspaceID: Int64
    public let problem: String
    /// nil when it concerns the workspace as a whole.
    public let account: Account?
    public let detail: String

    public var description: String {
      let place = account.map { "account \($0.id), unit \($0.unit): " } ?? ""
      return "workspace \(workspaceID): \(problem): \(place)\(detail)"
    }
  }

  /// Replays a workspace's entries and compares every projection. Empty: healthy.
  public func verify(in scope: WorkspaceScope) async throws -> [Problem] {
    // The role's statement_timeout is meant for requests; the pool's own deadline still holds.
    let rows = try await pool.transaction(in: scope) { tx in
      try await tx.execute("set local statement_timeout = 0")
      return try await tx.query("select * from ledger_verify(\(scope.workspaceID))")
    }
    return try rows.map { row in
      let accountID: Int64? = try row.getIfPresent("account_id")
      return Problem(
        workspaceID: scope.workspaceID, problem: try row.get("problem"),
        account: try accountID.map { Account($0, unit: try row.get("unit")) },
        detail: try row.get("detail"))
    }
  }

  /// Verifies every workspace of the directory, one after the other.
  public func verify() async throws -> [Problem] {
    var problems: [Problem] = []
    for row in try await pool.query("select workspace_id from workspaces order by 1") {
      problems += try await verify(in: WorkspaceScope(workspaceID: try row.get("workspace_id")))
    }
    return problems
  }
}
