import Foundation
import Ledger
import Postgres

/// One number for everything that a workspace's tables hold, to compare two loads of a history.
///
/// Every table under row-level security counts, those of later releases too, with these exceptions:
/// - `entries.xid`: the number of a transaction is the database's own affair.
/// - `accounts.due_at`: a lower bound, which a job may raise.
/// - the signatures of invoice payloads: their key is made at random for each deployment.
/// - `support_cases.assigned_to`: the number of an operator, who belongs to no history.
/// - `plans.created_at`: the demo's plans are made when it is opened, not in its history.
/// - whether an unpaid checkout is still open, what was noticed of it, what jobs offered and said
///   because of it or because a subscription ends; alerts.
/// - `ledger_verifications`, and what comparing with Telegram's books writes: jobs do, at the time of
///   the clock on the wall.
public struct DemoChecksum: Sendable, Equatable {
  /// Ledger entries.
  public let entries: Int64
  /// 32 hex digits.
  public let digest: String
  /// A digest for each table, to see where two differ.
  public let tables: [String: String]
}

extension DemoWorkspace {
  public static func checksum(of workspace: Workspace, _ pool: Pool) async throws -> DemoChecksum {
    let scope = workspace.scope
    return try await pool.transaction(in: scope) { tx in
      try await tx.execute("set local time zone 'UTC'")
      let names = try await tx.query(
        """
        select relname::text as name from pg_class
        where relrowsecurity and relkind = 'r' and relnamespace = 'public'::regnamespace
          and relname not in (
            'ledger_verifications', 'star_transactions', 'reconciliations', 'mismatches',
            'abandoned_carts', 'outgoing_messages', 'alerts')
          -- Figures are counted from the rest, when their job comes.
          and (relname = 'trial_days'
            or relname !~ '(_days|^hours|^customer_tops|^rollup_marks)$')
        order by relname
        """
      ).map { try $0.get("name", as: String.self) }
      let rows = try await tx.pipeline(names.map { digest(of: $0, in: scope) })
      var tables: [String: String] = [:]
      for (name, row) in zip(names, rows) { tables[name] = try row[0].get("digest") }
      let all = names.map { "\($0)=\(tables[$0] ?? "")" }.joined(separator: "\n")
      return DemoChecksum(
        entries: try await tx.query(
          "select count(*) from entries where workspace_id = \(scope.workspaceID)"
        )[0].get("count"),
        digest: Bytes.hex(Bytes.sha256(all).prefix(16)), tables: tables)
    }
  }

  /// Rows by what is in them: their order and place do not count.
  private static func digest(of table: String, in scope: WorkspaceScope) -> SQL {
    // Signatures are the last 16 bytes, 22 characters of base64url that may share one more.
    let row: SQL =
      switch table {
      case "accounts": "to_jsonb(t) - 'due_at'"
      case "plans": "to_jsonb(t) - 'created_at'"
      case "support_cases": "to_jsonb(t) - 'assigned_to'"
      case "checkouts":
        """
        to_jsonb(t) - array['state_at', 'state_reason', 'closed_at', 'steps', 'is_abandoned']
          || jsonb_build_object('payload', left(t.payload, -23),
            'state', case when t.state in ('expired', 'cancelled') then 'pending' else t.state end)
        """
      case "payments":
        """
        to_jsonb(t) || jsonb_build_object('invoice_payload', case
          when t.invoice_payload like 'es1.%' then left(t.invoice_payload, -23)
          else t.invoice_payload end)
        """
      default: "to_jsonb(t)"
      }
    let kept: SQL =
      switch table {
      case "checkouts": "and \(isAskedFor)"
      case "checkout_transitions":
        "and to_state not in ('expired', 'cancelled') and \(isOfOneAskedFor)"
      case "checkout_entitlements": "and \(isOfOneAskedFor)"
      case "api_requests":
        "and not starts_with(idempotency_key, \(Job.keyPrefix))"
      case "audit_entries": "and not (action = 'checkout.opened' and actor_kind = 'job')"
      case "events": "and kind <> 'subscription.ending'"
      default: ""
      }
    return """
      select md5(coalesce(string_agg(row.digest, '' order by row.digest), '')) as digest
      from (
        select md5(((\(row)) - array['xid', 'traffic_source_xid'])::text) as digest
        from \(unsafe: table) t
        where workspace_id = \(scope.workspaceID) \(kept)) row
      """
  }

  /// By a bot or a person, not by a job.
  private static let isAskedFor: SQL = "(opened_by = '' or position('@' in opened_by) > 0)"

  private static let isOfOneAskedFor: SQL = """
    exists (select from checkouts c where c.workspace_id = t.workspace_id
      and c.checkout_id = t.checkout_id and \(isAskedFor))
    """
}
