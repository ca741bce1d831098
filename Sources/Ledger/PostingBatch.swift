import Foundation
import Postgres

/// One of many postings that go to the database together.
public enum PostingRequest: Sendable {
  case debit(Debit, from: Account)
  case hold(Debit, from: Account, until: Date)
  case commit(Commit)
  case release(hold: String, key: String)
  case expire(Account)
}

extension Ledger {
  /// Posts requests in one round trip and one commit, each with its own answer, in the order
  /// given. A key that occurs twice replays.
  ///
  /// Throws `PostgresError`; then nothing of the batch was posted, unless the connection was lost.
  public func post(
    _ requests: [PostingRequest], in scope: WorkspaceScope, at time: Date? = nil
  ) async throws -> [PostingAnswer] {
    if requests.isEmpty { return [] }
    let columns = PostingColumns(requests)
    let rows = try await pool.query(
      """
      select * from ledger_post_batch(\(scope.workspaceID), \(columns.operations),
        \(columns.accounts), \(columns.accountUnits), \(columns.amounts), \(columns.keys),
        \(columns.fingerprints), \(columns.holdKeys), \(columns.actions), \(columns.units),
        \(columns.refs), \(columns.until), \(time ?? scope.now))
      order by ordinal
      """, in: scope)
    return try rows.map(PostingAnswer.init)
  }

  /// A coalescer whose batches are postings.
  public func postingCoalescer() -> Coalescer<PostingRequest, PostingAnswer> {
    Coalescer { try await post($0, in: $1) }
  }
}

/// The requests as parallel arrays, which is how a function takes rows.
private struct PostingColumns {
  var operations: [String] = []
  var accounts: [Int64?] = []
  var accountUnits: [Int16?] = []
  var amounts: [Int64?] = []
  var keys: [String?] = []
  var fingerprints: [Int64?] = []
  var holdKeys: [String?] = []
  var actions: [String?] = []
  var units: [Int32?] = []
  var refs: [String?] = []
  var until: [Date?] = []

  init(_ requests: [PostingRequest]) {
    for request in requests {
      switch request {
      case .debit(let debit, let account):
        append("debit", account: account, debit: debit)
      case .hold(let debit, let account, let until):
        append("hold", account: account, debit: debit, until: until)
      case .commit(let commit):
        append("commit", commit: commit)
      case .release(let holdKey, let key):
        append("release", commit: Commit(hold: holdKey, used: 0, key: key))
      case .expire(let account):
        append("expire", account: account)
      }
    }
  }

  private mutating func append(
    _ operation: String, account: Account? = nil, debit: Debit? = nil, commit: Commit? = nil,
    until date: Date? = nil
  ) {
    operations.append(operation)
    accounts.append(account?.id)
    accountUnits.append(account?.unit)
    amounts.append(debit?.amount ?? commit?.used)
    keys.append(debit?.key ?? commit?.key)
    fingerprints.append(debit?.fingerprint ?? commit?.fingerprint)
    holdKeys.append(commit?.holdKey)
    actions.append(debit?.action)
    units.append(debit?.units ?? commit?.units)
    refs.append(debit?.ref)
    until.append(date)
  }
}
