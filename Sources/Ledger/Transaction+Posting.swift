import Foundation
import Postgres

/// Postings are methods of a transaction, so that money moves together with what it moves for.
///
/// Each answers instead of throwing when the ledger declines. They throw `PostgresError` when the
/// transaction is not the scope's (`.insufficientPrivilege`), when a live side is told another
/// time than now, and as `query` does; a key that another account uses at the same moment is a
/// `.uniqueViolation`, after which the same call in a new transaction gets its answer.
extension Transaction {
  /// Gives credits: debt is repaid first, the rest opens a lot.
  public func credit(
    _ grant: Grant, to account: Account, key: String, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_credit(\(scope.workspaceID), \(account.id), \(account.unit),
        \(grant.amount), \(key), \(grant.source.rawValue), \(grant.charge?.botID),
        \(grant.charge?.chargeID), \(grant.isPaid), \(grant.expiresAt ?? .distantFuture),
        \(grant.stars), \(grant.reason), \(grant.ref), \(time))
      """)
  }

  /// Takes credits in burn order: soonest expiry, unpaid before paid, oldest.
  public func debit(
    _ debit: Debit, from account: Account, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_debit(\(scope.workspaceID), \(account.id), \(account.unit),
        \(debit.amount), \(debit.key), \(debit.fingerprint), \(debit.action), \(debit.units),
        \(debit.ref), \(time), \(debit.botID))
      """)
  }

  /// Takes credits aside until a commit or release. `until` is when a job releases it.
  public func hold(
    _ debit: Debit, from account: Account, until: Date, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_hold(\(scope.workspaceID), \(account.id), \(account.unit),
        \(debit.amount), \(debit.key), \(debit.fingerprint), \(debit.action), \(debit.units),
        \(debit.ref), \(until), \(time), \(debit.botID))
      """)
  }

  /// Holds what is left of a charge while its refund is under way. Closed by `clawback` or
  /// `release`; `.none` when nothing is left.
  public func hold(
    _ charge: Charge, key: String, reason: String? = nil, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_hold_charge(\(scope.workspaceID), \(charge.botID),
        \(charge.chargeID), \(key), \(reason), \(time))
      """)
  }

  /// Books what was used of a hold; the rest returns to its lots.
  public func commit(
    _ commit: Commit, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_commit(\(scope.workspaceID), \(commit.holdKey), \(commit.used),
        \(commit.key), \(commit.fingerprint), \(commit.units), \(time))
      """)
  }

  /// Returns a hold to its lots; what has expired or was refunded meanwhile leaves at once.
  public func release(
    hold holdKey: String, key: String, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_release(\(scope.workspaceID), \(holdKey), \(key), \(time))
      """)
  }

  /// Takes back what a refunded charge granted, once.
  public func clawback(
    _ charge: Charge, key: String, policy: DebtPolicy, reason: String? = nil,
    in scope: WorkspaceScope, at time: Date
  ) async throws -> ClawbackAnswer {
    let rows = try await query(
      """
      select * from ledger_clawback(\(scope.workspaceID), \(charge.botID), \(charge.chargeID),
        \(key), \(policy.rawValue), \(reason), \(time))
      """)
    return try ClawbackAnswer(rows[0])
  }

  /// Expires what is due. Every posting does so by itself; this is for accounts that rest.
  public func expire(
    _ account: Account, in scope: WorkspaceScope, at time: Date
  ) async throws -> PostingAnswer {
    try await answer(
      """
      select * from ledger_expire(\(scope.workspaceID), \(account.id), \(account.unit), \(time))
      """)
  }

  /// The end of a cycle: of what is left of some charges' credits, as much as the cap goes on into
  /// lots that live until `until`, the newest charge first, and the rest expires before its time.
  ///
  /// - Parameter cap: Credits, together with what these charges have carried to that day before;
  ///   nil = all of it.
  public func carry(
    _ charges: [Charge], of account: Account, cap: Int64?, until: Date, key: String,
    in scope: WorkspaceScope, at time: Date
  ) async throws -> CarryAnswer {
    let rows = try await query(
      """
      select * from ledger_carry(\(scope.workspaceID), \(account.id), \(account.unit),
        \(charges.map(\.botID)), \(charges.map(\.chargeID)), \(cap), \(until), \(key), \(time))
      """)
    return try CarryAnswer(rows[0])
  }

  private func answer(_ sql: SQL) async throws -> PostingAnswer {
    try PostingAnswer(try await query(sql)[0])
  }
}
