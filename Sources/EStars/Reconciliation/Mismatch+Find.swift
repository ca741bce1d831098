import Foundation
import Ledger
import Postgres

extension Transaction {
  /// Compares the next movements that are not matched yet, oldest first, and opens a mismatch for
  /// each that our books do not agree with.
  ///
  /// - Returns: The last of them, nil when there was none; and the mismatches that are open.
  func compare(
    _ run: Reconciliation, after position: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> (lastPosition: Int64?, open: [Mismatch]) {
    try await lock(run, in: scope)
    let rows = try await unmatched(run, after: position, in: scope, at: at)
    var matched: [(id: String, direction: String)] = []
    var open: [Mismatch] = []
    for row in rows {
      let facts = try Verdict.Facts(row)
      let id: String = try row.get("transaction_id")
      switch Verdict.of(facts) {
      case .agrees: matched.append((id, facts.direction.rawValue))
      case .differs(let kind):
        open.append(
          try await openMismatch(
            kind, id, facts.direction, botID: run.botID, stars: facts.stars,
            ourStars: facts.direction == .incoming ? facts.paidStars : facts.refundedStars,
            customerID: row.getIfPresent("customer_id"), run, in: scope, at: at))
      }
    }
    if !matched.isEmpty { try await close(matched, botID: run.botID, in: scope, at: at) }
    return (try rows.last?.get("position"), open)
  }

  /// Everything that is written about a bot's books is locked in one order, so that none waits in a
  /// circle: the comparison, then mismatches, then Telegram's movements.
  func lock(_ run: Reconciliation, in scope: WorkspaceScope) async throws {
    try await execute(
      """
      select from reconciliations
      where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
      for no key update
      """)
  }

  private func unmatched(
    _ run: Reconciliation, after position: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> [Row] {
    let ripe = at.addingTimeInterval(-Limits.reconciliationGraceSeconds)
    return try await query(
      """
      select t.transaction_id, t.direction, t.position, t.stars, t.nanostars, t.partner,
        t.transaction_type, p.stars as paid_stars, p.state = 'credited' as is_credited,
        p.credits + p.bonus_credits as bought_credits,
        (select sum(l.amount)::bigint from lots l where l.workspace_id = t.workspace_id
          and l.bot_id = t.bot_id and l.charge_id = t.transaction_id
          and l.carried_from is null) as ledger_credits,
        (select r.stars from refunds r where r.workspace_id = t.workspace_id
          and r.bot_id = t.bot_id and r.charge_id = t.transaction_id
          and r.state = 'confirmed') as refunded_stars,
        exists (select from clawbacks c where c.workspace_id = t.workspace_id
          and c.bot_id = t.bot_id and c.charge_id = t.transaction_id) as is_clawed_back,
        exists (select from star_transactions i where i.workspace_id = t.workspace_id
          and i.bot_id = t.bot_id and i.transaction_id = t.transaction_id
          and i.direction = 'incoming' and i.transaction_type = 'invoice_payment')
          as was_paid_in_books,
        coalesce(p.customer_id, (select c.customer_id from customers c
          where c.workspace_id = t.workspace_id and c.telegram_id = coalesce(t.telegram_id,
            (select i.telegram_id from star_transactions i where i.workspace_id = t.workspace_id
              and i.bot_id = t.bot_id and i.transaction_id = t.transaction_id
              and i.direction = 'incoming')))) as customer_id
      from star_transactions t
      left join payments p on p.workspace_id = t.workspace_id and p.bot_id = t.bot_id
        and p.charge_id = t.transaction_id
      where t.workspace_id = \(scope.workspaceID) and t.bot_id = \(run.botID)
        and not t.is_matched and t.position > \(position) and t.at <= \(ripe)
      order by t.position limit \(Limits.reconciliationBatch)
      """)
  }

  /// Opens a mismatch, or gives the one there is. One that was closed opens again: its movement is
  /// no longer what it was.
  private func openMismatch(
    _ kind: Mismatch.Kind, _ id: String, _ direction: Mismatch.Direction, botID: Int64,
    stars: Int64, ourStars: Int64?, customerID: Int64?, _ run: Reconciliation,
    in scope: WorkspaceScope, at: Date
  ) async throws -> Mismatch {
    let row = try await query(
      """
      insert into mismatches as m (workspace_id, bot_id, transaction_id, direction, kind, stars,
        our_stars, customer_id, found_at)
      values (\(scope.workspaceID), \(botID), \(id), \(direction.rawValue), \(kind.rawValue),
        \(stars), \(ourStars), \(customerID), \(at))
      on conflict (workspace_id, bot_id, transaction_id, direction, kind) do update set
        state = 'open', closed_at = null, closed_by = null, stars = excluded.stars,
        our_stars = excluded.our_stars,
        found_at = case when m.state = 'open' then m.found_at else excluded.found_at end
      returning *, xmax = 0 or found_at = \(at) as is_new
      """)[0]
    if try row.get("is_new") {
      try await execute(
        """
        update reconciliations set mismatch_count = mismatch_count + 1
        where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
        """)
    }
    return try Mismatch(row)
  }

  /// These agree, and what was open about them is put right: Telegram's own update came after all.
  private func close(
    _ matched: [(id: String, direction: String)], botID: Int64, in scope: WorkspaceScope, at: Date
  ) async throws {
    let (ids, directions) = (matched.map(\.id), matched.map(\.direction))
    try await execute(
      """
      update mismatches m set state = 'fixed', closed_at = \(at),
        closed_by = \(Mismatch.byTelegram)
      from unnest(\(ids)::text[], \(directions)::text[]) n (id, direction)
      where m.workspace_id = \(scope.workspaceID) and m.bot_id = \(botID)
        and m.transaction_id = n.id and m.direction = n.direction and m.state = 'open'
      """)
    try await execute(
      """
      update star_transactions t set is_matched = true
      from unnest(\(ids)::text[], \(directions)::text[]) n (id, direction)
      where t.workspace_id = \(scope.workspaceID) and t.bot_id = \(botID)
        and t.transaction_id = n.id and t.direction = n.direction
      """)
  }

  /// Opens mismatches for payments and refunds of ours that Telegram's books lack, and closes those
  /// that it has by now.
  func findAbsent(
    _ run: Reconciliation, since: Date, in scope: WorkspaceScope, at: Date
  ) async throws {
    // What came in while the books were read may stand behind their end.
    let until = (run.startedAt ?? run.askedAt).addingTimeInterval(-Limits.reconciliationLagSeconds)
    try await lock(run, in: scope)
    let found = try await query(
      """
      insert into mismatches (workspace_id, bot_id, transaction_id, direction, kind, stars,
        our_stars, customer_id, found_at)
      select o.* from (
        select p.workspace_id, p.bot_id, p.charge_id, 'incoming' as direction,
          \(Mismatch.Kind.notInTelegram.rawValue) as kind, 0::bigint as stars, p.stars as our_stars,
          p.customer_id, \(at)::timestamptz as found_at
        from payments p where p.workspace_id = \(scope.workspaceID) and p.bot_id = \(run.botID)
          and p.recorded_at > \(since) and p.recorded_at < \(until) and p.paid_at < \(until)
        union all
        select r.workspace_id, r.bot_id, r.charge_id, 'outgoing',
          \(Mismatch.Kind.notInTelegram.rawValue), 0::bigint, r.stars, r.customer_id,
          \(at)::timestamptz
        from refunds r where r.workspace_id = \(scope.workspaceID) and r.bot_id = \(run.botID)
          and r.state = 'confirmed' and r.state_at > \(since) and r.state_at < \(until)) o
      where not exists (select from star_transactions t where t.workspace_id = o.workspace_id
        and t.bot_id = o.bot_id and t.transaction_id = o.charge_id
        and t.direction = o.direction)
      on conflict do nothing
      returning mismatch_id
      """)
    try await execute(
      """
      update reconciliations set mismatch_count = mismatch_count + \(Int64(found.count))
      where workspace_id = \(scope.workspaceID) and reconciliation_id = \(run.id)
      """)
    try await execute(
      """
      update mismatches m set state = 'fixed', closed_at = \(at),
        closed_by = \(Mismatch.byTelegram)
      where m.workspace_id = \(scope.workspaceID) and m.bot_id = \(run.botID)
        and m.kind = \(Mismatch.Kind.notInTelegram.rawValue) and m.state = 'open'
        and exists (select from star_transactions t where t.workspace_id = m.workspace_id
          and t.bot_id = m.bot_id and t.transaction_id = m.transaction_id
          and t.direction = m.direction)
      """)
  }
}
