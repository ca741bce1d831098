import Foundation
import Ledger
import Logging
import Postgres
import Telegram

/// Looks for what operators want to be told of. Every question goes by an index and has a bound, so
/// that looking costs the same in a large workspace as in a small one.
struct AlertWatch: Sendable {
  let platform: Platform

  /// Raises what goes on or has just happened, and ends what was not seen any more.
  func look(in scope: WorkspaceScope) async throws {
    let at = scope.now
    try await platform.pool.transaction(in: scope) { tx in
      let rules = try await AlertRule.all(in: scope, tx).filter { $0.kind != .webhookFailing }
      let watched = rules.filter(\.isWatched)
      let found = try await tx.pipeline(watched.map { $0.question(in: scope, at: at) })
      var seen: [Alert] = []
      for (rule, rows) in zip(watched, found) {
        var alerts: [Alert] = []
        for row in rows {
          let alert = try await tx.sight(
            rule.kind, try row.get("subject"), try Alert.facts(row.get("facts")), in: scope, at: at)
          if let alert { alerts.append(alert) }
        }
        if rule.kind.isMoment {
          try await tx.tell(alerts, rule, in: scope, at: at)
        } else {
          for alert in alerts { try await tx.tell([alert], rule, in: scope, at: at) }
        }
        seen += alerts
      }
      try await tx.endUnseen(but: seen, of: rules, in: scope, at: at)
    }
  }
}

extension Transaction {
  /// Ends what goes on no more: at once, or after a while where it may come and go.
  fileprivate func endUnseen(
    but seen: [Alert], of rules: [AlertRule], in scope: WorkspaceScope, at: Date
  ) async throws {
    let atOnce = rules.filter { !$0.isWatched || !$0.kind.lingers }.map(\.kind.rawValue)
    let calm = at.addingTimeInterval(-Limits.alertCalmSeconds)
    try await execute(
      """
      update alerts set ended_at = greatest(last_seen_at, \(at))
      where workspace_id = \(scope.workspaceID) and ended_at is null
        and alert_kind = any(\(rules.map(\.kind.rawValue))::text[])
        and alert_id <> all(\(seen.map(\.id))::bigint[])
        and (last_seen_at <= \(calm) or alert_kind = any(\(atOnce)::text[]))
      """)
  }
}

extension AlertRule {
  /// Rows of `subject` and `facts`, one for each thing that goes on or has just happened.
  fileprivate func question(in scope: WorkspaceScope, at: Date) -> SQL {
    let ask = AlertQuestions(
      workspace: scope.workspaceID, limit: limit ?? 0, at: at,
      hourAgo: at.addingTimeInterval(-3_600),
      minutesAgo: at.addingTimeInterval(-Limits.alertMinutesSeconds))
    switch kind {
    case .paymentsFailing: return ask.paymentsFailing
    case .largePaymentFailed: return ask.largePaymentFailed
    case .repeatedAttempts: return ask.repeatedAttempts
    case .webhookSlow: return ask.webhookSlow
    // Telegram is asked for it.
    case .webhookFailing: return "select '' as subject, '' as facts where false"
    case .newSubscription: return ask.newSubscription
    case .manyPurchases: return ask.manyPurchases
    case .manyUses: return ask.manyUses
    case .manyRefunds: return ask.manyRefunds
    case .mismatch: return ask.mismatch
    case .ledgerUnverified: return ask.ledgerUnverified
    case .liabilityHigh: return ask.liabilityHigh
    }
  }
}

/// What is asked of the tables for each kind.
private struct AlertQuestions {
  let workspace: Int64
  let limit: Int64
  let at: Date
  let hourAgo: Date
  let minutesAgo: Date

  /// A checkout that was refused or could not be booked within the hour, and was not paid in it, is a
  /// payment that failed.
  var paymentsFailing: SQL {
    """
    select '' as subject, json_build_object('attempts', attempts::text, 'failed', failed::text,
      'percent', (failed * 100 / attempts)::text, 'limit', \(limit)::bigint::text, 'reason', (
        select reason from checkout_transitions where workspace_id = \(workspace)
          and at > \(hourAgo) and to_state in ('rejected', 'failed')
        group by reason order by count(*) desc, reason limit 1)) as facts
    from (
      select count(*) as attempts, count(*) filter (where not is_paid) as failed from (
        select bool_or(to_state = 'completed') as is_paid from checkout_transitions
        where workspace_id = \(workspace) and at > \(hourAgo)
          and to_state in ('rejected', 'failed', 'completed')
        group by checkout_id) c) s
    where (attempts >= \(Limits.alertPayments)::int or failed >= \(Limits.alertFailedPayments)::int)
      and failed * 100 > \(limit)::bigint * attempts
    """
  }

  var largePaymentFailed: SQL {
    """
    select 'checkout:' || k.checkout_id as subject, json_build_object('checkout',
      k.checkout_id::text, 'customer', k.customer_id::text, 'stars', k.stars::text,
      'title', k.title, 'reason', max(t.reason), 'limit', \(limit)::bigint::text) as facts
    from checkout_transitions t
    join checkouts k on k.workspace_id = t.workspace_id and k.checkout_id = t.checkout_id
    where t.workspace_id = \(workspace) and t.at > \(hourAgo)
      and t.to_state in ('rejected', 'failed') and k.stars >= \(limit)
      and k.state not in ('processing', 'completed')
      and \(isNew(.largePaymentFailed, "'checkout:' || k.checkout_id"))
    group by k.checkout_id, k.customer_id, k.stars, k.title
    order by k.checkout_id limit \(Limits.alertsAtOnce)
    """
  }

  var repeatedAttempts: SQL {
    """
    select '' as subject, json_build_object('updates', updates::text, 'payments', payments::text,
      'taps', taps::text, 'total', (updates + payments + taps)::text,
      'limit', \(limit)::bigint::text) as facts
    from (select
      (select coalesce(sum(repeats), 0) from updates where workspace_id = \(workspace)
        and repeats > 0 and repeated_at > \(hourAgo)) as updates,
      (select count(*) from payments where workspace_id = \(workspace)
        and paid_at > \(hourAgo) and review = 'second_payment') as payments,
      (select count(*) from pre_checkout_queries where workspace_id = \(workspace)
        and at > \(hourAgo) and refusal in ('already_paid', 'under_way')) as taps) n
    where updates + payments + taps > \(limit)::bigint
    """
  }

  var webhookSlow: SQL {
    """
    select 'bot:' || u.bot_id as subject, json_build_object('bot', b.username,
      'late', u.late::text, 'seconds', u.slowest::text, 'limit', \(limit)::bigint::text) as facts
    from (
      select bot_id, count(*) filter (where delay_seconds > \(limit)) as late,
        count(delay_seconds) as known, max(delay_seconds) as slowest
      from (
        select bot_id, delay_seconds from updates where workspace_id = \(workspace)
          and received_at > \(minutesAgo)
        order by received_at desc limit \(Limits.alertUpdates)) newest
      group by bot_id) u
    join bots b on b.workspace_id = \(workspace) and b.bot_id = u.bot_id
    where u.late >= \(Limits.alertLateUpdates)::int or (u.late > 0 and u.late = u.known)
    """
  }

  var newSubscription: SQL {
    """
    select 'subscription:' || s.subscription_id as subject, json_build_object('subscription',
      s.subscription_id::text, 'customer', s.customer_id::text, 'plan', p.title,
      'stars', s.stars::text) as facts
    from subscription_changes c
    join subscriptions s on s.workspace_id = c.workspace_id
      and s.subscription_id = c.subscription_id
    join plans p on p.workspace_id = s.workspace_id and p.plan = s.plan
    where c.workspace_id = \(workspace) and c.at > \(hourAgo) and c.kind = 'subscribe'
      and \(isNew(.newSubscription, "'subscription:' || s.subscription_id"))
    order by c.at, s.subscription_id limit \(Limits.alertsAtOnce)
    """
  }

  /// Renewals are Telegram's doing.
  var manyPurchases: SQL {
    """
    select 'customer:' || customer_id as subject, json_build_object('customer', customer_id::text,
      'count', count(*)::text, 'stars', sum(stars)::text, 'limit', \(limit)::bigint::text) as facts
    from payments where workspace_id = \(workspace) and paid_at > \(minutesAgo)
      and (not is_recurring or is_first_recurring)
    group by customer_id having count(*) > \(limit)
    order by count(*) desc limit \(Limits.alertsAtOnce)
    """
  }

  /// By the newest entries: there is no index by time, and none is needed for them.
  var manyUses: SQL {
    """
    select 'customer:' || account_id as subject, json_build_object('customer', account_id::text,
      'count', count(*)::text, 'credits', sum(-amount)::text,
      'limit', \(limit)::bigint::text) as facts
    from (
      select account_id, amount, kind, unit, created_at from entries
      where workspace_id = \(workspace) order by xid desc limit \(Limits.alertEntries)) newest
    where kind = 'debit' and unit = 1 and created_at > \(minutesAgo)
      and (select created_at from entries where workspace_id = \(workspace)
        order by xid desc limit 1) > \(minutesAgo)
    group by account_id having sum(-amount) > \(limit)
    order by sum(-amount) desc limit \(Limits.alertsAtOnce)
    """
  }

  /// Of customers whose newest refund is of today.
  var manyRefunds: SQL {
    """
    select 'customer:' || customer_id as subject, json_build_object('customer', customer_id::text,
      'count', count(*)::text, 'stars', sum(stars)::text, 'limit', \(limit)::bigint::text) as facts
    from refunds where workspace_id = \(workspace)
      and refunded_at > \(at.addingTimeInterval(-30 * 86_400)) and customer_id is not null
    group by customer_id
    having count(*) > \(limit) and max(refunded_at) > \(at.addingTimeInterval(-86_400))
    order by count(*) desc limit \(Limits.alertsAtOnce)
    """
  }

  var mismatch: SQL {
    """
    select 'bot:' || m.bot_id as subject, json_build_object('bot', b.username,
      'count', m.open::text) as facts
    from (select bot_id, count(*) as open from mismatches
      where workspace_id = \(workspace) and state = 'open' group by bot_id) m
    join bots b on b.workspace_id = \(workspace) and b.bot_id = m.bot_id
    """
  }

  var ledgerUnverified: SQL {
    """
    select '' as subject, json_build_object('problems', problem_count::text) as facts
    from (select problem_count from ledger_verifications where workspace_id = \(workspace)
      order by verified_at desc limit 1) v
    where problem_count > 0
    """
  }

  /// By the figures, whose days add up to what customers hold.
  var liabilityHigh: SQL {
    """
    select '' as subject, json_build_object('credits', credits::text,
      'limit', \(limit)::bigint::text) as facts
    from (select coalesce(sum(credits), 0)::bigint as credits from credit_days
      where workspace_id = \(workspace) and unit = 1) d
    where credits > \(limit)
    """
  }

  /// Not told of yet: the round's places are for what is new.
  private func isNew(_ kind: Alert.Kind, _ subject: SQL) -> SQL {
    """
    not exists (select from alerts a where a.workspace_id = \(workspace)
      and a.alert_kind = \(kind.rawValue) and a.subject = \(subject) and a.is_moment)
    """
  }
}
