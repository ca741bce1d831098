import Foundation
import Ledger
import Postgres

/// Something that the operators of a workspace should look at: it goes on, or it happened.
public struct Alert: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable {
    /// It goes on, or happened, and nobody has looked at it.
    case open
    /// It is over, and nobody has looked at it.
    case unseen
    /// Somebody knows of it, and it still goes on.
    case acknowledged
    case over
  }

  public let id: Int64
  public let kind: Kind
  /// What it is about: `bot:77`, `customer:9`, or nothing where it is the whole workspace.
  public let subject: String
  /// What its words are made of. No names: those go when a customer is erased.
  public let facts: [String: String]
  public let openedAt: Date
  public let lastSeenAt: Date
  /// How often it was seen.
  public let sightings: Int64
  /// When the chats were told; nil = they were not.
  public let toldAt: Date?
  public let acknowledgedAt: Date?
  public let acknowledgedBy: String?
  public let endedAt: Date?
  /// It happened and was over at once.
  public let isMoment: Bool

  public var state: State {
    switch (acknowledgedAt, endedAt) {
    case (nil, nil): .open
    case (nil, _): isMoment ? .open : .unseen
    case (_, nil): .acknowledged
    case (_, _): .over
    }
  }

  /// nil for a kind that this release does not know.
  init?(_ row: Row) throws {
    guard let kind = Kind(rawValue: try row.get("alert_kind")) else { return nil }
    self.kind = kind
    id = try row.get("alert_id")
    subject = try row.get("subject")
    facts = try Self.facts(row.get("facts"))
    openedAt = try row.get("opened_at")
    lastSeenAt = try row.get("last_seen_at")
    sightings = try row.get("sightings")
    toldAt = try row.getIfPresent("told_at")
    acknowledgedAt = try row.getIfPresent("acknowledged_at")
    acknowledgedBy = try row.getIfPresent("acknowledged_by")
    endedAt = try row.getIfPresent("ended_at")
    isMoment = try row.get("is_moment")
  }

  static func facts(_ json: String) throws -> [String: String] {
    try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Alert? {
    try await pool.query(
      """
      select * from alerts where workspace_id = \(scope.workspaceID) and alert_id = \(id)
      """, in: scope
    ).first.flatMap(Alert.init)
  }

  /// Those that nobody has looked at, newest first.
  ///
  /// - Parameter before: Older than this one.
  public static func unacknowledged(
    before: Int64? = nil, limit: Int = Limits.pageSize, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Alert] {
    try await pool.query(
      """
      select * from alerts where workspace_id = \(scope.workspaceID) and acknowledged_at is null
        and alert_id < \(before ?? .max)
      order by alert_id desc limit \(limit)
      """, in: scope
    ).compactMap(Alert.init)
  }

  /// Those that somebody knows of and that still go on, newest first.
  public static func goingOn(
    limit: Int = Limits.pageSize, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Alert] {
    try await pool.query(
      """
      select * from alerts where workspace_id = \(scope.workspaceID) and ended_at is null
        and acknowledged_at is not null
      order by alert_id desc limit \(limit)
      """, in: scope
    ).compactMap(Alert.init)
  }

  /// Those that are over and known, newest first.
  ///
  /// - Parameters:
  ///   - kind: nil = of every kind.
  ///   - before: Older than this one.
  public static func over(
    of kind: Kind?, before: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Alert] {
    let ofKind: SQL = kind.map { "and alert_kind = \($0.rawValue)" } ?? ""
    return try await pool.query(
      """
      select * from alerts where workspace_id = \(scope.workspaceID)
        and ended_at is not null and acknowledged_at is not null \(ofKind)
        and alert_id < \(before ?? .max)
      order by alert_id desc limit \(limit)
      """, in: scope
    ).compactMap(Alert.init)
  }

  /// The same thing about the same subject, before this one, newest first.
  public func earlier(
    limit: Int = 10, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Alert] {
    try await pool.query(
      """
      select * from alerts where workspace_id = \(scope.workspaceID)
        and alert_kind = \(kind.rawValue) and subject = \(subject) and alert_id < \(id)
      order by alert_id desc limit \(limit)
      """, in: scope
    ).compactMap(Alert.init)
  }

  /// How many nobody has looked at, those of muted kinds left out; ``Limits/alertsCounted`` at most.
  public static func openCount(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int {
    try await pool.query(
      """
      select count(*) as open from (
        select from alerts a
        left join alert_rules r on r.workspace_id = a.workspace_id and r.alert_kind = a.alert_kind
        where a.workspace_id = \(scope.workspaceID) and a.acknowledged_at is null
          and coalesce(r.muted_until <= \(scope.now), true)
        limit \(Limits.alertsCounted)) o
      """, in: scope)[0].get("open")
  }
}
