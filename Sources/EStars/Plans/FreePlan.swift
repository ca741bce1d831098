import Foundation
import Ledger
import Postgres

/// The credits of the free plan: on the first of each month, in the workspace's time zone, for
/// everybody who was there before, was seen lately and had no subscription then. The first time is
/// the month after the plan was made.
struct FreePlan: Sendable {
  let plan: Plan
  /// `2026-11-01`.
  let month: String
  let startsAt: Date
  let endsAt: Date
  /// Of the month after.
  let longerEndsAt: Date

  /// nil where a workspace has none, or where its first month has not come.
  init?(in scope: WorkspaceScope, at: Date, _ pool: Pool) async throws {
    let row = try await pool.query(
      """
      select f.*, m.month::date::text as month, m.month at time zone w.time_zone as month_starts_at,
        (m.month + interval '1 month') at time zone w.time_zone as month_ends_at,
        (m.month + interval '2 months') at time zone w.time_zone as next_month_ends_at
      from (\(Plan.select(in: scope)) and p.kind = 'free' and p.withdrawn_at is null) f
      join workspaces w on w.workspace_id = f.workspace_id
      cross join lateral (
        select date_trunc('month', \(at)::timestamptz at time zone w.time_zone) as month) m
      where m.month > f.created_at at time zone w.time_zone and f.credits_per_cycle > 0
      """, in: scope
    ).first
    guard let row else { return nil }
    plan = try Plan(row)
    month = try row.get("month")
    startsAt = try row.get("month_starts_at")
    endsAt = try row.get("month_ends_at")
    longerEndsAt = try row.get("next_month_ends_at")
  }

  /// Customers who lack this month's credits.
  func due(
    limit: Int, in scope: WorkspaceScope, at: Date, _ pool: Pool
  ) async throws -> [Int64] {
    try await pool.query(
      """
      select c.customer_id from customers c
      where c.workspace_id = \(scope.workspaceID) and \(lacking(at))
      order by c.customer_id limit \(limit)
      """, in: scope
    ).map { try $0.get("customer_id") }
  }

  fileprivate func lacking(_ at: Date) -> SQL {
    """
    (c.free_plan_month is null or c.free_plan_month < \(month)::date)
      and c.created_at < \(startsAt)
      and c.erased_at is null and c.last_seen_at > \(at.addingTimeInterval(-Limits.freePlanSeenSeconds))
      and not exists (select from subscriptions s where s.workspace_id = c.workspace_id
        and s.customer_id = c.customer_id
        and (s.state in ('trial', 'active', 'grace') or s.ended_at >= \(startsAt)))
    """
  }
}

extension Transaction {
  /// Gives a customer the month's credits, once.
  ///
  /// - Returns: Whether it did.
  func give(
    _ free: FreePlan, to customer: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> Bool {
    let marked = try await execute(
      """
      update customers c set free_plan_month = \(free.month)::date
      where c.workspace_id = \(scope.workspaceID) and c.customer_id = \(customer)
        and \(free.lacking(at))
      """)
    guard marked == 1, free.endsAt > at, let credits = free.plan.creditsPerCycle else {
      return false
    }
    try await creditWithRollover(
      credits, cap: free.plan.rolloverCapCredits, until: free.endsAt,
      longerUntil: free.longerEndsAt, to: Account(customer, unit: free.plan.creditUnit),
      key: "job:free:\(customer):\(free.month)", in: scope, at: at)
    return true
  }
}
