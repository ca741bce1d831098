import Foundation
import Ledger
import Postgres

/// Why an event was not sent again.
public enum EventReplayProblem: Error, Sendable, Equatable {
  case noEvent
  /// The bot has no address to send it to.
  case noAddress
}

extension Event {
  /// Sends an event again, whatever became of it, under its own id: a bot that knows it already can
  /// tell. It is tried for another ``Limits/eventSeconds``.
  ///
  /// - Throws: ``EventReplayProblem``
  public static func replay(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      guard
        let row = try await tx.query(
          """
          select v.bot_id, v.customer_id, v.state, b.event_url is not null as has_address
          from events v join bots b using (workspace_id, bot_id)
          where v.workspace_id = \(scope.workspaceID) and v.event_id = \(id) for update of v
          """
        ).first
      else { throw EventReplayProblem.noEvent }
      guard try row.get("has_address") else { throw EventReplayProblem.noAddress }
      try await tx.execute(
        """
        update events set state = 'pending', attempts = 0, delivered_at = null, next_at = now(),
          give_up_at = now() + make_interval(secs => \(Int(Limits.eventSeconds)))
        where workspace_id = \(scope.workspaceID) and event_id = \(id)
        """)
      let customerID = try row.getIfPresent("customer_id", as: Int64.self)
      // A person waits for it, so it does not wait for its turn.
      try await Job.enqueue(
        .eventsSend, subject: "\(try row.get("bot_id", as: Int64.self)):\(customerID ?? 0)",
        in: scope, tx)
      try await tx.audit(
        actor, "event.replayed", "event", String(id),
        before: ["state": try row.get("state")], in: scope, at: scope.now)
    }
  }

  /// Tells a bot nothing but that its address works.
  ///
  /// - Returns: The event's number.
  /// - Throws: ``EventReplayProblem/noAddress``
  public static func test(
    bot id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Int64 {
    try await pool.transaction(in: scope) { tx in
      let row = try await tx.query(
        """
        select event_emit(\(scope.workspaceID), \(id), null, \(Kind.eventTest.rawValue), '{}',
          \(scope.now)) as event_id
        from bots where workspace_id = \(scope.workspaceID) and bot_id = \(id)
          and event_url is not null
        """
      ).first
      guard let event = try row?.getIfPresent("event_id", as: Int64.self) else {
        throw EventReplayProblem.noAddress
      }
      try await tx.audit(
        actor, "event.tested", "bot", String(id), after: ["event": String(event)], in: scope,
        at: scope.now)
      return event
    }
  }
}
