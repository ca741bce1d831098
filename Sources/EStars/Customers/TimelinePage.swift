import Foundation
import Ledger
import Postgres

/// Reads one page of a timeline: the ledger's entries in their own order, and between them, by
/// their time, what stands in other tables.
struct TimelinePage: Sendable {
  let customer: Int64
  let unit: Int16
  let filter: Timeline.Filter?
  let limit: Int
  let scope: WorkspaceScope
  let pool: Pool

  private typealias Placed = (place: Timeline.Place, event: Timeline.Event)

  func after(_ cursor: Timeline.Cursor?) async throws -> Timeline {
    let place = try await place(of: cursor)
    async let entries = readEntries(below: cursor?.version)
    async let others = readOthers(below: place)
    var (entriesLeft, othersLeft) = (try await entries[...], try await others[...])
    var events: [Timeline.Event] = []
    var (version, reached) = (cursor?.version, place)
    while events.count < limit {
      if let next = othersLeft.first, isAbove(next, entriesLeft.first) {
        events.append(next.event)
        reached = next.place
        othersLeft.removeFirst()
      } else if let next = entriesLeft.first {
        events.append(.entry(next))
        version = next.version
        entriesLeft.removeFirst()
      } else {
        break
      }
    }
    let isEnd = entriesLeft.isEmpty && othersLeft.isEmpty
    // With no other thing shown yet, the entry's own place in time serves.
    let from = reached ?? events.last.map { Timeline.Place(at: $0.at, .refund, .max) }
    return Timeline(
      events: events, next: isEnd ? nil : Timeline.Cursor(version: version, place: from))
  }

  private func isAbove(_ other: Placed, _ entry: Timeline.Movement?) -> Bool {
    guard let entry else { return true }
    return other.place > Timeline.Place(at: entry.at, .entry, 0)
  }

  /// Of a cursor that is a version alone: below that entry.
  private func place(of cursor: Timeline.Cursor?) async throws -> Timeline.Place? {
    guard let cursor, cursor.place == nil, let version = cursor.version else {
      return cursor?.place
    }
    let at = try await pool.query(
      """
      select created_at from entries where workspace_id = \(scope.workspaceID)
        and account_id = \(customer) and unit = \(unit) and version = \(version)
      """, in: scope
    ).first?.get("created_at", as: Date.self)
    return at.map { Timeline.Place(at: $0, .entry, 0) }
  }

  private func readEntries(below version: Int64?) async throws -> [Timeline.Movement] {
    let condition: SQL
    switch filter {
    case nil: condition = "true"
    case .credits: condition = "e.kind in ('credit', 'expire')"
    case .uses: condition = "e.kind = 'debit'"
    case .holds: condition = "e.kind in ('hold', 'release')"
    case .refunds:
      condition = """
        (e.kind in ('clawback', 'forgive') or e.operation in ('hold_charge', 'clawback'))
        """
    case .payments, .messages, .cases, .actions: return []
    }
    return try await Timeline.movements(
      """
      e.account_id = \(customer) and e.unit = \(unit) and e.version < \(version ?? .max)
        and \(condition) order by e.version desc limit \(limit + 1)
      """, in: scope, pool)
  }

  private func readOthers(below place: Timeline.Place?) async throws -> [Placed] {
    guard unit == 1 else { return [] }
    let kinds: [Timeline.Kind] =
      switch filter {
      case nil: Timeline.Kind.allCases
      case .payments: [.payment, .subscription]
      case .refunds: [.decline, .refund]
      case .messages: [.message]
      case .cases: [.supportCase]
      case .actions: [.action]
      case .credits, .uses, .holds: []
      }
    var found: [Placed] = []
    for kind in kinds { found += try await read(kind, below: place) }
    return Array(found.sorted { $0.place > $1.place }.prefix(limit + 1))
  }

  private func read(_ kind: Timeline.Kind, below place: Timeline.Place?) async throws -> [Placed] {
    switch kind {
    case .entry: []
    case .payment:
      try await rows(payments, kind, at: "p.paid_at", id: "p.payment_id", below: place) {
        (.payment(try Payment($0)), try $0.get("payment_id"))
      }
    case .refund:
      try await rows(
        "\(payments) and p.refunded_at is not null", kind, at: "p.refunded_at",
        id: "p.payment_id", below: place
      ) { (.refund(try Payment($0)), try $0.get("payment_id")) }
    case .decline:
      try await rows(declines, kind, at: "r.state_at", id: "r.refund_id", below: place) {
        (.decline(try Refund($0), pack: try $0.getIfPresent("title")), try $0.get("refund_id"))
      }
    case .message:
      try await rows(messages, kind, at: "m.created_at", id: "m.message_id", below: place) {
        (.message(try OutgoingMessage($0)), try $0.get("message_id"))
      }
    case .supportCase:
      try await rows(cases, kind, at: "s.opened_at", id: "s.support_case_id", below: place) {
        (.supportCase(try SupportCase($0)), try $0.get("support_case_id"))
      }
    case .action:
      try await rows(actions, kind, at: "a.at", id: "a.audit_entry_id", below: place) {
        (.operatorAction(try AuditEntry($0)), try $0.get("audit_entry_id"))
      }
    case .subscription:
      try await rows(steps, kind, at: "h.at", id: Self.stepID, below: place) { row in
        let step = Timeline.SubscriptionStep(
          subscriptionID: try row.get("subscription_id"), planTitle: try row.get("plan_title"),
          change: try Subscription.Change(row))
        return (.subscription(step), try row.get("step_id"))
      }
    }
  }

  /// The newest things of a kind below a place; within a second by their number.
  private func rows(
    _ selection: SQL, _ kind: Timeline.Kind, at: SQL, id: SQL, below place: Timeline.Place?,
    _ make: (Row) throws -> (Timeline.Event, Int64)
  ) async throws -> [Placed] {
    let second: SQL = "floor(extract(epoch from \(at)))::bigint"
    let older: SQL =
      place.map {
        """
        and \(at) < \(Date(timeIntervalSince1970: Double($0.second + 1)))
        and (\(second), \(id)) < (\($0.second), \($0.bound(of: kind)))
        """
      } ?? ""
    return try await pool.query(
      "\(selection) \(older) order by \(second) desc, \(id) desc limit \(limit + 1)", in: scope
    ).map { row in
      let (event, id) = try make(row)
      return (Timeline.Place(at: event.at, kind, id), event)
    }
  }
}

extension TimelinePage {
  private var payments: SQL {
    """
    select \(Payment.columns) from payments p
    where p.workspace_id = \(scope.workspaceID) and p.customer_id = \(customer)
    """
  }

  private var declines: SQL {
    """
    select r.*, p.title from refunds r
    left join payments p on p.workspace_id = r.workspace_id and p.bot_id = r.bot_id
      and p.charge_id = r.charge_id
    where r.workspace_id = \(scope.workspaceID) and r.customer_id = \(customer)
      and r.state = 'declined'
    """
  }

  private var messages: SQL {
    """
    select m.* from outgoing_messages m
    where m.workspace_id = \(scope.workspaceID) and m.customer_id = \(customer)
    """
  }

  private var cases: SQL {
    """
    select \(SupportCase.columns) from support_cases s
    where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(customer)
    """
  }

  /// A subscription's steps are few, so that number and step make one number.
  private static let stepID: SQL = "h.subscription_id * 100000 + h.step"

  private var steps: SQL {
    """
    select h.*, \(Self.stepID) as step_id, coalesce(p.title, h.to_plan, s.plan) as plan_title
    from subscriptions s
    join subscription_changes h using (workspace_id, subscription_id)
    left join plans p on p.workspace_id = s.workspace_id and p.plan = coalesce(h.to_plan, s.plan)
    where s.workspace_id = \(scope.workspaceID) and s.customer_id = \(customer)
    """
  }

  /// What people of the team did about the customer. Where everything is shown, what stands there
  /// already as an entry or a message is left out.
  private var actions: SQL {
    let own: SQL =
      filter == .actions
      ? ""
      : """
      and a.action not in ('refund.declined', 'payment.receipt_resent', 'customer.answered',
        'support.opened', 'support.replied')
      and a.action not like 'credit_grant.%'
      """
    let (workspace, id) = (scope.workspaceID, customer)
    return """
      select a.* from audit_entries a
      where a.workspace_id = \(workspace) and a.actor_kind = 'operator' \(own)
        and (a.subject_kind, a.subject) in (
          select 'customer', \(id)::text
          union all
          (select 'payment', payment_id::text from payments
            where workspace_id = \(workspace) and customer_id = \(id)
            order by paid_at desc limit 500)
          union all
          (select 'checkout', checkout_id::text from checkouts
            where workspace_id = \(workspace) and customer_id = \(id)
            order by checkout_id desc limit 500)
          union all
          select 'refund', refund_id::text from refunds
            where workspace_id = \(workspace) and customer_id = \(id)
          union all
          select 'subscription', subscription_id::text from subscriptions
            where workspace_id = \(workspace) and customer_id = \(id)
          union all
          select 'support_case', support_case_id::text from support_cases
            where workspace_id = \(workspace) and customer_id = \(id)
          union all
          (select 'hold', hold_id::text from usage_holds
            where workspace_id = \(workspace) and customer_id = \(id)
            order by hold_id desc limit 500))
      """
  }
}
