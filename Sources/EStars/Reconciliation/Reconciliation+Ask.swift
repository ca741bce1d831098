import Foundation
import Ledger
import Postgres

extension Reconciliation {
  /// Asks for a comparison now. One that is under way is given back instead.
  public static func ask(
    _ bot: Bot, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Reconciliation {
    try await pool.transaction(in: scope) { tx in
      try await tx.askReconciliation(bot, by: actor, in: scope, at: scope.now)
    }
  }

  /// Asks for the comparison of every bot whose last one is a day ago. One that failed is tried
  /// again after an hour.
  static func askDaily(in scope: WorkspaceScope, _ pool: Pool) async throws {
    let latest = try await latest(in: scope, pool)
    for bot in try await Bot.all(in: scope, pool) where bot.isConnected {
      if let last = latest[bot.id] {
        let pause =
          last.state == .failed
          ? Limits.reconciliationRetrySeconds : Limits.reconciliationSeconds
        let isDue = scope.now.timeIntervalSince(last.askedAt) >= pause
        if last.state.isUnderWay || !isDue { continue }
      }
      _ = try await ask(
        bot, by: Actor(.job, Job.Kind.reconciliationDaily.rawValue), in: scope, pool)
    }
  }

  /// Whether a mismatch that has one safe answer gets it without a click.
  public static func mendsItself(in scope: WorkspaceScope, _ pool: Pool) async throws -> Bool {
    try await pool.query(
      "select reconciles_by_itself from workspaces where workspace_id = \(scope.workspaceID)",
      in: scope
    ).first?.get("reconciles_by_itself") ?? false
  }

  public static func setMendsItself(
    _ mends: Bool, by actor: Actor, in scope: WorkspaceScope, _ pool: Pool
  ) async throws {
    try await pool.transaction(in: scope) { tx in
      let changed = try await tx.execute(
        """
        update workspaces set reconciles_by_itself = \(mends)
        where workspace_id = \(scope.workspaceID) and reconciles_by_itself <> \(mends)
        """)
      guard changed == 1 else { return }
      try await tx.audit(
        actor, "reconciliation.rule_set", "workspace", String(scope.workspaceID),
        before: ["reconciles_by_itself": String(!mends)],
        after: ["reconciles_by_itself": String(mends)], in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  fileprivate func askReconciliation(
    _ bot: Bot, by actor: Actor, in scope: WorkspaceScope, at: Date
  ) async throws -> Reconciliation {
    let id = scope.workspaceID
    // The end of what was read is read again: the state of a withdrawal may change.
    let rows = try await query(
      """
      insert into reconciliations (workspace_id, bot_id, asked_by, asked_at, from_position,
        next_position)
      select \(id), \(bot.id), \(actor.name), \(at), f.position, f.position from (
        select greatest(0, least(
          coalesce((select r.next_position from reconciliations r where r.workspace_id = \(id)
            and r.bot_id = \(bot.id) and r.state = 'done'
            order by r.reconciliation_id desc limit 1), 0) - \(Limits.starTransactionsPage),
          coalesce((select min(t.position) from star_transactions t where t.workspace_id = \(id)
            and t.bot_id = \(bot.id) and t.withdrawal_state = 'pending'
            and t.at > \(at.addingTimeInterval(-Limits.withdrawalSeconds))), 9223372036854775807)
        ))::bigint as position) f
      on conflict (workspace_id, bot_id) where state in ('due', 'running') do nothing
      returning *
      """)
    guard let row = rows.first else {
      return try await query(
        """
        select * from reconciliations where workspace_id = \(id) and bot_id = \(bot.id)
          and state in ('due', 'running')
        """
      ).map(Reconciliation.init)[0]
    }
    let asked = try Reconciliation(row)
    try await Job.enqueue(.reconciliationRun, subject: String(asked.id), in: scope, self)
    if actor.kind == .operator {
      try await audit(
        actor, "reconciliation.asked", "bot", String(bot.id), in: scope, at: at)
    }
    return asked
  }
}
