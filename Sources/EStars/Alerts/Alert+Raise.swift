import Foundation
import Ledger
import Postgres

extension Transaction {
  /// Opens an alert, or says that one still goes on, and tells the chats once: now, or later while
  /// it goes on, where the kind is muted or no chat is linked yet. Does nothing where the workspace
  /// does not want to hear of it.
  ///
  /// - Parameters:
  ///   - subject: What it is about, 200 characters at most: `bot:77`, `customer:9`.
  ///   - facts: What the words are made of; no names of customers.
  /// - Returns: The alert's number where it is a new one.
  @discardableResult
  func raise(
    _ kind: Alert.Kind, about subject: String, facts: [String: String],
    in scope: WorkspaceScope, at: Date
  ) async throws -> Int64? {
    let rules = try await AlertRule.all(in: scope, self)
    guard let rule = rules.first(where: { $0.kind == kind }), rule.isWatched else { return nil }
    let alert = try await sight(kind, subject, facts, in: scope, at: at)
    guard let alert else { return nil }
    try await tell([alert], rule, in: scope, at: at)
    return alert.sightings == 1 ? alert.id : nil
  }

  /// It does not go on any more.
  ///
  /// - Parameter seconds: Only where it was not seen for so long.
  func endAlert(
    _ kind: Alert.Kind, about subject: String, unseenFor seconds: Double = 0,
    in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      update alerts set ended_at = greatest(last_seen_at, \(at))
      where workspace_id = \(scope.workspaceID) and alert_kind = \(kind.rawValue)
        and subject = \(subject) and ended_at is null
        and last_seen_at <= \(at.addingTimeInterval(-seconds))
      """)
  }

  /// - Returns: nil for a moment that was told of before.
  func sight(
    _ kind: Alert.Kind, _ subject: String, _ facts: [String: String], in scope: WorkspaceScope,
    at: Date
  ) async throws -> Alert? {
    let json = String(decoding: try JSONEncoder().encode(facts), as: UTF8.self)
    let ended = kind.isMoment ? at : nil
    let known = kind.isNews ? at : nil
    return try await query(
      """
      insert into alerts as a (workspace_id, alert_kind, subject, facts, opened_at, last_seen_at,
        is_moment, ended_at, acknowledged_at, acknowledged_by)
      values (\(scope.workspaceID), \(kind.rawValue), \(String(subject.prefix(200))),
        \(json)::jsonb, \(at), \(at), \(kind.isMoment), \(ended), \(known),
        \(known.map { _ in Alert.ourselves }))
      on conflict (workspace_id, alert_kind, subject) where ended_at is null or is_moment
      do update set sightings = a.sightings + 1, facts = excluded.facts,
        last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at)
        where not a.is_moment
      returning *
      """
    ).first.flatMap(Alert.init)
  }

  /// Tells the chats of those that they do not know of: one message for all of them.
  func tell(
    _ alerts: [Alert], _ rule: AlertRule, in scope: WorkspaceScope, at: Date
  ) async throws {
    let untold = alerts.filter {
      $0.toldAt == nil && ($0.acknowledgedAt == nil || $0.kind.isNews)
    }
    guard let first = untold.first, rule.inChat, !rule.isMuted(at: at) else { return }
    let place = try await query(
      "select name, locale from workspaces where workspace_id = \(scope.workspaceID)")[0]
    let words = AlertSentence(language: BuyerLanguage(of: nil, else: try place.get("locale")))
    let body = words.message(untold, in: try place.get("name"))
    guard try await alert(.alert, about: String(first.id), body, in: scope, at: at) > 0 else {
      return
    }
    try await execute(
      """
      update alerts set told_at = \(at) where workspace_id = \(scope.workspaceID)
        and alert_id = any(\(untold.map(\.id))::bigint[])
      """)
  }
}

extension Alert {
  /// Who has looked at what nobody needs to look at.
  static let ourselves = "eStars"

  /// Somebody has looked at it; it may still go on.
  ///
  /// - Returns: false where there is no such alert.
  public static func acknowledge(
    _ id: Int64, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Bool {
    try await pool.transaction(in: scope) { tx in
      let row = try await tx.query(
        """
        select alert_kind, acknowledged_at is null as is_new from alerts
        where workspace_id = \(scope.workspaceID) and alert_id = \(id) for no key update
        """
      ).first
      guard let row else { return false }
      guard try row.get("is_new", as: Bool.self) else { return true }
      try await tx.execute(
        """
        update alerts set acknowledged_at = \(scope.now), acknowledged_by = \(actor.name)
        where workspace_id = \(scope.workspaceID) and alert_id = \(id)
        """)
      try await tx.audit(
        actor, "alert.acknowledged", "alert", String(id),
        after: ["kind": try row.get("alert_kind")], in: scope, at: scope.now)
      return true
    }
  }

  /// All that nobody has looked at, from the oldest to the newest that was on the page.
  public static func acknowledgeAll(
    _ ids: ClosedRange<Int64>, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.execute(
        """
        update alerts set acknowledged_at = \(scope.now), acknowledged_by = \(actor.name)
        where workspace_id = \(scope.workspaceID) and acknowledged_at is null
          and alert_id between \(ids.lowerBound) and \(ids.upperBound)
        """)
      guard known > 0 else { return }
      try await tx.audit(
        actor, "alert.all_acknowledged", "alert", "", after: ["count": String(known)], in: scope,
        at: scope.now)
    }
  }
}
