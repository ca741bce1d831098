import Ledger
import Postgres

extension Workspace {
  /// The business is suspended, and this would sell or use something.
  public struct Suspended: Error, Equatable, Sendable {
    public init() {}
  }
}

extension Transaction {
  /// Holds back what begins something new. What was begun before goes on, and no payment is refused.
  ///
  /// - Throws: ``Workspace/Suspended``
  func refuseWhileSuspended(in scope: WorkspaceScope) async throws {
    let suspended = try await query(
      """
      select from workspaces where workspace_id = \(scope.workspaceID) and stage = 'suspended'
      """)
    guard suspended.isEmpty else { throw Workspace.Suspended() }
  }
}

extension Usage {
  /// Whether a write of the API was carried out under this key: then it is a replay, whose answer is
  /// owed at all times.
  public func hasSeen(key: String, in scope: WorkspaceScope) async throws -> Bool {
    try await pool.query(
      """
      select exists (select from entries where workspace_id = \(scope.workspaceID)
          and idempotency_key = \("api:" + key))
        or exists (select from api_requests where workspace_id = \(scope.workspaceID)
          and idempotency_key = \(key)) as is_seen
      """, in: scope)[0].get("is_seen")
  }
}
