import Foundation
import Ledger
import Postgres

/// A piece of work that a worker claims. Recurring kinds have one row per workspace, moved forward
/// after each run; others have a row per subject, gone when it is done. The row's own key makes it
/// exist once, however many workers there are.
public struct Job: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case inboxRetry = "inbox.retry"
    case inboxPurge = "inbox.purge"
    case lotsExpire = "lots.expire"
    case holdsExpire = "holds.expire"
    /// Closes checkouts whose time is over.
    case checkoutsExpire = "checkouts.expire"
    case ledgerVerify = "ledger.verify"
    /// Of the platform, not of one workspace.
    case sessionsPurge = "sessions.purge"
    /// Opens the refund case that a buyer asks for through the bot. Its subject is the support case.
    case refundRequest = "refund.request"
    /// Carries a decided refund to Telegram and tells the buyer. Its subject is the refund.
    case refundSettle = "refund.settle"
    /// Sends the waiting events of one customer of a bot. Its subject is both.
    case eventsSend = "events.send"
    /// Hands the waiting updates of one chat of a bot to the bot's own handler. Its subject is both.
    case updatesRelay = "updates.relay"
    /// Sends one message of a bot. Its subject is both.
    case messagesSend = "messages.send"
    /// Asks for the comparison of every bot that was not compared for a day.
    case reconciliationDaily = "reconciliation.daily"
    /// Compares a bot's Stars with Telegram's books. Its subject is the reconciliation.
    case reconciliationRun = "reconciliation.run"
    /// Asks Telegram to stop a subscription's renewal, or to allow it again. Its subject is the
    /// subscription.
    case subscriptionEdit = "subscription.edit"
    /// Tells a buyer that a subscription ends. Its subject is the subscription, which reminder it is,
    /// and the end.
    case subscriptionRemind = "subscription.remind"
    /// Ends periods and grace, and begins the cycles of custom plans.
    case subscriptionsAge = "subscriptions.age"
    case freePlanGive = "free_plan.give"
    /// Finds checkouts that stay unpaid, reminds their buyers and tells the operators.
    case cartsNotice = "carts.notice"
    /// Counts what is new for the figures.
    case figuresFollow = "figures.follow"
    /// Counts anew who stands on top.
    case figuresTops = "figures.tops"
    /// Looks for what operators want to be told of.
    case alertsWatch = "alerts.watch"
    /// Asks Telegram how each bot's webhook does.
    case webhooksWatch = "webhooks.watch"
    /// Does all drills of a pilot. Its subject is the run.
    case drillsRun = "drills.run"
    /// Tells a side's log what was done to the business as a whole. Its subject is the line of the
    /// other side's log.
    case auditMirror = "audit.mirror"

    /// nil: runs when it was asked for, until it is done.
    var intervalSeconds: Double? {
      switch self {
      case .figuresFollow: 3
      case .inboxRetry: 5
      case .holdsExpire: 10
      case .lotsExpire, .checkoutsExpire, .subscriptionsAge: 30
      case .reconciliationDaily: 60
      case .freePlanGive: 600
      case .cartsNotice, .alertsWatch: 60
      case .figuresTops: 300
      case .webhooksWatch: 120
      case .ledgerVerify, .inboxPurge, .sessionsPurge: 3600
      case .refundSettle, .eventsSend, .updatesRelay, .messagesSend, .reconciliationRun: nil
      case .refundRequest, .drillsRun, .auditMirror: nil
      case .subscriptionEdit, .subscriptionRemind: nil
      }
    }

    var isOfPlatform: Bool { self == .sessionsPurge }

    /// How long a worker has a job for itself. One that died is waited for no longer than this.
    var leaseSeconds: Int {
      switch self {
      case .ledgerVerify, .figuresTops: Limits.verificationSeconds
      case .refundSettle: Limits.refundLeaseSeconds
      case .eventsSend: Limits.eventLeaseSeconds
      case .reconciliationRun: Limits.reconciliationLeaseSeconds
      case .drillsRun: Limits.drillLeaseSeconds
      default: Limits.jobLeaseSeconds
      }
    }
  }

  /// What is to become of a job after a run.
  enum Outcome: Sendable, Equatable {
    case done
    /// A step is done, and the next one is tried at once.
    case next
    /// It waits for something outside; `seconds` until it looks again.
    case again(seconds: Double)

    /// Two seconds after the first attempt, then twice as long each time.
    static func again(after attempts: Int, longest: Double) -> Outcome {
      .again(seconds: min(longest, pow(2, Double(min(attempts, 16)))))
    }
  }

  /// The key of a write that a job makes once for its subject. It has spaces, which no key has that
  /// comes with a request or a form: nobody outside can take it first.
  static func key(_ kind: Kind, _ subject: String) -> String {
    "\(keyPrefix)\(kind.rawValue) \(subject)"
  }

  static let keyPrefix = "job "

  public let id: Int64
  public let kind: Kind
  public let workspaceID: Int64?
  public let subject: String
  public let attempts: Int
  /// Until when the claim holds, as Postgres wrote it. A run that lost its lease changes nothing.
  let lease: String

  /// Makes the recurring jobs of every workspace that lacks them.
  static func schedule(at: Date, _ pool: Pool) async throws {
    let recurring = Kind.allCases.filter { $0.intervalSeconds != nil }
    let platform = recurring.filter(\.isOfPlatform).map(\.rawValue)
    let tenant = recurring.filter { !$0.isOfPlatform }.map(\.rawValue)
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

  /// Asks for a job in the transaction of what makes it necessary. One that waits already starts
  /// anew at once; one that runs just now is run again afterwards.
  static func enqueue(
    _ kind: Kind, subject: String, in scope: WorkspaceScope, _ tx: Transaction
  ) async throws {
    try await enqueue(kind, subject: subject, forWorkspace: scope.workspaceID, tx)
  }

  /// The same for a workspace that the transaction is not in.
  static func enqueue(
    _ kind: Kind, subject: String, forWorkspace id: Int64, _ tx: Transaction
  ) async throws {
    try await tx.execute(
      """
      insert into jobs (workspace_id, kind, subject, run_at)
      values (\(id), \(kind.rawValue), \(subject), now())
      on conflict (workspace_id, kind, subject) do update set run_at = now(), attempts = 0
      """)
  }

  /// Makes all queues of a bot due at once.
  static func hurry(
    _ kind: Kind, botID: Int64, in scope: WorkspaceScope, _ tx: Transaction
  ) async throws {
    try await tx.execute(
      """
      update jobs set run_at = now(), attempts = 0
      where workspace_id = \(scope.workspaceID) and kind = \(kind.rawValue)
        and finished_at is null and split_part(subject, ':', 1) = \(String(botID))
      """)
  }

  /// Takes the job that has been due longest, for its kind's lease.
  ///
  /// - Parameter subject: Only that one.
  static func claim(
    _ kinds: [Kind], subject: String? = nil, at: Date, _ pool: Pool
  ) async throws -> Job? {
    let leases = kinds.map { at.addingTimeInterval(Double($0.leaseSeconds)) }
    let chosen: SQL = subject.map { "and subject = \($0)" } ?? ""
    return try await pool.query(
      """
      update jobs j set leased_until = l.until, attempts = attempts + 1
      from unnest(\(kinds.map(\.rawValue))::text[], \(leases)::timestamptz[]) l (kind, until)
      where j.kind = l.kind and job_id = (
        select job_id from jobs where finished_at is null and run_at <= \(at)
          and (leased_until is null or leased_until < \(at))
          and kind = any(\(kinds.map(\.rawValue))) \(chosen)
        order by run_at limit 1 for update skip locked)
      returning job_id, j.kind, workspace_id, subject, attempts, leased_until::text as lease
      """
    ).first.flatMap { row in
      guard let kind = Kind(rawValue: try row.get("kind")) else { return nil }
      return Job(
        id: try row.get("job_id"), kind: kind, workspaceID: try row.getIfPresent("workspace_id"),
        subject: try row.get("subject"), attempts: try row.get("attempts"),
        lease: try row.get("lease"))
    }
  }

  func succeeded(_ outcome: Outcome, at: Date, _ pool: Pool) async throws {
    switch (outcome, kind.intervalSeconds) {
    case (.done, let interval?):
      try await release("attempts = 0, run_at = \(at.addingTimeInterval(interval))", pool)
    case (.next, _):
      try await release("attempts = 0, run_at = \(at)", pool)
    case (.again(let seconds), _):
      try await release("run_at = \(later(seconds, at))", pool)
    case (.done, nil):
      // Asked for again while it ran: then it stays.
      try await pool.execute("delete from jobs where \(isMine) and attempts = \(attempts)")
      try await release("run_at = run_at", pool)
    }
  }

  /// Tries again after ``backoffSeconds``.
  func failed(_ error: String, at: Date, _ pool: Pool) async throws {
    try await release(
      "last_error = \(String(error.prefix(500))), run_at = \(later(backoffSeconds, at))", pool,
      keepsError: true)
  }

  private var isMine: SQL { "job_id = \(id) and leased_until::text = \(lease)" }

  /// A job that was asked for again while it ran is due at once, whatever this run found.
  private func later(_ seconds: Double, _ at: Date) -> SQL {
    "case when attempts = 0 then run_at else \(at.addingTimeInterval(seconds)) end"
  }

  private func release(_ change: SQL, _ pool: Pool, keepsError: Bool = false) async throws {
    let error: SQL = keepsError ? "" : ", last_error = null"
    try await pool.execute(
      "update jobs set leased_until = null, \(change) \(error) where \(isMine)")
  }

  /// 5 seconds after the first attempt, then twice as long each time, an hour at most.
  var backoffSeconds: Double { min(3600, 5 * pow(2, Double(min(attempts, 12) - 1))) }
}
