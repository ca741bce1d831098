import Foundation
import Ledger

extension Model {
  mutating func credit(
    _ grant: Grant, to account: Account, key: String, at time: Date
  ) -> Expected {
    let balance = customers[account]?.balance ?? 0
    if let charge = grant.charge {
      for (owner, customer) in customers {
        for lot in customer.lots where lot.grant.charge == charge {
          if owner != account || lot.grant.isPaid == grant.isPaid {
            return Expected(.duplicateCharge, balance: balance)
          }
        }
      }
      if refunds[charge] != nil { return Expected(.refundedCharge, balance: balance) }
    }
    let wasDue = isDue(account, at: time)
    expire(account, at: time)
    if wasDue { count("expiry inline") }
    let open = openLots(account)
    let isFull = open.count >= Self.openLotsMax
    let twin = open.filter { lot in
      !lot.grant.isPaid && lot.grant.charge == nil && lot.grant.source == grant.source
        && lot.expiresAt == grant.expiresAt ?? .distantFuture
    }.min { $0.id < $1.id }
    if isFull, grant.charge == nil, twin == nil {
      return Expected(.lotLimit, balance: customers[account]!.balance)
    }
    let id = Int64((customers[account]?.entries.count ?? 0) + 1)
    customers[account, default: Customer()].lots.append(Lot(id: id, grant: grant, left: 0))
    var target = id
    if isFull, grant.charge == nil, let twin {
      count("merged lots")
      target = twin.id
    } else if isFull {
      count(grant.isPaid ? "paid lot over the cap" : "bonus lot over the cap")
    }
    add(
      .credit, grant.amount, credits: Array(repeating: target, count: Int(grant.amount)),
      to: account, operation: "credit", key: key)
    return applied(account, amount: grant.amount)
  }

  mutating func take(
    _ kind: Ledger.Kind, _ debit: Debit, from account: Account, operation: String, at time: Date
  ) -> Expected {
    if customers[account] == nil { return Expected(.insufficient, balance: 0) }
    let wasDue = isDue(account, at: time)
    expire(account, at: time)
    if wasDue { count("expiry inline") }
    let balance = customers[account]!.balance
    if balance < debit.amount { return Expected(.insufficient, balance: balance) }
    remove(
      kind, debit.amount, credits: openCredits(account), from: account, operation: operation,
      key: debit.key)
    return applied(account, amount: debit.amount)
  }

  mutating func hold(_ charge: Charge, key: String, at time: Date) -> Expected {
    guard let account = owner(of: charge) else { return Expected(.unknown) }
    let balance = customers[account]!.balance
    if refunds[charge] != nil { return Expected(.closed, balance: balance) }
    if holds.values.contains(where: { $0.charge == charge }) {
      return Expected(.duplicateCharge, balance: balance)
    }
    expire(account, at: time)
    let left = openLots(account).filter { $0.grant.charge == charge }
    if left.isEmpty { return Expected(.none, balance: customers[account]!.balance) }
    let parts = left.map { Part(lot: $0.id, amount: $0.left) }
    let held = credits(parts)
    remove(
      .hold, Int64(held.count), credits: held, from: account, operation: "hold_charge", key: key)
    holds[key] = Hold(account: account, parts: parts, charge: charge)
    return applied(account, amount: Int64(held.count))
  }

  func owner(of charge: Charge) -> Account? {
    customers.first { $0.value.lots.contains { $0.grant.charge == charge } }?.key
  }

  mutating func close(
    _ holdKey: String, used: Int64, key: String, operation: String, at time: Date
  ) -> Expected {
    guard let hold = holds[holdKey] else {
      guard let account = closedHolds[holdKey] else { return Expected(.unknown) }
      return Expected(.closed, balance: customers[account]!.balance)
    }
    if operation == "commit", hold.charge != nil { return Expected(.invalid) }
    let account = hold.account
    let held = credits(hold.parts)
    expire(account, at: time)
    let balance = customers[account]!.balance
    if used > held.count, balance < used - Int64(held.count) {
      return Expected(.insufficient, balance: balance)
    }
    holds[holdKey] = nil
    closedHolds[holdKey] = account
    settle(
      account, used: Array(held.prefix(Int(used))), back: Array(held.dropFirst(Int(used))),
      extra: Array(openCredits(account).prefix(max(0, Int(used) - held.count))),
      operation: operation, at: time)
    let last = customers[account]!.entries.count - 1
    customers[account]!.entries[last].key = key
    if hold.charge != nil { count("refund hold released") }
    if used > held.count { count("commit above the hold") }
    return applied(account, amount: used)
  }

  /// Everything returns, what was used leaves again, then what came back to a dead lot. Living
  /// credits repay debt in burn order; what leaves again repays only what they cannot, the last
  /// to leave first.
  private mutating func settle(
    _ account: Account, used: [Int64], back: [Int64], extra: [Int64], operation: String,
    at time: Date
  ) {
    func isRefunded(_ id: Int64) -> Bool {
      lot(id, of: account).grant.charge.map { refunds[$0] == .forgive } ?? false
    }
    func isExpired(_ id: Int64) -> Bool { lot(id, of: account).expiresAt <= time }
    let clawed = back.filter(isRefunded)
    let expired = back.filter { !isRefunded($0) && isExpired($0) }
    let alive = back.filter { !isRefunded($0) && !isExpired($0) }
    let forgiven = used.filter(isRefunded)
    if !expired.isEmpty { count("expiry while held") }
    if used.contains(where: isExpired) { count("commit of expired credits") }
    if !clawed.isEmpty { count("refunded while held") }
    if !forgiven.isEmpty { count("forgiven by commit") }
    add(
      .release, Int64(used.count + back.count),
      credits: used + expired + clawed + alive.reversed(), to: account, operation: operation)
    if !(used + extra).isEmpty {
      remove(
        .debit, Int64(used.count + extra.count), credits: used + extra, from: account,
        operation: operation)
    }
    if !expired.isEmpty {
      remove(
        .expire, Int64(expired.count), credits: expired, from: account, operation: operation)
    }
    if !forgiven.isEmpty {
      add(
        .forgive, Int64(forgiven.count), credits: forgiven, to: account, operation: operation)
    }
    if !(forgiven + clawed).isEmpty {
      remove(
        .clawback, Int64(forgiven.count + clawed.count), credits: forgiven + clawed,
        from: account, operation: operation)
    }
  }

  mutating func clawback(
    _ charge: Charge, key: String, policy: DebtPolicy, at time: Date
  ) -> Expected {
    guard let account = owner(of: charge) else { return Expected(.unknown) }
    if refunds[charge] != nil {
      return Expected(.closed, balance: customers[account]!.balance)
    }
    expire(account, at: time)
    refunds[charge] = policy
    var (taken, held, expired): (Int64, Int64, Int64) = (0, 0, 0)
    var used: [Int64] = []
    for lot in inBurnOrder(customers[account]!.lots.filter { $0.grant.charge == charge }) {
      func amountHeld(forRefund: Bool) -> Int64 {
        holds.values.filter { $0.account == account && ($0.charge == charge) == forRefund }
          .flatMap(\.parts).filter { $0.lot == lot.id }.reduce(0) { $0 + $1.amount }
      }
      let here = lot.left + amountHeld(forRefund: true)
      taken += here
      held += amountHeld(forRefund: false)
      expired += lot.expired
      let rest = lot.grant.amount - here - amountHeld(forRefund: false) - lot.expired
      used += Array(repeating: lot.id, count: Int(rest))
    }
    if let (holdKey, hold) = holds.first(where: { $0.value.charge == charge }) {
      holds[holdKey] = nil
      closedHolds[holdKey] = account
      count("refund hold clawed back")
      let back = credits(hold.parts)
      add(.release, Int64(back.count), credits: back, to: account, operation: "clawback")
    }
    if policy == .forgive, !used.isEmpty {
      count("forgiven")
      add(.forgive, Int64(used.count), credits: used, to: account, operation: "clawback")
    }
    let own = openLots(account).filter { $0.grant.charge == charge }
    let others = policy == .debt ? openLots(account).filter { $0.grant.charge != charge } : []
    remove(
      .clawback, taken + Int64(used.count) + (policy == .debt ? held : 0),
      credits: credits((own + others).map { Part(lot: $0.id, amount: $0.left) }), from: account,
      operation: "clawback", key: key, isBurnOrder: false)
    if customers[account]!.balance < 0, policy == .debt { count("debt created") }
    var answer = applied(account, amount: 0)
    answer.amount = nil
    answer.clawback = [taken, Int64(used.count), held, expired]
    return answer
  }
}
