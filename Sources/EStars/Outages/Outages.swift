import Foundation
import Ledger
import Logging
import Postgres

/// Lets paid actions go on while the database is away, where the operator allows it: up to the
/// action's cap of units, kept in a file and booked as soon as the database is back.
public struct Outages: Sendable {
  private let journal: OutageJournal
  private let directory: Directory
  private let pool: Pool
  private let logger: Logger

  init(journal: OutageJournal, directory: Directory, pool: Pool, logger: Logger) {
    self.journal = journal
    self.directory = directory
    self.pool = pool
    self.logger = logger
  }

  /// Debits that wait to be booked.
  var waiting: Int {
    get async { await journal.pending.count }
  }

  /// Asks the database and, when it is away, the operator's policy.
  func check(
    _ request: CheckRequest, in scope: WorkspaceScope,
    _ ask: @escaping @Sendable () async throws -> UsageAnswer
  ) async throws -> UsageAnswer {
    guard let action = await openAction(request, in: scope) else { return try await ask() }
    do {
      return try await withDeadline(seconds: Limits.outageSeconds, ask)
    } catch let error where error.isOutage {
      let hasRoom = await journal.hasRoom(
        for: request.units, of: action.key, workspaceID: scope.workspaceID,
        capUnits: action.outageUnits)
      guard hasRoom else { throw error }
      return UsageAnswer(.accepted, cost: action.priceCredits * request.units)
    }
  }

  /// Posts a debit or, when the database is away, accepts it for later. A debit that the database
  /// did take while nobody heard of it is found by its key when it is booked.
  func debit(
    _ request: DebitRequest, in scope: WorkspaceScope,
    _ post: @escaping @Sendable () async throws -> UsageAnswer
  ) async throws -> UsageAnswer {
    guard let action = await openAction(request.check, in: scope) else { return try await post() }
    do {
      return try await withDeadline(seconds: Limits.outageSeconds, post)
    } catch let outage where outage.isOutage {
      let debit = AcceptedDebit(
        workspaceID: scope.workspaceID, request: request,
        cost: action.priceCredits * request.check.units, acceptedAt: scope.now)
      do {
        _ = try await journal.accept(debit, capUnits: action.outageUnits)
        return UsageAnswer(.accepted, cost: debit.cost)
      } catch OutageJournal.Refusal.conflict {
        return UsageAnswer(.conflict, cost: 0)
      } catch {
        if error as? OutageJournal.Refusal == nil {
          logger.error("the outage journal cannot be written", metadata: ["error": "\(error)"])
        }
        throw outage
      }
    }
  }

  /// The action, when it may go on without the database and so many units of it be asked for.
  private func openAction(_ request: CheckRequest, in scope: WorkspaceScope) async -> Action? {
    guard
      let action = try? await directory.catalog(of: scope.workspaceID).action(request.action),
      action.outageUnits > 0, request.units <= action.maxUnits
    else { return nil }
    return action
  }
}

extension Outages {
  /// Books until it is cancelled.
  public func run(_ usage: Usage) async throws {
    while !Task.isCancelled {
      do { try await book(usage) } catch {
        logger.warning(
          "accepted debits wait for the database", metadata: ["error": "\(error.withoutValues)"])
      }
      try await Task.sleep(for: .seconds(2))
    }
  }

  /// Books what waits, oldest first. One that fails keeps no other waiting.
  func book(_ usage: Usage) async throws {
    for debit in await journal.pending {
      guard let workspace = try await directory.workspace(debit.workspaceID) else {
        logger.error(
          "an accepted debit's workspace is gone", metadata: ["workspace": "\(debit.workspaceID)"])
        try await journal.strike(debit)
        continue
      }
      let scope = workspace.scope
      do {
        let status = try await post(debit, usage, in: scope)
        try await note(
          debit, status, isBooked: ["applied", "replayed"].contains(status), in: scope)
        try await journal.strike(debit)
      } catch let error where error.isOutage {
        throw error
      } catch {
        logger.error(
          "an accepted debit could not be booked", metadata: ["error": "\(error.withoutValues)"])
        guard scope.now.timeIntervalSince(debit.acceptedAt) > Limits.outageBookingSeconds else {
          continue
        }
        try await note(debit, "failed", isBooked: false, in: scope)
        try await journal.strike(debit)
      }
    }
  }

  /// Posts a debit as any other, unless the action costs more by now or is gone: what the bot was
  /// told is the most that is taken.
  private func post(
    _ debit: AcceptedDebit, _ usage: Usage, in scope: WorkspaceScope
  ) async throws -> String {
    let request = debit.request
    let action = try await Catalog.load(in: scope, pool).action(request.check.action)
    let cost = action.map { $0.priceCredits * request.check.units } ?? .max
    guard cost > debit.cost, debit.cost > 0 else {
      return try await usage.post(request, in: scope).status.rawValue
    }
    guard
      let customer = try await Customer.find(
        telegramID: request.check.telegramID, in: scope, pool)
    else { return UsageStatus.insufficient.rawValue }
    return try await pool.transaction(in: scope) { tx in
      try await tx.debit(
        Debit(
          debit.cost, key: "api:\(request.idempotencyKey)", fingerprint: request.fingerprint,
          action: request.check.action, units: Int32(request.check.units), ref: request.ref),
        from: Account(customer.id), in: scope, at: scope.now)
    }.status.rawValue
  }

  /// Says what became of it, once. What the customer cannot pay by now stays uncollected, and the bot
  /// is told.
  private func note(
    _ debit: AcceptedDebit, _ status: String, isBooked: Bool, in scope: WorkspaceScope
  ) async throws {
    let request = debit.request
    let customer = try await Customer.find(telegramID: request.check.telegramID, in: scope, pool)
    let subject = customer.map { String($0.id) } ?? "unknown"
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.query(
        """
        select from audit_entries where workspace_id = \(scope.workspaceID)
          and subject_kind = 'customer' and subject = \(subject)
          and action in ('outage.booked', 'outage.uncollected')
          and after ->> 'key' = \(request.idempotencyKey)
        """)
      guard known.isEmpty else { return }
      try await tx.audit(
        Actor(.system, "eStars"), isBooked ? "outage.booked" : "outage.uncollected", "customer",
        subject,
        after: [
          "action": request.check.action, "units": String(request.check.units),
          "credits": String(debit.cost), "key": request.idempotencyKey,
          "accepted_at": debit.acceptedAt.formatted(.iso8601),
        ], reason: isBooked ? nil : status, in: scope, at: scope.now)
      guard !isBooked, let botID = request.botID else { return }
      try await tx.emit(
        .debitUncollected,
        Uncollected(
          action: request.check.action, units: request.check.units, cost: debit.cost,
          idempotencyKey: request.idempotencyKey, reason: status, ref: request.ref),
        botID: botID, customerID: customer?.id, in: scope, at: scope.now)
    }
  }

  private struct Uncollected: Encodable {
    let action: String
    let units: Int64
    let cost: Int64
    let idempotencyKey: String
    let reason: String
    let ref: String?
  }
}

extension Error {
  /// Whether the database itself was away, rather than the request wrong or its caller gone.
  fileprivate var isOutage: Bool {
    (self as? PostgresError)?.isOutage ?? (self is DeadlineExceeded)
  }
}
