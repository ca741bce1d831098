import Foundation
import Ledger
import Postgres

/// How hard open cases press: each counts one, and one more for every whole day that it has waited
/// for a word of ours, ``SupportPressure/caseCap`` at most.
public struct SupportPressure: Sendable, Equatable {
  public static let caseCap = 30

  public struct Part: Sendable, Equatable {
    /// Key of a pack or plan, or a bot's segment; empty for cases about no payment.
    public let key: String
    public let cases: Int64
    public let points: Int64
  }

  public let cases: Int64
  /// Of them, those that have waited for longer than the workspace means to let anybody wait.
  public let overdue: Int64
  public let points: Int64
  /// The heaviest first.
  public let byProduct: [Part]
  public let bySegment: [Part]

  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> SupportPressure {
    let at = scope.now
    let sla = try await SupportSLA.minutes(in: scope, pool)
    let rows = try await pool.query(
      """
      select s.product, b.segment, count(*) as cases,
        count(*) filter (where s.waits_since < \(at.addingTimeInterval(-Double(sla) * 60)))
          as overdue,
        sum(least(\(caseCap)::bigint,
          1 + greatest(0, floor(extract(epoch from \(at)::timestamptz - s.waits_since) / 86400))
        ))::bigint as points
      from support_cases s
      join bots b on b.workspace_id = s.workspace_id and b.bot_id = s.bot_id
      where s.workspace_id = \(scope.workspaceID) and s.state = 'open'
      group by s.product, b.segment
      """, in: scope)
    let parts = try rows.map { row in
      (
        product: try row.get("product", as: String.self),
        segment: try row.get("segment", as: String.self),
        cases: try row.get("cases", as: Int64.self),
        overdue: try row.get("overdue", as: Int64.self),
        points: try row.get("points", as: Int64.self)
      )
    }
    func grouped(_ keys: [String]) -> [Part] {
      var sums: [String: (cases: Int64, points: Int64)] = [:]
      for (key, part) in zip(keys, parts) {
        sums[key, default: (0, 0)].cases += part.cases
        sums[key, default: (0, 0)].points += part.points
      }
      return sums.map { Part(key: $0.key, cases: $0.value.cases, points: $0.value.points) }
        .sorted { ($1.points, $0.key) < ($0.points, $1.key) }
    }
    return SupportPressure(
      cases: parts.reduce(0) { $0 + $1.cases }, overdue: parts.reduce(0) { $0 + $1.overdue },
      points: parts.reduce(0) { $0 + $1.points }, byProduct: grouped(parts.map(\.product)),
      bySegment: grouped(parts.map(\.segment)))
  }
}

/// How soon a buyer is to be answered.
public enum SupportSLA {
  public static func minutes(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int {
    try await pool.query(
      "select support_sla_minutes from workspaces where workspace_id = \(scope.workspaceID)",
      in: scope
    )[0].get("support_sla_minutes")
  }

  /// - Parameter minutes: Within ``Limits/supportSLAMinutes``, checked by the caller.
  public static func keep(
    _ minutes: Int, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let before = try await tx.query(
        """
        select support_sla_minutes from workspaces where workspace_id = \(scope.workspaceID)
        for update
        """)[0].get("support_sla_minutes", as: Int.self)
      guard before != minutes else { return }
      try await tx.execute(
        """
        update workspaces set support_sla_minutes = \(minutes)
        where workspace_id = \(scope.workspaceID)
        """)
      try await tx.audit(
        actor, "support.sla_changed", "workspace", String(scope.workspaceID),
        before: ["minutes": String(before)], after: ["minutes": String(minutes)], in: scope,
        at: scope.now)
    }
  }
}
