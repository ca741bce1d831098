import Foundation
import Ledger
import Postgres

/// What a workspace remembers of its history: which one it is, and the parts that are written. Each
/// part is one transaction, and its mark is in it.
struct DemoRecord {
  let scope: WorkspaceScope
  private static let prefix = "demo-history:"
  private static let action = "demo.history"

  struct Problem: Error, CustomStringConvertible {
    let description = "the workspace has another history"
  }

  /// A day of the history, but every one of the last events by itself: reports show the newest
  /// entries by their transactions.
  static func parts(of events: [DemoHistory.Event]) -> [Range<Int>] {
    let single = max(0, events.count - 50)
    var parts: [Range<Int>] = []
    var start = 0
    for index in events.indices where index > start {
      let day = events[start].at.timeIntervalSince1970 / 86_400
      let isSameDay = Int(day) == Int(events[index].at.timeIntervalSince1970 / 86_400)
      if index >= single || !isSameDay {
        parts.append(start..<index)
        start = index
      }
    }
    return events.isEmpty ? [0..<0] : parts + [start..<events.count]
  }

  /// Marks a part; the first one writes down what the history is, the last one that it is whole.
  func begin(
    part: Int, of count: Int, _ history: DemoHistory, _ tx: Transaction
  ) async throws {
    if part == 0 {
      try await tx.audit(
        Actor(.system, "demo"), Self.action, "workspace", String(scope.workspaceID),
        after: [
          "seed": String(history.seed), "customers": String(history.customers),
          "until": String(Int64(history.until.timeIntervalSince1970)),
        ], in: scope, at: history.until)
    }
    try await mark(String(part), history, tx)
    if part == count - 1 { try await mark("end", history, tx) }
  }

  private func mark(_ name: String, _ history: DemoHistory, _ tx: Transaction) async throws {
    let isNew = try await tx.claimKey(
      Self.prefix + name, operation: "demo", fingerprint: history.fingerprint, in: scope,
      at: history.until)
    guard isNew else { throw Problem() }
  }

  func parts(_ pool: Pool) async throws -> Set<Int> {
    let rows = try await pool.query(
      """
      select idempotency_key from api_requests where workspace_id = \(scope.workspaceID)
        and idempotency_key like \(Self.prefix + "%")
      """, in: scope)
    return Set(
      try rows.compactMap {
        Int(try $0.get("idempotency_key", as: String.self).dropFirst(Self.prefix.count))
      })
  }

  /// - Throws: ``Problem`` where another history was begun.
  func isComplete(_ history: DemoHistory, _ pool: Pool) async throws -> Bool {
    if let known = try await self.history(pool), known != history { throw Problem() }
    return try await !pool.query(
      """
      select from api_requests where workspace_id = \(scope.workspaceID)
        and idempotency_key = \(Self.prefix + "end")
      """, in: scope
    ).isEmpty
  }

  func history(_ pool: Pool) async throws -> DemoHistory? {
    let row = try await pool.query(
      """
      select after ->> 'seed' as seed, after ->> 'customers' as customers,
        (after ->> 'until')::bigint as until
      from audit_entries where workspace_id = \(scope.workspaceID)
        and subject_kind = 'workspace' and subject = \(String(scope.workspaceID))
        and action = \(Self.action)
      order by audit_entry_id limit 1
      """, in: scope
    ).first
    guard let row, let seed = UInt64(try row.get("seed", as: String.self)),
      let customers = Int(try row.get("customers", as: String.self))
    else { return nil }
    return DemoHistory(
      seed: seed,
      until: Date(timeIntervalSince1970: Double(try row.get("until", as: Int64.self))),
      customers: customers)
  }
}

extension DemoHistory {
  fileprivate var fingerprint: Int64 {
    Bytes.fingerprint([
      "demo", String(seed), String(Int64(until.timeIntervalSince1970)), String(customers),
    ])
  }
}
