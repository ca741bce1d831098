import Foundation
import Postgres

/// The right to act inside one workspace. Only guards and job rows make one.
public struct WorkspaceScope: Sendable, Hashable {
  public let workspaceID: Int64
  /// Seconds that the workspace's clock is ahead of ours; zero on a live side.
  public let clockOffsetSeconds: Int

  @_spi(Guard) public init(workspaceID: Int64, clockOffsetSeconds: Int = 0) {
    self.workspaceID = workspaceID
    self.clockOffsetSeconds = clockOffsetSeconds
  }

  /// The workspace's present time.
  public var now: Date { Date().addingTimeInterval(TimeInterval(clockOffsetSeconds)) }

  var setting: SQL {
    "select set_config('estars.workspace_id', \(String(workspaceID)), true)"
  }
}

extension Transaction {
  /// Goes on inside a workspace that this transaction has made, and sees its rows alone.
  @_spi(Guard) public func enter(_ scope: WorkspaceScope) async throws {
    _ = try await query(scope.setting)
  }
}

extension Pool {
  /// Runs a statement that sees the workspace's rows alone, in one round trip.
  ///
  /// Throws as `query(_:)` does.
  public func query(_ sql: SQL, in scope: WorkspaceScope) async throws -> [Row] {
    try await pipeline([scope.setting, sql])[1]
  }

  /// Runs a statement that sees the workspace's rows alone, in one round trip, and returns how
  /// many rows it affected. Throws as `execute(_:)` does.
  @discardableResult
  public func execute(_ sql: SQL, in scope: WorkspaceScope) async throws -> Int {
    try await execute([scope.setting, sql])[1]
  }

  /// Runs `body` in a transaction that sees the workspace's rows alone. Throws as
  /// `transaction(_:_:)` does.
  public func transaction<T: Sendable>(
    in scope: WorkspaceScope, _ body: (Transaction) async throws -> T
  ) async throws -> T {
    try await transaction(["estars.workspace_id": String(scope.workspaceID)], body)
  }
}
