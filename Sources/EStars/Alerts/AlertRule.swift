import Foundation
import Ledger
import Postgres

/// Whether and when a workspace is told of a kind of alert.
public struct AlertRule: Sendable, Equatable {
  public let kind: Alert.Kind
  public var isOn = true
  /// Whether the alert chats are told, or the pages alone.
  public var inChat = true
  /// nil = the kind's own.
  public var threshold: Int64?
  /// Until then the chats are not told, and it does not count among the open ones.
  public var mutedUntil: Date?

  public init(kind: Alert.Kind) { self.kind = kind }

  /// What counts: the workspace's own threshold, or else the kind's.
  public var limit: Int64? { threshold ?? kind.defaultThreshold }

  /// Whether it is looked for at all.
  public var isWatched: Bool { isOn && (kind.measure == nil || limit != nil) }

  public func isMuted(at: Date) -> Bool { mutedUntil.map { $0 > at } ?? false }

  private init?(_ row: Row) throws {
    guard let kind = Alert.Kind(rawValue: try row.get("alert_kind")) else { return nil }
    self.kind = kind
    isOn = try row.get("is_on")
    inChat = try row.get("in_chat")
    threshold = try row.getIfPresent("threshold")
    mutedUntil = try row.getIfPresent("muted_until")
  }

  /// Of every kind, in its order.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [AlertRule] {
    try complete(try await pool.query(selected(in: scope), in: scope))
  }

  static func all(in scope: WorkspaceScope, _ tx: Transaction) async throws -> [AlertRule] {
    try complete(try await tx.query(selected(in: scope)))
  }

  private static func selected(in scope: WorkspaceScope) -> SQL {
    "select * from alert_rules where workspace_id = \(scope.workspaceID)"
  }

  private static func complete(_ rows: [Row]) throws -> [AlertRule] {
    let own = try rows.compactMap(AlertRule.init)
    return Alert.Kind.allCases.map { kind in own.first { $0.kind == kind } ?? AlertRule(kind: kind)
    }
  }

  /// Puts this in the place of what there is; a mute stays as it is. What goes on of a kind that is
  /// not looked for any more is over at the next look.
  public func keep(by actor: Actor, in scope: WorkspaceScope, _ pool: Pool) async throws {
    try await pool.transaction(in: scope) { tx in
      let before = try await tx.lockAlertRule(kind, in: scope)
      guard facts != before.facts else { return }
      try await tx.execute(
        """
        update alert_rules set is_on = \(isOn), in_chat = \(inChat), threshold = \(threshold)
        where workspace_id = \(scope.workspaceID) and alert_kind = \(kind.rawValue)
        """)
      let (old, new) = (before.facts, facts)
      try await tx.audit(
        actor, "alert_rule.edited", "alert_rule", kind.rawValue,
        before: old.filter { new[$0.key] != $0.value },
        after: new.filter { old[$0.key] != $0.value }, in: scope, at: scope.now)
    }
  }

  private var facts: [String: String] {
    var facts = ["is_on": isOn ? "yes" : "no", "in_chat": inChat ? "yes" : "no"]
    facts["threshold"] = limit.map(String.init)
    return facts
  }

  /// - Parameter until: nil = it is told of again.
  public static func mute(
    _ kind: Alert.Kind, until: Date?, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let before = try await tx.lockAlertRule(kind, in: scope)
      guard before.mutedUntil != until else { return }
      try await tx.execute(
        """
        update alert_rules set muted_until = \(until)
        where workspace_id = \(scope.workspaceID) and alert_kind = \(kind.rawValue)
        """)
      func fact(_ until: Date?) -> [String: String] {
        until.map { ["muted_until": $0.formatted(.iso8601)] } ?? [:]
      }
      try await tx.audit(
        actor, until == nil ? "alert_rule.unmuted" : "alert_rule.muted", "alert_rule",
        kind.rawValue, before: fact(before.mutedUntil), after: fact(until), in: scope,
        at: scope.now)
    }
  }
}

extension Transaction {
  fileprivate func lockAlertRule(
    _ kind: Alert.Kind, in scope: WorkspaceScope
  ) async throws -> AlertRule {
    try await execute(
      """
      insert into alert_rules (workspace_id, alert_kind)
      values (\(scope.workspaceID), \(kind.rawValue)) on conflict do nothing
      """)
    try await execute(
      """
      select from alert_rules where workspace_id = \(scope.workspaceID)
        and alert_kind = \(kind.rawValue) for no key update
      """)
    return try await AlertRule.all(in: scope, self).first { $0.kind == kind }
      ?? AlertRule(kind: kind)
  }
}
