import Foundation
import Ledger

/// Single movements of credits. A list of credits names the lot of each one.
extension Model {
  /// Soonest expiry first, then unpaid before paid, then oldest.
  func inBurnOrder(_ lots: [Lot]) -> [Lot] {
    lots.sorted {
      if $0.expiresAt != $1.expiresAt { return $0.expiresAt < $1.expiresAt }
      if $0.grant.isPaid != $1.grant.isPaid { return !$0.grant.isPaid }
      return $0.id < $1.id
    }
  }

  func openLots(_ account: Account) -> [Lot] {
    inBurnOrder(customers[account]?.lots.filter { $0.left > 0 } ?? [])
  }

  func credits(_ parts: [Part]) -> [Int64] {
    parts.flatMap { Array(repeating: $0.lot, count: Int($0.amount)) }
  }

  func openCredits(_ account: Account) -> [Int64] {
    credits(openLots(account).map { Part(lot: $0.id, amount: $0.left) })
  }

  func lot(_ id: Int64, of account: Account) -> Lot {
    customers[account]!.lots.first { $0.id == id }!
  }

  /// The credits' lots with amounts, in the order of the credits.
  private func parts(_ credits: [Int64]) -> [Part] {
    var parts: [Part] = []
    for id in credits {
      if let index = parts.firstIndex(where: { $0.lot == id }) {
        parts[index].amount += 1
      } else {
        parts.append(Part(lot: id, amount: 1))
      }
    }
    return parts
  }

  func partsInBurnOrder(_ credits: [Int64], of account: Account) -> [Part] {
    let parts = parts(credits)
    let lots = inBurnOrder(parts.map { lot($0.lot, of: account) })
    return lots.map { lot in parts.first { $0.lot == lot.id }! }
  }

  /// Adds `amount`: debt swallows what it can, the first of `credits` fill their lots with the rest.
  mutating func add(
    _ kind: Ledger.Kind, _ amount: Int64, credits: [Int64], to account: Account,
    operation: String, key: String? = nil
  ) {
    let debt = max(0, -(customers[account]?.balance ?? 0))
    let filled = Array(credits.prefix(Int(max(0, amount - debt))))
    for id in filled { change(id, of: account) { $0.left += 1 } }
    if debt > 0, kind == .credit || kind == .release { count("debt repaid by \(kind.rawValue)") }
    write(
      kind, amount, partsInBurnOrder(filled, of: account), account: account,
      operation: operation, key: key)
  }

  /// Takes `amount` out of `credits`, and what they cannot give as debt.
  mutating func remove(
    _ kind: Ledger.Kind, _ amount: Int64, credits: [Int64], from account: Account,
    operation: String, key: String? = nil, isBurnOrder: Bool = true
  ) {
    var burned: [Int64] = []
    for id in credits.prefix(Int(amount)) where lot(id, of: account).left > 0 {
      change(id, of: account) { lot in
        lot.left -= 1
        if kind == .expire { lot.expired += 1 }
      }
      burned.append(id)
    }
    let parts = isBurnOrder ? partsInBurnOrder(burned, of: account) : parts(burned)
    if parts.count > 1, kind == .debit || kind == .hold { count("cross-lot burn") }
    write(kind, -amount, parts, account: account, operation: operation, key: key)
  }

  func isDue(_ account: Account, at time: Date) -> Bool {
    openLots(account).contains { $0.expiresAt <= time }
  }

  /// Every posting expires first what is due.
  mutating func expire(_ account: Account, at time: Date) {
    let due = openLots(account).filter { $0.expiresAt <= time }
    if due.isEmpty { return }
    let gone = credits(due.map { Part(lot: $0.id, amount: $0.left) })
    remove(.expire, Int64(gone.count), credits: gone, from: account, operation: "expire")
  }

  private mutating func change(_ id: Int64, of account: Account, _ body: (inout Lot) -> Void) {
    let index = customers[account]!.lots.firstIndex { $0.id == id }!
    body(&customers[account]!.lots[index])
  }

  private mutating func write(
    _ kind: Ledger.Kind, _ amount: Int64, _ parts: [Part], account: Account, operation: String,
    key: String?
  ) {
    let before = customers[account, default: Customer()].balance
    customers[account, default: Customer()].balance = before + amount
    customers[account]!.entries.append(
      Entry(
        version: Int64(customers[account]!.entries.count + 1), kind: kind, operation: operation,
        amount: amount, balanceAfter: before + amount, parts: parts, key: key))
  }
}
