import Foundation
import Ledger

@testable import EStars

/// What usage means, written for clarity alone: lots, access, uses and holds stand in lists, and
/// every number is counted from them anew.
struct UsageModel {
  struct Lot {
    let name: String
    let charge: String?
    let isPaid: Bool
    let amount: Int64
    let expiresAt: Date
    var left: Int64
    var expired: Int64 = 0
  }

  struct Part {
    let lot: Int
    var amount: Int64
  }

  struct Access {
    let entitlement: String
    let charge: String
    let startsAt: Date
    let endsAt: Date
  }

  /// Units of an action that count, at the moment of their use.
  struct Use {
    let action: String
    /// The beginning of each period that it belongs to.
    let starts: [Quota.Period: Date]
    var units: Int64
    var free: Int64
  }

  struct Customer {
    var lots: [Lot] = []
    var debt: Int64 = 0
    var access: [Access] = []
    var uses: [Use] = []
  }

  struct Hold {
    let id: Int64
    let user: Int64
    let action: String
    let units: Int64
    let price: Int64
    let free: Int64
    let parts: [Part]
    /// Which of the customer's uses it is; nil where nothing is counted.
    let use: Int?
    let expiresAt: Date
    var state = UsageHold.State.open
    var usedUnits: Int64?
    var usedCredits: Int64?

    var credits: Int64 { price * (units - free) }
  }

  struct Allowance {
    var day: Int64?
    var month: Int64?
    var lifetime: Int64?
    var free: Int64 = 0
    var freePeriod = Quota.Period.month

    subscript(period: Quota.Period) -> Int64? {
      switch period {
      case .day: day
      case .month: month
      case .lifetime: lifetime
      }
    }
  }

  struct Rule {
    var price: Int64
    var maxUnits: Int64 = 1000
    var required: String?
    var unmetered: String?
    /// By tier; an action with none is not counted.
    var allowances: [String: Allowance] = [:]
  }

  /// What a request is answered, as far as the rules decide it.
  struct Answer: Equatable {
    var status: UsageStatus
    var cost: Int64 = 0
    var balance: Int64 = 0
    var free: Int64 = 0
    var entitlement: String?
    var period: Quota.Period?
    var limit: Int64?
    var used: Int64?
    var resetsAt: Date?
  }

  struct Memory {
    let operation: String
    let fingerprint: String
    let answer: Answer
    /// Of holds and what closes them.
    var hold: Int64?
  }

  static let threshold: Int64 = 3
  var rules: [String: Rule]
  let calendar: Calendar
  var customers: [Int64: Customer] = [:]
  var holds: [Int64: Hold] = [:]
  var refunds: [String: DebtPolicy] = [:]
  var memories: [String: Memory] = [:]
  /// How often each outcome was met.
  var tally: [String: Int] = [:]

  init(rules: [String: Rule], timeZone: TimeZone) {
    self.rules = rules
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    self.calendar = calendar
  }

  mutating func count(_ outcome: String) { tally[outcome, default: 0] += 1 }

  // What a customer has.

  func hasAccess(_ user: Int64, _ entitlement: String, at: Date) -> Bool {
    customers[user]?.access.contains {
      $0.entitlement == entitlement && $0.startsAt <= at && at < $0.endsAt
        && refunds[$0.charge] == nil
    } ?? false
  }

  func tier(_ user: Int64, at: Date) -> String { hasAccess(user, "pro", at: at) ? "pro" : "free" }

  func balance(_ user: Int64) -> Int64 {
    guard let customer = customers[user] else { return 0 }
    return customer.lots.reduce(0) { $0 + $1.left } - customer.debt
  }

  func held(_ user: Int64) -> Int64 {
    holds.values.filter { $0.user == user && $0.state == .open }.reduce(0) { $0 + $1.credits }
  }

  /// Open lots: soonest expiry first, then unpaid before paid, then oldest.
  func openLots(_ user: Int64) -> [Int] {
    guard let lots = customers[user]?.lots else { return [] }
    return lots.indices.filter { lots[$0].left > 0 }.sorted {
      if lots[$0].expiresAt != lots[$1].expiresAt { return lots[$0].expiresAt < lots[$1].expiresAt }
      if lots[$0].isPaid != lots[$1].isPaid { return !lots[$0].isPaid }
      return $0 < $1
    }
  }

  /// What is over is gone for everybody, whoever notices it.
  mutating func expire(_ user: Int64, at: Date) {
    guard let lots = customers[user]?.lots else { return }
    for index in lots.indices where lots[index].left > 0 && lots[index].expiresAt <= at {
      customers[user]?.lots[index].expired += lots[index].left
      customers[user]?.lots[index].left = 0
      count("expiry")
    }
  }

  // What a tier allows.

  func starts(_ period: Quota.Period, _ at: Date) -> Date {
    switch period {
    case .day: calendar.startOfDay(for: at)
    case .month: calendar.dateInterval(of: .month, for: at)?.start ?? at
    case .lifetime: .distantPast
    }
  }

  func resets(_ period: Quota.Period, _ at: Date) -> Date? {
    switch period {
    case .day: calendar.dateInterval(of: .day, for: at)?.end
    case .month: calendar.dateInterval(of: .month, for: at)?.end
    case .lifetime: nil
    }
  }

  func uses(_ user: Int64, _ action: String, in period: Quota.Period, _ at: Date) -> [Use] {
    let start = starts(period, at)
    return (customers[user]?.uses ?? []).filter {
      $0.action == action && $0.starts[period] == start
    }
  }

  /// The answer but for credits and keys.
  func terms(_ user: Int64, _ action: String, _ units: Int64, at: Date) -> Answer {
    guard let rule = rules[action] else { return Answer(status: .unknownAction) }
    var answer = Answer(status: .allowed, cost: rule.price * units)
    if units > rule.maxUnits {
      answer.status = .tooManyUnits
    } else if let needed = rule.required, !hasAccess(user, needed, at: at) {
      answer.status = .noAccess
      answer.entitlement = needed
    }
    guard answer.status == .allowed, !isUnmetered(user, action, at: at) else {
      if answer.status == .allowed { answer.cost = 0 }
      return answer
    }
    if let allowance = rule.allowances[tier(user, at: at)] {
      let usedFree = uses(user, action, in: allowance.freePeriod, at).reduce(0) { $0 + $1.free }
      answer.free = min(units, max(0, allowance.free - usedFree))
      answer.cost = rule.price * (units - answer.free)
      limit(&answer, allowance, user, action, units, at)
    }
    return answer
  }

  /// Of the windows without room the longest, else the one with the least left.
  private func limit(
    _ answer: inout Answer, _ allowance: Allowance, _ user: Int64, _ action: String, _ units: Int64,
    _ at: Date
  ) {
    var least = Int64.max
    for period in Quota.Period.allCases {
      guard let limit = allowance[period] else { continue }
      let used = uses(user, action, in: period, at).reduce(0) { $0 + $1.units }
      let left = limit - used
      if left < units {
        answer.status = .quotaExceeded
        least = -1
      } else if left > least || least == -1 {
        continue
      } else {
        least = left
      }
      (answer.period, answer.limit, answer.used) = (period, limit, used)
      answer.resetsAt = resets(period, at)
    }
  }

  func isUnmetered(_ user: Int64, _ action: String, at: Date) -> Bool {
    rules[action]?.unmetered.map { hasAccess(user, $0, at: at) } ?? false
  }

  func isCounted(_ user: Int64, _ action: String, at: Date) -> Bool {
    !(rules[action]?.allowances.isEmpty ?? true) && !isUnmetered(user, action, at: at)
  }
}
