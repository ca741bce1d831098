import Foundation
import Postgres

/// A piece of work that a worker claims. Recurring kinds have one row per workspace, moved forward
/// after each run; the row's own key makes it exist once, however many workers there are.
public struct Job: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case inboxRetry = "inbox.retry"
    case inboxPurge = "inbox.purge"
    case lotsExpire = "lots.expire"
    case holdsExpire = "holds.expire"
    case ledgerVerify = "ledger.verify"
    /// Of the platform, not of one workspace.
    case sessionsPurge = "sessions.purge"

    var intervalSeconds: Double {
      switch self {
      case .inboxRetry: 5
      case .holdsExpire: 10
      case .lotsExpire: 30
      case .ledgerVerify, .inboxPurge, .sessionsPurge: 3600
      }
    }

    var isOfPlatform: Bool { self == .sessionsPurge }
  }

  public let id: Int64
  public let kind: Kind
  public let workspaceID: Int64?
  public let attempts: Int

  /// Makes the recurring jobs of every workspace that lacks them.
  static func schedule(at: Date, _ pool: Pool) async throws {
    let platform = Kind.allCases.filter(\.isOfPlatform).map(\.rawValue)
    let tenant = Kind.allCases.filter { !$0.isOfPlatform }.map(\.rawValue)
    try await pool.execute(
      """
      insert into jobs (workspace_id, kind, run_at)
      select n.workspace_id, n.kind, \(at)::timestamptz from (
        select w.workspace_id, k.kind from workspaces w
        cross join unnest(\(tenant)::text[]) k (kind)
        union all select null, k.kind from unnest(\(platform)::text[]) k (kind)) n
      where not exists (select from jobs j
        where j.workspace_id is not distinct from n.workspace_id and j.kind = n.kind)
      on conflict do nothing
      """)
  }

  /// Takes the job that has been due longest, for ``Limits/jobLeaseSeconds``. A worker that dies
  /// gives it back by dying.
  static func claim(_ kinds: [Kind], at: Date, _ pool: Pool) async throws -> Job? {
    try await pool.query(
      """
      update jobs set leased_until = \(at.addingTimeInterval(Double(Limits.jobLeaseSeconds))),
        attempts = attempts + 1
      where job_id = (
        select job_id from jobs where finished_at is null and run_at <= \(at)
          and (leased_until is null or leased_until < \(at))
          and kind = any(\(kinds.map(\.rawValue)))
        order by run_at limit 1 for update skip locked)
      returning job_id, kind, workspace_id, attempts
      """
    ).first.flatMap { row in
      guard let kind = Kind(rawValue: try row.get("kind")) else { return nil }
      return Job(
        id: try row.get("job_id"), kind: kind, workspaceID: try row.getIfPresent("workspace_id"),
        attempts: try row.get("attempts"))
    }
  }

  func succeeded(at: Date, _ pool: Pool) async throws {
    try await pool.execute(
      """
      update jobs set leased_until = null, attempts = 0, last_error = null,
        run_at = \(at.addingTimeInterval(kind.intervalSeconds)) where job_id = \(id)
      """)
  }

  /// Tries again later: after 5 seconds, then twice as long each time, an hour at most.
  func failed(_ error: String, at: Date, _ pool: Pool) async throws {
    let wait = min(3600, 5 * pow(2, Double(min(attempts, 12) - 1)))
    try await pool.execute(
      """
      update jobs set leased_until = null, last_error = \(String(error.prefix(500))),
        run_at = \(at.addingTimeInterval(wait)) where job_id = \(id)
      """)
  }
}
