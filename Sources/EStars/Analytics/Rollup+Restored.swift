import Ledger
import Postgres

extension Rollup {
  /// The server counts transactions from a lower number than the workspace's rows carry: a dump was
  /// loaded into another server. Nothing new would be counted until it has caught up.
  public struct CounterBehind: Error, Equatable, CustomStringConvertible {
    /// The least epoch that lets the server go on after the rows (`pg_resetwal --epoch`).
    public let epoch: Int64
    public var description: String {
      """
      this server counts transactions from a lower number than the rows that were restored into it, \
      so that figures would stand still: stop it, run pg_resetwal --epoch=\(epoch), start it again
      """
    }
  }

  /// - Throws: ``CounterBehind`` at the first workspace whose rows are ahead of the server.
  public func checkCounter() async throws {
    for workspace in try await Workspace.all(pool) { try await checkCounter(in: workspace.scope) }
  }

  private func checkCounter(in scope: WorkspaceScope) async throws {
    let id = scope.workspaceID
    let row = try await pool.query(
      """
      select (newest >> 32) + 1 as epoch from (select greatest(
        (select max(pg_snapshot_xmax(counted)::text::bigint) from rollup_marks
          where workspace_id = \(id)),
        (select xid::text::bigint from entries where workspace_id = \(id)
          order by xid desc limit 1),
        (select xid::text::bigint from customers where workspace_id = \(id)
          order by xid desc limit 1)) as newest) r
      where newest > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
      """, in: scope
    ).first
    if let row { throw CounterBehind(epoch: try row.get("epoch")) }
  }
}
