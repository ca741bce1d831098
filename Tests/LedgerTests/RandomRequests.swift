import Foundation
import Ledger
import TestSupport

/// Makes postings that meet each other: few accounts, charges and holds, keys that come again.
struct RandomRequests {
  private var random: SeededGenerator
  private var charges: [(charge: Charge, account: Account)] = []
  private var holds: [(key: String, account: Account)] = []
  /// By kind, so that rare requests come again as often as frequent ones.
  private var past: [String: [Request]] = [:]
  private var serial = 0

  private let accounts = (1...20).map { Account($0, unit: $0 % 5 == 0 ? 2 : 1) }
  /// Accounts that collect lots and hardly spend.
  private let collectors = [Account(101), Account(102)]

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// Minutes until the next posting.
  mutating func pause() -> Double { Double(Int.random(in: 0...180, using: &random)) }

  mutating func batchSize() -> Int { chance(6) ? Int.random(in: 2...8, using: &random) : 1 }

  mutating func next(at time: Date, model: Model) -> Request {
    let request = chance(16) && !past.isEmpty ? again(at: time) : fresh(at: time, model: model)
    past[request.name, default: []].append(request)
    if past[request.name]!.count > 20 { past[request.name]!.removeFirst() }
    return request
  }

  private mutating func fresh(at time: Date, model: Model) -> Request {
    if chance(2) { return invalid(at: time) }
    if chance(8) { return collecting(at: time) }
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<18: return payment(to: pick(accounts), at: time)
    case 18..<23: return bonus(at: time)
    case 23..<31: return grant(to: pick(accounts), at: time)
    case 31..<48: return .debit(debit(1...20), from: pick(accounts))
    case 48..<63:
      let debit = debit(1...25)
      let account = pick(accounts)
      holds.append((debit.key, account))
      return .hold(debit, from: account, until: time.addingTimeInterval(3600))
    case 63..<73:
      let used = Int64.random(in: 0...(chance(25) ? 60 : 15), using: &random)
      return .commit(
        Commit(hold: holdKey(model), used: used, key: key("commit"), fingerprint: fingerprint()))
    case 73..<80: return .release(hold: holdKey(model), key: key("release"))
    case 80..<90:
      return .clawback(
        chance(6) ? unknownCharge : chargeToRefund(model), key: key("clawback"),
        policy: chance(50) ? .debt : .forgive)
    case 90..<96:
      let key = key("refund")
      let refund = charge()
      holds.append((key, refund.account))
      return .holdCharge(chance(10) ? unknownCharge : refund.charge, key: key)
    default: return .expire(pick(accounts))
    }
  }

  /// An old request with its key, as it was or changed in one respect.
  private mutating func again(at time: Date) -> Request {
    let request = pick(past[pick(past.keys.sorted())]!)
    let changes = chance(45)
    switch request {
    case .credit(var grant, let account, let key):
      if !changes { return request }
      if chance(50) {
        grant.amount += 1
      } else {
        return .credit(grant, to: pick(accounts), key: key)
      }
      return .credit(grant, to: account, key: key)
    case .debit(let old, let account):
      return .debit(changes ? changed(old) : old, from: chance(10) ? pick(accounts) : account)
    case .hold(let old, let account, _):
      let until = time.addingTimeInterval(3600)
      return .hold(changes ? changed(old) : old, from: account, until: until)
    case .commit(var commit):
      if changes { commit.used += 1 }
      if changes, chance(50) { commit.holdKey = holdKey() }
      return .commit(commit)
    case .release(let holdKey, let key):
      return .release(hold: changes ? self.holdKey() : holdKey, key: key)
    case .clawback(let charge, let key, let policy):
      if !changes { return request }
      return chance(50)
        ? .clawback(charge, key: key, policy: policy == .debt ? .forgive : .debt)
        : .clawback(self.charge().charge, key: key, policy: policy)
    case .holdCharge(_, let key):
      return changes ? .holdCharge(charge().charge, key: key) : request
    case .expire(let account): return .debit(debit(1...30), from: account)
    }
  }

  /// The same key, and now and then the same fingerprint, with another price.
  private mutating func changed(_ old: Debit) -> Debit {
    var debit = old
    switch Int.random(in: 0..<4, using: &random) {
    case 0: debit.action = "other"
    case 1: debit.fingerprint = fingerprint()
    default: debit.amount += 1
    }
    return debit
  }

  private mutating func payment(to account: Account, at time: Date) -> Request {
    serial += 1
    let charge = Charge(botID: Int64.random(in: 1...2, using: &random), chargeID: "c\(serial / 2)")
    charges.append((charge, account))
    let amount = Int64.random(in: 5...60, using: &random)
    return .credit(
      Grant(
        amount, source: chance(80) ? .payment : .subscription, charge: charge, isPaid: true,
        expiresAt: expiry(after: time), stars: amount / 2),
      to: account, key: key("charge"))
  }

  private mutating func bonus(at time: Date) -> Request {
    let (charge, account) = charge()
    return .credit(
      Grant(
        Int64.random(in: 1...15, using: &random), source: .bonus, charge: charge,
        expiresAt: expiry(after: time)),
      to: chance(4) ? pick(accounts) : account, key: key("bonus"))
  }

  private mutating func grant(to account: Account, at time: Date) -> Request {
    let sources: [LotSource] = [.trial, .promo, .goodwill, .adjustment]
    return .credit(
      Grant(
        Int64.random(in: 1...20, using: &random), source: pick(sources),
        expiresAt: expiry(after: time), reason: "seeded"),
      to: account, key: key("grant"))
  }

  private mutating func collecting(at time: Date) -> Request {
    let account = pick(collectors)
    if chance(12) { return payment(to: account, at: time) }
    if chance(8) { return .debit(debit(1...9), from: account) }
    let sources: [LotSource] = [.promo, .goodwill, .trial]
    return .credit(
      Grant(
        Int64.random(in: 1...3, using: &random), source: pick(sources),
        expiresAt: day(Double(50_000 + Int.random(in: 0..<45, using: &random)))),
      to: account, key: key("collect"))
  }

  private mutating func invalid(at time: Date) -> Request {
    let account = pick(accounts)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return .debit(Debit(0, key: key("bad")), from: account)
    case 1: return .debit(Debit(-5, key: key("bad")), from: account)
    case 2: return .hold(Debit(5, key: key("bad")), from: account, until: time)
    case 3: return .credit(Grant(5, source: .promo, isPaid: true), to: account, key: key("bad"))
    case 4:
      return .credit(Grant(5, source: .promo, expiresAt: time), to: account, key: key("bad"))
    default: return .commit(Commit(hold: holdKey(), used: -1, key: key("bad")))
    }
  }

  private mutating func debit(_ amounts: ClosedRange<Int64>) -> Debit {
    Debit(
      Int64.random(in: chance(8) ? 60...200 : amounts, using: &random), key: key("debit"),
      fingerprint: fingerprint(), action: "image", units: 1, ref: "r")
  }

  private mutating func expiry(after time: Date) -> Date? {
    if chance(35) { return nil }
    // Whole days, so that lots of equal expiry meet.
    let days = (time.timeIntervalSince(day(1)) / 86_400).rounded(.down) + 2
    return day(days + Double(Int.random(in: 0...12, using: &random)))
  }

  private mutating func fingerprint() -> Int64? {
    chance(40) ? Int64.random(in: 1...3, using: &random) : nil
  }

  private let unknownCharge = Charge(botID: 1, chargeID: "never")

  private mutating func charge() -> (charge: Charge, account: Account) {
    charges.isEmpty
      ? (Charge(botID: 1, chargeID: "first"), accounts[0]) : pick(charges.suffix(30))
  }

  /// Often one of which an open hold has a part.
  private mutating func chargeToRefund(_ model: Model) -> Charge {
    if chance(85), let key = holds.suffix(12).randomElement(using: &random)?.key,
      let hold = model.holds[key], let part = hold.parts.randomElement(using: &random),
      let charge = model.lot(part.lot, of: hold.account).grant.charge
    {
      return charge
    }
    return charge().charge
  }

  private mutating func holdKey(_ model: Model? = nil) -> String {
    if chance(60), let model,
      let open = holds.suffix(24).filter({ model.holds[$0.key] != nil })
        .randomElement(using: &random)
    {
      return open.key
    }
    return holds.isEmpty || chance(4) ? "no-hold" : pick(holds.suffix(16)).key
  }

  private mutating func key(_ door: String) -> String {
    serial += 1
    return "\(door):\(serial)"
  }

  private mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }

  private mutating func pick<C: RandomAccessCollection>(_ from: C) -> C.Element {
    from[from.index(from.startIndex, offsetBy: Int.random(in: 0..<from.count, using: &random))]
  }
}
