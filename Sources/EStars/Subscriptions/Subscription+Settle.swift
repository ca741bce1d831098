import Foundation
import Ledger
import Postgres

/// What the cycles of a subscription say about its time. Payments and refunds may arrive in any
/// order: the time is read from all of them each time, so that it does not matter.
private struct PaidTime {
  let startedAt: Date
  let periodStartedAt: Date
  let periodEndsAt: Date
  /// The Stars of the last cycle went back, so nothing follows the paid time.
  let isCutShort: Bool
  /// When that was, of the last refund.
  let refundedAt: Date?
  let firstChargeID: String?

  init?(_ row: Row) throws {
    guard let started = try row.getIfPresent("started_at", as: Date.self) else { return nil }
    startedAt = started
    isCutShort = try row.get("is_cut_short")
    let refunded = try row.getIfPresent("refunded_at", as: Date.self)
    refundedAt = refunded
    firstChargeID = try row.getIfPresent("first_charge_id")
    if let end = try row.getIfPresent("paid_until", as: Date.self) {
      periodStartedAt = try row.get("paid_from")
      periodEndsAt = end
    } else {
      periodStartedAt = started
      periodEndsAt = max(started.addingTimeInterval(1), refunded ?? started)
    }
  }
}

extension Transaction {
  /// One at a time for a customer: whatever changes a subscription holds its customer's row.
  func lockCustomer(_ id: Int64, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      select from customers where workspace_id = \(scope.workspaceID) and customer_id = \(id)
      for no key update
      """)
  }

  func subscription(_ id: Int64, in scope: WorkspaceScope) async throws -> Subscription? {
    try await query("\(Subscription.select(in: scope)) and s.subscription_id = \(id)").first
      .map(Subscription.init)
  }

  /// The subscription with its customer's row in hand.
  func lockSubscription(_ id: Int64, in scope: WorkspaceScope) async throws -> Subscription? {
    guard let known = try await subscription(id, in: scope) else { return nil }
    try await lockCustomer(known.customerID, in: scope)
    return try await subscription(id, in: scope)
  }

  /// Brings a subscription to what its cycles and the time say: period, state, access, what is
  /// unlimited. The caller holds the customer's row.
  ///
  /// - Parameter entitlements: What the plan gives from now on; nil = as before.
  @discardableResult
  func settle(
    _ id: Int64, entitlements: [String]? = nil, in scope: WorkspaceScope, at: Date
  ) async throws -> Subscription {
    guard let before = try await subscription(id, in: scope) else {
      throw PaymentProblem(description: "the subscription is not there")
    }
    let time = before.isRecurring ? try await paidTime(of: before, in: scope) : nil
    let start = time?.periodStartedAt ?? before.periodStartedAt
    let end = time?.periodEndsAt ?? before.periodEndsAt
    let graceDays = time?.isCutShort ?? false ? 0 : before.graceDays
    let graceEnd =
      end < .distantFuture ? end.addingTimeInterval(Double(graceDays) * 86_400) : end
    // A refund ends at once what was paid by it.
    let over = time?.isCutShort ?? false ? max(end, time?.refundedAt ?? end) : max(graceEnd, start)
    var state = Subscription.State.replaced
    if before.state != .replaced {
      // A renewal takes its time to arrive.
      let isLate = before.renewal == .on && !(time?.isCutShort ?? false)
      let slack = isLate ? min(Limits.renewalSlackSeconds, end.timeIntervalSince(start) / 50) : 0
      if at < end.addingTimeInterval(end < .distantFuture ? slack : 0) {
        state = before.isTrial ? .trial : .active
      } else if try await hasSuccessor(before, in: scope) {
        state = .replaced
      } else {
        state = at < graceEnd ? .grace : .expired
      }
    }
    try await execute(
      """
      update subscriptions set state = \(state.rawValue),
        started_at = \(time?.startedAt ?? before.startedAt), period_started_at = \(start),
        period_ends_at = \(end), first_charge_id = \(time?.firstChargeID),
        ended_at = case when \(state.isRunning) then null
          else coalesce(ended_at, \(state == .expired ? min(at, over) : at)) end,
        next_plan = case when \(state.isRunning) then next_plan end
      where workspace_id = \(scope.workspaceID) and subscription_id = \(id)
      """)
    try await writeAccess(
      before, entitlements, until: state.isRunning ? graceEnd : nil, in: scope, at: at)
    try await writeUnlimited(before.customerID, in: scope)
    if state != before.state {
      try await tell(before, state, in: scope, at: at)
    }
    return try await subscription(id, in: scope) ?? before
  }

  private func paidTime(
    of subscription: Subscription, in scope: WorkspaceScope
  ) async throws -> PaidTime? {
    try await query(
      """
      select min(c.starts_at) as started_at, max(c.ends_at) filter (where r.is_paid) as paid_until,
        max(c.starts_at) filter (where r.is_paid) as paid_from,
        max(c.refunded_at) as refunded_at,
        coalesce((array_agg(c.refunded_at is not null order by c.ends_at desc))[1], false)
          as is_cut_short,
        coalesce(
          (array_agg(c.charge_id order by c.starts_at) filter (where p.is_first_recurring))[1],
          (array_agg(c.charge_id order by c.starts_at))[1]) as first_charge_id
      from subscription_cycles c
      cross join lateral (select c.refunded_at is null as is_paid) r
      left join payments p on p.workspace_id = c.workspace_id and p.bot_id = \(subscription.botID)
        and p.charge_id = c.charge_id
      where c.workspace_id = \(scope.workspaceID)
        and c.subscription_id = \(subscription.id)
      """)[0].pipe(PaidTime.init)
  }

  /// Whether something that was bought later takes its place when its time is over.
  private func hasSuccessor(
    _ subscription: Subscription, in scope: WorkspaceScope
  ) async throws -> Bool {
    try await query(
      """
      select from subscriptions where workspace_id = \(scope.workspaceID)
        and customer_id = \(subscription.customerID) and subscription_id > \(subscription.id)
        and state = 'active' limit 1
      """
    ).count == 1
  }

  /// What becomes known by the time alone.
  private func tell(
    _ before: Subscription, _ state: Subscription.State, in scope: WorkspaceScope, at: Date
  ) async throws {
    switch state {
    case .grace:
      try await note(.grace, of: before, by: "job", in: scope, at: at)
      try await emit(.subscriptionGrace, before.id, in: scope, at: at)
    case .expired:
      try await note(.expire, of: before, by: "job", in: scope, at: at)
      try await emit(.subscriptionExpired, before.id, in: scope, at: at)
    case .replaced:
      try await note(.replace, of: before, by: "job", in: scope, at: at)
    case .trial, .active: break
    }
  }

  /// Writes a step down. Steps of a subscription are numbered by itself.
  func note(
    _ kind: Subscription.Change.Kind, of subscription: Subscription, by: String,
    from: String? = nil, to: String? = nil, chargeID: String? = nil, reason: String = "",
    in scope: WorkspaceScope, at: Date
  ) async throws {
    try await execute(
      """
      with step as (
        update subscriptions set steps = steps + 1
        where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
        returning steps)
      insert into subscription_changes (workspace_id, subscription_id, step, kind, by, from_plan,
        to_plan, charge_id, reason, at)
      select \(scope.workspaceID)::bigint, \(subscription.id)::bigint, steps, \(kind.rawValue), \(by),
        \(from)::text, \(to ?? subscription.plan)::text, \(chargeID)::text, \(reason),
        \(at)::timestamptz
      from step
      """)
  }
}

extension Row {
  fileprivate func pipe<T>(_ make: (Row) throws -> T) rethrows -> T { try make(self) }
}
