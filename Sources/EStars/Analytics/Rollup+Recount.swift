import Ledger
import Postgres

extension Rollup {
  /// A row of a figure that is not what its tables say.
  public struct Difference: Sendable, Equatable, CustomStringConvertible {
    public let workspaceID: Int64
    /// The table of figures.
    public let figure: String
    /// `stored`: the row stands there and the tables say otherwise. `counted`: it is missing.
    public let side: String
    public let detail: String

    public var description: String { "workspace \(workspaceID): \(figure): \(side) \(detail)" }
  }

  /// Counts every figure anew from the tables it is of, all at one moment, and compares. Empty: they
  /// agree. What is new is counted first.
  ///
  /// - Throws: `PostgresError`; of ``SQLState/serializationFailure`` where others counted again and
  ///   again at the same moment.
  public func recount(in scope: WorkspaceScope) async throws -> [Difference] {
    var tries = 0
    while true {
      // The rest is less, so that others wait the shorter for what follows.
      try await follow(in: scope)
      do {
        if let differences = try await compare(in: scope) { return differences }
      } catch let error as PostgresError where error.sqlState == .serializationFailure {
        guard tries < Limits.figuresRecounts else { throw error }
      }
      tries += 1
      try await Task.sleep(for: .milliseconds(20 * tries))
    }
  }

  /// nil: somebody else has the figures in hand.
  private func compare(in scope: WorkspaceScope) async throws -> [Difference]? {
    try await patientPool.withConnection { connection in
      // One snapshot for all: what is committed meanwhile is in neither side.
      _ = try await connection.query("begin isolation level repeatable read")
      _ = try await connection.query(
        "select set_config('estars.workspace_id', \(String(scope.workspaceID)), true)")
      _ = try await connection.query("set local statement_timeout = 0")
      while true {
        let step = try await connection.query(Self.step(Limits.figuresStepRows, true, scope))[0]
        if try step.get("is_busy") { return nil }
        if try step.get("is_current") { break }
      }
      let differences = try await connection.query(
        "select * from figures_verify(\(scope.workspaceID))"
      ).map { row in
        Difference(
          workspaceID: scope.workspaceID, figure: try row.get("figure"),
          side: try row.get("side"), detail: try row.get("detail"))
      }
      _ = try await connection.query("commit")
      return differences
    }
  }
}
