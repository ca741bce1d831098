import Foundation
import Ledger
import Postgres

/// One try to send an event.
public struct EventDelivery: Sendable, Equatable {
  public let attempt: Int
  public let at: Date
  /// Of the answer; nil when there was none.
  public let status: Int?
  /// Why there was none, as a code.
  public let error: String?
  public let milliseconds: Int

  init(_ row: Row) throws {
    attempt = try row.get("attempt")
    at = try row.get("at")
    status = try row.getIfPresent("status")
    error = try row.getIfPresent("error")
    milliseconds = try row.get("duration_ms")
  }
}

/// Which events a list shows; nil = any.
public struct EventFilter: Sendable, Equatable {
  public var state: Event.State?
  public var botID: Int64?
  public var kind: Event.Kind?

  public init(state: Event.State? = nil, botID: Int64? = nil, kind: Event.Kind? = nil) {
    self.state = state
    self.botID = botID
    self.kind = kind
  }
}

extension Event {
  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Event? {
    try await pool.query(
      """
      select \(columns) from events v
      where v.workspace_id = \(scope.workspaceID) and v.event_id = \(id)
      """, in: scope
    ).first.map(Event.init)
  }

  /// The workspace's events, newest first.
  ///
  /// - Parameter before: An event's number; only older ones.
  public static func recent(
    _ filter: EventFilter, before id: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Event] {
    let state: SQL = filter.state.map { "and v.state = \($0.rawValue)" } ?? ""
    let bot: SQL = filter.botID.map { "and v.bot_id = \($0)" } ?? ""
    let kind: SQL = filter.kind.map { "and v.kind = \($0.rawValue)" } ?? ""
    let older: SQL = id.map { "and v.event_id < \($0)" } ?? ""
    return try await pool.query(
      """
      select \(columns) from events v
      where v.workspace_id = \(scope.workspaceID) \(state) \(bot) \(kind) \(older)
      order by v.event_id desc limit \(limit)
      """, in: scope
    ).map(Event.init)
  }

  /// Its last tries, newest first.
  public func deliveries(in scope: WorkspaceScope, _ pool: Pool) async throws -> [EventDelivery] {
    try await pool.query(
      """
      select * from event_deliveries
      where workspace_id = \(scope.workspaceID) and event_id = \(id)
      order by attempt desc limit 100
      """, in: scope
    ).map(EventDelivery.init)
  }
}
