import Foundation
import Ledger

/// A posting as the simulation makes it.
enum Request: Sendable {
  case credit(Grant, to: Account, key: String)
  case debit(Debit, from: Account)
  case hold(Debit, from: Account, until: Date)
  case commit(Commit)
  case release(hold: String, key: String)
  case clawback(Charge, key: String, policy: DebtPolicy)
  case holdCharge(Charge, key: String)
  case expire(Account)

  var key: String? {
    switch self {
    case .credit(_, _, let key), .release(_, let key), .clawback(_, let key, _),
      .holdCharge(_, let key):
      key
    case .debit(let debit, _), .hold(let debit, _, _): debit.key
    case .commit(let commit): commit.key
    case .expire: nil
    }
  }

  var name: String {
    switch self {
    case .credit: "credit"
    case .debit: "debit"
    case .hold: "hold"
    case .commit: "commit"
    case .release: "release"
    case .clawback: "clawback"
    case .holdCharge: "hold_charge"
    case .expire: "expire"
    }
  }
}

/// What the ledger must answer.
struct Expected: Equatable {
  var status: PostingStatus
  var balance: Int64?
  var version: Int64?
  var amount: Int64?
  /// Of a clawback: taken, used, held, expired.
  var clawback: [Int64]?

  init(_ status: PostingStatus, balance: Int64? = nil) {
    self.status = status
    self.balance = balance
  }
}

/// The ledger as its rules tell it, written for clarity alone: every lot ever granted stands in a
/// list, and credits are moved one by one.
struct Model {
  struct Lot {
    let id: Int64
    let grant: Grant
    var left: Int64
    var expired: Int64 = 0

    var expiresAt: Date { grant.expiresAt ?? .distantFuture }
  }

  struct Entry: Equatable {
    let version: Int64
    let kind: Ledger.Kind
    let operation: String
    let amount: Int64
    let balanceAfter: Int64
    let parts: [Part]
    var key: String?
  }

  struct Part: Equatable {
    let lot: Int64
    var amount: Int64
  }

  struct Hold {
    let account: Account
    let parts: [Part]
    let charge: Charge?
  }

  struct Customer {
    var balance: Int64 = 0
    var lots: [Lot] = []
    var entries: [Entry] = []
    /// Entries that the database was compared with already.
    var compared = 0
  }

  struct Memory {
    let request: Request
    let answer: Expected
  }

  static let openLotsMax = 64

  var customers: [Account: Customer] = [:]
  var holds: [String: Hold] = [:]
  var closedHolds: [String: Account] = [:]
  var refunds: [Charge: DebtPolicy] = [:]
  var memories: [String: Memory] = [:]
  /// How often each outcome was met.
  var tally: [String: Int] = [:]

  mutating func count(_ outcome: String) { tally[outcome, default: 0] += 1 }

  /// The posting's answer; what it does is seen in `customers` and `holds`.
  mutating func post(_ request: Request, at time: Date) -> Expected {
    let answer = answer(request, at: time)
    count("\(answer.status.rawValue) \(request.name)")
    if answer.status == .applied, let key = request.key {
      memories[key] = Memory(request: request, answer: answer)
    }
    return answer
  }

  private mutating func answer(_ request: Request, at time: Date) -> Expected {
    if !isValid(request, at: time) { return Expected(.invalid) }
    if let key = request.key, let memory = memories[key] {
      guard isSame(request, as: memory.request) else { return Expected(.conflict) }
      var answer = memory.answer
      answer.status = .replayed
      return answer
    }
    switch request {
    case .credit(let grant, let account, let key):
      return credit(grant, to: account, key: key, at: time)
    case .debit(let debit, let account):
      return take(.debit, debit, from: account, operation: "debit", at: time)
    case .hold(let debit, let account, _):
      let answer = take(.hold, debit, from: account, operation: "hold", at: time)
      if answer.status == .applied, let entry = customers[account]?.entries.last {
        holds[debit.key] = Hold(account: account, parts: entry.parts, charge: nil)
      }
      return answer
    case .commit(let commit):
      return close(
        commit.holdKey, used: commit.used, key: commit.key, operation: "commit", at: time)
    case .release(let holdKey, let key):
      return close(holdKey, used: 0, key: key, operation: "release", at: time)
    case .clawback(let charge, let key, let policy):
      return clawback(charge, key: key, policy: policy, at: time)
    case .holdCharge(let charge, let key):
      return hold(charge, key: key, at: time)
    case .expire(let account):
      let before = customers[account]
      guard let before, isDue(account, at: time) else { return Expected(.none) }
      expire(account, at: time)
      return applied(account, amount: before.balance - customers[account]!.balance)
    }
  }

  private func isValid(_ request: Request, at time: Date) -> Bool {
    switch request {
    case .credit(let grant, _, _):
      let mayBePaid = [.payment, .subscription].contains(grant.source)
      return grant.amount > 0 && grant.amount <= 1_000_000_000_000
        && (grant.expiresAt ?? .distantFuture) > time
        && (!grant.isPaid || (grant.charge != nil && mayBePaid))
        && (grant.source != .payment || grant.isPaid) && (grant.stars == nil || grant.isPaid)
    case .debit(let debit, _): return debit.amount > 0
    case .hold(let debit, _, let until): return debit.amount > 0 && until > time
    case .commit(let commit): return commit.used >= 0
    default: return true
    }
  }

  /// Whether a key that was used before came with the same request.
  private func isSame(_ request: Request, as first: Request) -> Bool {
    func isSame(_ debit: Debit, _ first: Debit) -> Bool {
      if let print = debit.fingerprint, let other = first.fingerprint { return print == other }
      return debit.amount == first.amount && debit.action == first.action
    }
    switch (request, first) {
    case (.credit(let grant, let account, _), .credit(let other, let otherAccount, _)):
      return account == otherAccount && grant.amount == other.amount
        && grant.source == other.source && grant.charge == other.charge
        && grant.isPaid == other.isPaid
    case (.debit(let debit, let account), .debit(let other, let otherAccount)),
      (.hold(let debit, let account, _), .hold(let other, let otherAccount, _)):
      return account == otherAccount && isSame(debit, other)
    case (.commit(let commit), .commit(let other)):
      if commit.holdKey != other.holdKey { return false }
      if let print = commit.fingerprint, let known = other.fingerprint { return print == known }
      return commit.used == other.used
    case (.release(let holdKey, _), .release(let other, _)): return holdKey == other
    case (.clawback(let charge, _, let policy), .clawback(let other, _, let otherPolicy)):
      return charge == other && policy == otherPolicy
    case (.holdCharge(let charge, _), .holdCharge(let other, _)): return charge == other
    default: return false
    }
  }

  func applied(_ account: Account, amount: Int64) -> Expected {
    var answer = Expected(.applied, balance: customers[account]!.balance)
    answer.version = Int64(customers[account]!.entries.count)
    answer.amount = amount
    return answer
  }
}
