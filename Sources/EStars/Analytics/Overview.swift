import Foundation
import Ledger
import Postgres

/// The workspace in numbers, as its front page shows them.
public struct Overview: Sendable {
  public let customers: Int64
  public let payingCustomers: Int64
  public let starsReceived: Int64
  public let starsRefunded: Int64
  public let creditsIssued: Int64
  public let creditsUsed: Int64
  public let unspentCredits: Int64
  /// Updates that wait in the inbox or were given up.
  public let openUpdates: Int64
  /// Refund cases that a person is to decide.
  public let waitingRefunds: Int64
  public let verification: Verification?
  /// Credits used on each of the last fourteen days of the workspace's zone, oldest first.
  public let usedPerDay: [Day]

  public struct Verification: Sendable, Equatable {
    public let at: Date
    public let entries: Int64
    public let problems: Int64
  }

  public struct Day: Sendable, Equatable {
    /// `2026-11-21`
    public let day: String
    public let used: Int64
  }

  /// Numbers of money and credits are those of the last thirty days.
  public static func load(
    of workspace: Workspace, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Overview {
    let id = scope.workspaceID
    let now = scope.now
    let from = now.addingTimeInterval(-30 * 86_400)
    let row = try await pool.query(
      """
      select
        (select count(*) from customers where workspace_id = \(id)) as customers,
        (select count(*) from customers where workspace_id = \(id) and has_purchased) as paying,
        (select coalesce(sum(stars), 0)::bigint from payments
          where workspace_id = \(id) and paid_at > \(from)) as received,
        (select coalesce(sum(stars), 0)::bigint from refunds
          where workspace_id = \(id) and refunded_at > \(from)) as refunded,
        (select count(*) from refunds
          where workspace_id = \(id) and state in ('requested', 'failed')) as waiting_refunds,
        e.issued, e.used,
        (select coalesce(sum(balance), 0)::bigint from accounts
          where workspace_id = \(id) and balance > 0) as unspent,
        (select count(*) from updates
          where workspace_id = \(id) and state in ('pending', 'failed')) as open_updates
      from (select
          coalesce(sum(amount) filter (where kind = 'credit'), 0)::bigint as issued,
          coalesce(-sum(amount) filter (where kind = 'debit'), 0)::bigint as used
        from entries where workspace_id = \(id) and created_at > \(from)) e
      """, in: scope)[0]
    return Overview(
      customers: try row.get("customers"), payingCustomers: try row.get("paying"),
      starsReceived: try row.get("received"), starsRefunded: try row.get("refunded"),
      creditsIssued: try row.get("issued"), creditsUsed: try row.get("used"),
      unspentCredits: try row.get("unspent"), openUpdates: try row.get("open_updates"),
      waitingRefunds: try row.get("waiting_refunds"),
      verification: try await Verification.latest(in: scope, pool),
      usedPerDay: try await days(14, of: workspace, in: scope, pool))
  }

  private static func days(
    _ count: Int, of workspace: Workspace, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Day] {
    let zone = workspace.timeZone.identifier
    return try await pool.query(
      """
      with days as (
        select ((\(scope.now)::timestamptz at time zone \(zone))::date - n) as day
        from generate_series(0, \(count - 1)) n),
      used as (
        select (created_at at time zone \(zone))::date as day, -sum(amount) as used
        from entries where workspace_id = \(scope.workspaceID) and kind = 'debit'
          and created_at > \(scope.now.addingTimeInterval(-Double(count + 1) * 86_400))
        group by 1)
      select days.day::text as day, coalesce(used.used, 0)::bigint as used
      from days left join used using (day) order by days.day
      """, in: scope
    ).map { Day(day: try $0.get("day"), used: try $0.get("used")) }
  }
}

extension Overview.Verification {
  static func latest(in scope: WorkspaceScope, _ pool: Pool) async throws -> Self? {
    try await pool.query(
      """
      select verified_at, entry_count, problem_count from ledger_verifications
      where workspace_id = \(scope.workspaceID) order by verified_at desc limit 1
      """, in: scope
    ).first.map {
      Overview.Verification(
        at: try $0.get("verified_at"), entries: try $0.get("entry_count"),
        problems: try $0.get("problem_count"))
    }
  }
}
