import Foundation
@testable import Ledger
import Postgres

extension Simulation {
  var setting: SQL { fixture.test.setting }

  /// The posting as the transaction's methods send it, but in the same round trip as the reads.
  func call(_ request: Request) -> SQL {
    let workspace = fixture.test.workspaceID
    switch request {
    case .credit(let grant, let account, let key):
      return """
        select *, null as taken from ledger_credit(\(workspace), \(account.id), \(account.unit),
          \(grant.amount), \(key), \(grant.source.rawValue), \(grant.charge?.botID),
          \(grant.charge?.chargeID), \(grant.isPaid), \(grant.expiresAt ?? .distantFuture),
          \(grant.stars), \(grant.reason), \(grant.ref), \(time))
        """
    case .debit(let debit, let account):
      return """
        select *, null as taken from ledger_debit(\(workspace), \(account.id), \(account.unit),
          \(debit.amount), \(debit.key), \(debit.fingerprint), \(debit.action), \(debit.units),
          \(debit.ref), \(time))
        """
    case .hold(let debit, let account, let until):
      return """
        select *, null as taken from ledger_hold(\(workspace), \(account.id), \(account.unit),
          \(debit.amount), \(debit.key), \(debit.fingerprint), \(debit.action), \(debit.units),
          \(debit.ref), \(until), \(time))
        """
    case .commit(let commit):
      return """
        select *, null as taken from ledger_commit(\(workspace), \(commit.holdKey),
          \(commit.used), \(commit.key), \(commit.fingerprint), \(commit.units), \(time))
        """
    case .release(let holdKey, let key):
      return """
        select *, null as taken from ledger_release(\(workspace), \(holdKey), \(key), \(time))
        """
    case .clawback(let charge, let key, let policy):
      return """
        select *, null as amount from ledger_clawback(\(workspace), \(charge.botID),
          \(charge.chargeID), \(key), \(policy.rawValue), null, \(time))
        """
    case .holdCharge(let charge, let key):
      return """
        select *, null as taken from ledger_hold_charge(\(workspace), \(charge.botID),
          \(charge.chargeID), \(key), null, \(time))
        """
    case .expire(let account):
      return """
        select *, null as taken from ledger_expire(\(workspace), \(account.id),
          \(account.unit), \(time))
        """
    }
  }

  /// The touched accounts (one, or a batch's), and the entries that are new since the last look.
  func reads(of accounts: [Account]) -> [SQL] {
    let ids = accounts.map(\.id)
    let compared = accounts.map { model.customers[$0]?.compared ?? 0 }
    return [
      """
      select a.*, (select coalesce(sum(h.amount), 0)::bigint from holds h
          where h.workspace_id = a.workspace_id and h.account_id = a.account_id
            and h.unit = a.unit) as held
      from accounts a
      where a.workspace_id = \(fixture.test.workspaceID) and a.account_id = any (\(ids))
      """,
      """
      select e.* from unnest(\(ids)::bigint[], \(compared)::bigint[]) t (id, version)
      join entries e on e.workspace_id = \(fixture.test.workspaceID) and e.account_id = t.id
        and e.version > t.version
      order by e.account_id, e.version
      """,
    ]
  }

  mutating func compare(
    _ touched: [Account], accounts: [Row], entries: [Row]
  ) throws -> [String] {
    var differences: [String] = []
    for account in touched {
      guard let customer = model.customers[account] else { continue }
      guard let row = try accounts.first(where: { try $0.get("account_id") == account.id }) else {
        // An account exists from its first credit on.
        if !customer.entries.isEmpty { differences.append("account \(account.id) is missing") }
        continue
      }
      differences += try compare(customer, with: row, of: account)
      let fresh = try entries.filter { try $0.get("account_id") == account.id }.map(
        Model.Entry.init)
      let expected = Array(customer.entries.dropFirst(customer.compared))
      if fresh != expected {
        differences.append("entries \(fresh), expected \(expected)")
      }
      model.customers[account]?.compared = customer.entries.count
    }
    return differences
  }

  private func compare(
    _ customer: Model.Customer, with row: Row, of account: Account
  ) throws -> [String] {
    var differences: [String] = []
    func check<T: Equatable>(_ what: String, _ actual: T, _ expected: T) {
      if actual != expected { differences.append("\(what) \(actual), expected \(expected)") }
    }
    let open = model.openLots(account)
    check("unit", try row.get("unit", as: Int16.self), account.unit)
    check("balance", try row.get("balance", as: Int64.self), customer.balance)
    check("version", try row.get("version", as: Int.self), customer.entries.count)
    check("floor", try row.get("floor", as: Int64.self), min(0, customer.balance))
    check("open lots", try row.get("lot_ids", as: [Int64].self), open.map(\.id))
    check("left", try row.get("lot_left", as: [Int64].self), open.map(\.left))
    let held = model.holds.values.filter { $0.account == account }.flatMap(\.parts)
    check("held", try row.get("held", as: Int64.self), held.reduce(0) { $0 + $1.amount })
    let due: Date = try row.get("due_at")
    if let soonest = open.first?.expiresAt, due > soonest {
      differences.append("due \(due), but a lot expires \(soonest)")
    }
    return differences
  }
}

extension Expected {
  init(_ row: Row) throws {
    self.init(try row.get("status"), balance: try row.getIfPresent("balance"))
    version = try row.getIfPresent("version")
    amount = try row.getIfPresent("amount")
    if let taken: Int64 = try row.getIfPresent("taken") {
      clawback = [
        taken, try row.get("used"), try row.get("held"), try row.get("expired"),
      ]
    }
  }

  init(_ answer: PostingAnswer) {
    self.init(answer.status, balance: answer.balance)
    version = answer.version
    amount = answer.amount
  }
}

extension Model.Entry {
  init(_ row: Row) throws {
    let lots: [Int64] = try row.get("lot_ids")
    let amounts: [Int64] = try row.get("lot_amounts")
    self.init(
      version: try row.get("version"), kind: try row.get("kind"),
      operation: try row.get("operation"), amount: try row.get("amount"),
      balanceAfter: try row.get("balance_after"),
      parts: zip(lots, amounts).map { Model.Part(lot: $0, amount: $1) },
      key: try row.getIfPresent("idempotency_key"))
  }
}

extension Request {
  /// The request as a batch carries it, if one may.
  var batched: PostingRequest? {
    switch self {
    case .debit(let debit, let account): .debit(debit, from: account)
    case .hold(let debit, let account, let until): .hold(debit, from: account, until: until)
    case .commit(let commit): .commit(commit)
    case .release(let holdKey, let key): .release(hold: holdKey, key: key)
    case .expire(let account): .expire(account)
    default: nil
    }
  }
}
