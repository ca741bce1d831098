import Foundation
import Ledger
import Postgres

extension Worker {
  /// Lets time do its part: periods end, grace ends, custom plans begin their next cycle, and buyers
  /// are reminded of an end that is near.
  ///
  /// - Parameter batch: Looked up at a time.
  /// - Returns: `.next` where the time was up before all of them were moved on.
  func ageSubscriptions(
    in scope: WorkspaceScope, batch: Int = Limits.subscriptionsAtOnce
  ) async throws -> Job.Outcome {
    let at = scope.now
    let until = ContinuousClock.now + .seconds(Limits.subscriptionRunSeconds)
    var last: Int64 = 0
    while true {
      // One that cannot be moved on stands in nobody's way: the walk goes past it.
      let due = try await dueSubscriptions(after: last, limit: batch, in: scope, at: at)
      try await moveOn(due, in: scope)
      guard let next = due.last, due.count == batch else { break }
      guard ContinuousClock.now < until else { return .next }
      last = next
    }
    try await remindOfEnds(in: scope, at: at)
    return .done
  }

  private func dueSubscriptions(
    after last: Int64, limit: Int, in scope: WorkspaceScope, at: Date
  ) async throws -> [Int64] {
    try await platform.pool.query(
      """
      select subscription_id from (
        select subscription_id from subscriptions
        where workspace_id = \(scope.workspaceID) and state in ('trial', 'active', 'grace')
          and period_ends_at <= \(at) and (state <> 'grace'
            or period_ends_at + make_interval(days => grace_days) <= \(at))
        union
        select s.subscription_id from subscriptions s
        where s.workspace_id = \(scope.workspaceID) and s.state = 'active' and s.renewal = 'none'
          and s.credits_per_cycle > 0 and not exists (
            select from subscription_cycles c where c.workspace_id = s.workspace_id
              and c.subscription_id = s.subscription_id and c.ends_at > \(at))) d
      where subscription_id > \(last) order by subscription_id limit \(limit)
      """, in: scope
    ).map { try $0.get("subscription_id", as: Int64.self) }
  }

  private func moveOn(_ due: [Int64], in scope: WorkspaceScope) async throws {
    for id in due {
      _ = try await alone("subscription \(id)") {
        try await platform.pool.transaction(in: scope) { tx in
          guard try await tx.lockSubscription(id, in: scope) != nil else { return }
          let settled = try await tx.settle(id, in: scope, at: scope.now)
          if settled.planKind == .custom {
            try await tx.giveCycle(settled, in: scope, at: scope.now)
          }
        }
      }
    }
  }

  /// Asks for the reminders that are due: three days before an end, on the last day, and when grace
  /// has begun. What Telegram renews by itself needs none.
  private func remindOfEnds(in scope: WorkspaceScope, at: Date) async throws {
    try await platform.pool.execute(
      """
      insert into jobs (workspace_id, kind, subject, run_at)
      select r.workspace_id, \(Job.Kind.subscriptionRemind.rawValue), r.subject, now()
      from (
        select s.workspace_id, s.subscription_id || ':' || w.reminder || ':'
          || extract(epoch from s.period_ends_at)::bigint as subject
        from subscriptions s
        cross join lateral (
          select case when s.state = 'grace' then 'grace'
            when s.period_ends_at <= \(at.addingTimeInterval(Limits.lastDaySeconds)) then 'today'
            else 'soon' end as reminder) w
        where s.workspace_id = \(scope.workspaceID) and s.state in ('trial', 'active', 'grace')
          and s.period_ends_at <= \(at.addingTimeInterval(Limits.endingSeconds))
          and (s.renewal <> 'on' and (s.state = 'grace' or s.period_ends_at > \(at))
            -- Word of a renewal may be on its way for as long as Telegram repeats it.
            or s.state = 'grace'
              and s.period_ends_at <= \(at.addingTimeInterval(-Limits.lastDaySeconds)))
          and exists (select from bots b where b.workspace_id = s.workspace_id
            and b.bot_id = s.bot_id and b.disconnected_at is null)
          and (w.reminder <> 'soon' or s.period_ends_at - s.period_started_at
            > make_interval(secs => \(Int(Limits.endingSeconds))))) r
      where not exists (select from outgoing_messages m
        where m.workspace_id = r.workspace_id and m.subject = r.subject
          and m.kind in ('trial.ending', 'subscription.ending', 'subscription.grace'))
      on conflict do nothing
      """, in: scope)
  }

  /// - Returns: `.next` while there are customers left.
  func giveFreePlan(in scope: WorkspaceScope) async throws -> Job.Outcome {
    let at = scope.now
    guard let free = try await FreePlan(in: scope, at: at, platform.pool) else { return .done }
    let due = try await free.due(
      limit: Limits.freePlanBatch, in: scope, at: at, platform.pool)
    var given = 0
    for customer in due {
      let isDone = try await alone("free plan of customer \(customer)") {
        _ = try await platform.pool.transaction(in: scope) { tx in
          try await tx.give(free, to: customer, in: scope, at: scope.now)
        }
      }
      if isDone { given += 1 }
    }
    return due.count == Limits.freePlanBatch && given > 0 ? .next : .done
  }
}
