import Foundation
import Ledger

@testable import EStars

/// What requests are answered, and what they change.
extension UsageModel {
  mutating func check(_ user: Int64, _ action: String, _ units: Int64, at: Date) -> Answer {
    expire(user, at: at)
    var answer = terms(user, action, units, at: at)
    answer.balance = balance(user)
    if answer.status == .allowed, answer.cost > 0, answer.balance < answer.cost {
      answer.status = .insufficient
    }
    count("check \(answer.status.rawValue)")
    return answer
  }

  /// A key's first answer, or a conflict; nil when the key is free.
  mutating func remembered(_ key: String, _ operation: String, _ fingerprint: String) -> Memory? {
    guard let memory = memories[key] else { return nil }
    var answer = memory.answer
    let isSame = memory.operation == operation && memory.fingerprint == fingerprint
    answer = isSame ? answer : Answer(status: .conflict)
    if isSame {
      answer.status = .replayed
      (answer.period, answer.limit, answer.used, answer.resetsAt) = (nil, nil, nil, nil)
    }
    count("\(operation) \(answer.status.rawValue)")
    return Memory(
      operation: operation, fingerprint: fingerprint, answer: answer,
      hold: isSame ? memory.hold : nil)
  }

  mutating func debit(
    _ user: Int64, _ action: String, _ units: Int64, key: String, at: Date
  ) -> Answer {
    let fingerprint = "\(user) \(action) \(units)"
    if let memory = remembered(key, "debit", fingerprint) { return memory.answer }
    var answer = admit(user, action, units, at: at)
    if answer.status == .allowed {
      answer.status = .applied
      _ = take(answer.cost, from: user)
      answer.balance = balance(user)
      use(user, action, units, free: answer.free, at: at)
      warn(user, answer.cost)
      memories[key] = Memory(operation: "debit", fingerprint: fingerprint, answer: answer)
    }
    tell(answer, "debit", user, action, at)
    return answer
  }

  mutating func hold(
    _ user: Int64, _ action: String, _ units: Int64, seconds: Int, key: String, id: Int64?, at: Date
  ) -> (Answer, hold: Int64?) {
    let fingerprint = "\(user) \(action) \(units) \(seconds)"
    if let memory = remembered(key, "hold", fingerprint) { return (memory.answer, memory.hold) }
    var answer = admit(user, action, units, at: at)
    guard answer.status == .allowed, let id else {
      tell(answer, "hold", user, action, at)
      return (answer, nil)
    }
    answer.status = .applied
    let parts = take(answer.cost, from: user)
    answer.balance = balance(user)
    if answer.cost > 0 { warn(user, answer.cost) }
    let isCounted = isCounted(user, action, at: at)
    use(user, action, units, free: answer.free, at: at)
    let price = isUnmetered(user, action, at: at) ? 0 : rules[action]?.price ?? 0
    holds[id] = Hold(
      id: id, user: user, action: action, units: units, price: price, free: answer.free,
      parts: parts, use: isCounted ? (customers[user]?.uses.count ?? 1) - 1 : nil,
      expiresAt: at.addingTimeInterval(Double(seconds)))
    memories[key] = Memory(operation: "hold", fingerprint: fingerprint, answer: answer, hold: id)
    tell(answer, "hold", user, action, at)
    if answer.cost == 0 { count("hold of no credits") }
    if parts.count > 1 { count("hold across lots") }
    return (answer, id)
  }

  private mutating func admit(
    _ user: Int64, _ action: String, _ units: Int64, at: Date
  ) -> Answer {
    expire(user, at: at)
    var answer = terms(user, action, units, at: at)
    answer.balance = balance(user)
    if answer.status == .allowed, answer.cost > 0, answer.balance < answer.cost {
      answer.status = .insufficient
    }
    return answer
  }

  private mutating func tell(
    _ answer: Answer, _ operation: String, _ user: Int64, _ action: String, _ at: Date
  ) {
    count("\(operation) \(answer.status.rawValue)")
    if let period = answer.period, answer.status == .quotaExceeded {
      count("quota of a \(period.rawValue)")
    }
    guard answer.status == .applied else { return }
    if answer.free > 0 { count(answer.cost > 0 ? "partly free" : "free") }
    if isUnmetered(user, action, at: at) { count("unmetered") }
  }

  private mutating func use(
    _ user: Int64, _ action: String, _ units: Int64, free: Int64, at: Date
  ) {
    guard isCounted(user, action, at: at) else { return }
    let starts = Dictionary(
      uniqueKeysWithValues: Quota.Period.allCases.map { ($0, self.starts($0, at)) })
    customers[user, default: Customer()].uses.append(
      Use(action: action, starts: starts, units: units, free: free))
  }

  private mutating func warn(_ user: Int64, _ cost: Int64) {
    let left = balance(user)
    if left < Self.threshold, left + cost >= Self.threshold { count("credits.low") }
  }

  /// - Parameter units: nil gives all of it back.
  mutating func close(
    _ id: Int64, _ state: UsageHold.State, units: Int64?, key: String?, at: Date
  ) -> HoldCloseAnswer.Status {
    let operation = state == .committed ? "commit" : "release"
    let fingerprint = "\(id) \(units.map(String.init) ?? "all")"
    if let key, let memory = remembered(key, operation, fingerprint) {
      return memory.answer.status == .replayed ? .replayed : .conflict
    }
    guard var hold = holds[id] else {
      count("\(operation) unknown")
      return .unknown
    }
    guard hold.state == .open else {
      count("\(operation) closed")
      return .closed
    }
    let used = state == .committed ? units ?? hold.units : 0
    guard used <= hold.units else {
      count("\(operation) too_many_units")
      return .tooManyUnits
    }
    let free = min(used, hold.free)
    let credits = hold.price * (used - free)
    expire(hold.user, at: at)
    settle(hold, used: credits, at: at)
    if let use = hold.use {
      customers[hold.user]?.uses[use].units = used
      customers[hold.user]?.uses[use].free = free
    }
    hold.state = state
    if state == .committed { (hold.usedUnits, hold.usedCredits) = (used, credits) }
    holds[id] = hold
    if let key {
      var answer = Answer(status: .applied)
      answer.balance = balance(hold.user)
      memories[key] = Memory(
        operation: operation, fingerprint: fingerprint, answer: answer, hold: id)
    }
    count(state.rawValue)
    if state == .committed, used < hold.units { count("committed in part") }
    return .applied
  }

  // What moves credits.

  mutating func grant(_ lots: [Lot], to user: Int64, at: Date) {
    expire(user, at: at)
    for var lot in lots {
      let debt = customers[user]?.debt ?? 0
      let repaid = min(debt, lot.amount)
      if repaid > 0 { count("debt repaid") }
      lot.left = lot.amount - repaid
      customers[user, default: Customer()].debt = debt - repaid
      customers[user]?.lots.append(lot)
    }
    count("granted")
  }

  private mutating func take(_ amount: Int64, from user: Int64) -> [Part] {
    var parts: [Part] = []
    var need = amount
    for index in openLots(user) where need > 0 {
      let taken = min(need, customers[user]?.lots[index].left ?? 0)
      customers[user]?.lots[index].left -= taken
      need -= taken
      parts.append(Part(lot: index, amount: taken))
    }
    return parts
  }

  /// The first credits of a hold are the ones that were used. Of the rest, what is over or refunded
  /// is gone, what lives repays debt and goes back to its lot.
  private mutating func settle(_ hold: Hold, used: Int64, at: Date) {
    guard let customer = customers[hold.user], hold.credits > 0 else { return }
    var used = used
    var reach = max(0, hold.credits - customer.debt) - used
    var alive: [Part] = []
    for part in hold.parts {
      let lot = customer.lots[part.lot]
      let isRefunded = lot.charge.map { refunds[$0] == .forgive } ?? false
      let taken = min(used, part.amount)
      used -= taken
      let back = part.amount - taken
      if taken > 0, isRefunded { count("forgiven by a commit") }
      guard back > 0 else { continue }
      if isRefunded {
        count("refunded while held")
      } else if lot.expiresAt <= at {
        count("expired while held")
        // Debt swallows what would have reached its lot to die there.
        let dead = min(back, max(0, reach))
        customers[hold.user]?.lots[part.lot].expired += dead
        reach -= dead
      } else {
        alive.append(Part(lot: part.lot, amount: back))
      }
    }
    for part in alive {
      let debt = customers[hold.user]?.debt ?? 0
      let repaid = min(debt, part.amount)
      if repaid > 0 { count("debt repaid by a hold") }
      customers[hold.user]?.debt = debt - repaid
      customers[hold.user]?.lots[part.lot].left += part.amount - repaid
    }
  }

  /// Takes back what a charge granted: forgives what was used, or makes it a debt.
  mutating func refund(_ charge: String, of user: Int64, _ policy: DebtPolicy, at: Date) {
    expire(user, at: at)
    guard let customer = customers[user] else { return }
    refunds[charge] = policy
    var owed: Int64 = 0
    for index in customer.lots.indices where customer.lots[index].charge == charge {
      let lot = customer.lots[index]
      let held = holds.values.filter { $0.user == user && $0.state == .open }
        .flatMap(\.parts).filter { $0.lot == index }.reduce(0) { $0 + $1.amount }
      let used = lot.amount - lot.left - held - lot.expired
      customers[user]?.lots[index].left = 0
      if policy == .debt { owed += used + held }
      if policy == .forgive, used > 0 { count("forgiven") }
      if held > 0 { count("refunded under a hold, \(policy.rawValue)") }
    }
    let taken = take(owed, from: user).reduce(0) { $0 + $1.amount }
    if owed > taken { count("debt made") }
    customers[user]?.debt += owed - taken
    count("refunded, \(policy.rawValue)")
  }
}
