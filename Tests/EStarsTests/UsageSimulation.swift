import Foundation
import Ledger
import Postgres
import TestSupport

@_spi(Guard) @testable import EStars

/// The model and the product side by side: one random operation after the other.
struct UsageSimulation {
  let fixture: Fixture
  var model: UsageModel
  var random: SeededGenerator
  var time: Date
  var operations = 0
  var log: [String] = []
  private var serial = 0
  private var strangers: Int64 = 5_000
  private var sent: [Sent] = []
  /// Charges that may be refunded, and who paid them.
  private var charges: [(charge: String, user: Int64)] = []

  /// A debit or hold as it was sent, for another try.
  private struct Sent {
    let user: Int64
    let action: String
    let units: Int64
    let seconds: Int?
    let key: String
  }

  /// Whether New York's summer ends within the run.
  static let start = Date(timeIntervalSince1970: 1_792_800_000)
  static let zone = "America/New_York"
  static let rules: [String: UsageModel.Rule] = [
    "plain": .init(price: 1),
    "costly": .init(price: 3, maxUnits: 4),
    "stems": .init(
      price: 2, unmetered: "unlimited",
      allowances: [
        "free": .init(day: 3, month: 12, free: 1),
        "pro": .init(month: 60, free: 2, freePeriod: .day),
      ]),
    "daily": .init(price: 1, allowances: ["free": .init(day: 5, month: 30, lifetime: 15)]),
    "gift": .init(price: 0, allowances: ["free": .init(day: 2), "pro": .init(day: 10)]),
    "hd": .init(price: 0, required: "hd_quality"),
  ]

  init(fixture: Fixture, seed: UInt64) {
    self.fixture = fixture
    random = SeededGenerator(seed: seed)
    time = Self.start
    model = UsageModel(rules: Self.rules, timeZone: TimeZone(identifier: Self.zone) ?? .gmt)
  }

  private var scope: WorkspaceScope { fixture.scope }

  private mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  private mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

  private mutating func newKey() -> String {
    serial += 1
    return "k\(serial)"
  }

  private mutating func user() -> Int64 {
    if chance(2) {
      strangers += 1
      return strangers
    }
    return Int64(1 + number(0...39))
  }

  private mutating func action() -> String {
    if chance(1) { return "nothing" }
    return ["plain", "costly", "stems", "stems", "daily", "gift", "hd"].randomElement(
      using: &random)
      ?? "plain"
  }

  private mutating func units() -> Int64 { Int64(chance(70) ? 1 : number(1...6)) }

  /// One operation on both sides. Returns how they differ.
  mutating func step() async throws -> [String] {
    operations += 1
    time.addTimeInterval(Double(number(1...250) == 1 ? number(0...172_800) : number(0...500)))
    switch number(1...100) {
    case ...9: return try await pay()
    case ...12: return try await promote()
    case ...22: return try await check()
    case ...58: return try await debit()
    case ...76: return try await hold()
    case ...94: return try await close()
    case ...96: return try await expireHolds()
    case ...98: return try await refund()
    case 99: return try await changeRules()
    default: return try await probeUnknown()
    }
  }

  private mutating func pay() async throws -> [String] {
    serial += 1
    let (user, charge, at) = (user(), "c\(serial)", time)
    let days: Int? = chance(40) ? number(1...12) : nil
    let expires = days.map { at.addingTimeInterval(Double($0) * 86_400) }
    var lots = [lot("paid-\(charge)", charge, true, Int64(number(2...12)), expires)]
    if chance(30) { lots.append(lot("bonus-\(charge)", charge, false, 2, expires)) }
    let entitlement: (String, days: Int)? =
      chance(35)
      ? [("pro", 9), ("unlimited", 2), ("hd_quality", 6)].randomElement(using: &random) : nil
    let isNew = entitlement.map { feature in
      !(model.customers[user]?.access ?? []).contains {
        $0.entitlement == feature.0 && at < $0.endsAt && model.refunds[$0.charge] == nil
      }
    }
    log.append("\(user) pays \(charge): \(lots.map(\.amount)), \(entitlement?.0 ?? "-")")
    try await grant(lots, charge, to: user, at)
    model.grant(lots, to: user, at: at)
    charges.append((charge, user))
    if let entitlement, isNew == true {
      try await fixture.pool.transaction(in: scope) { tx in
        let customer = try await tx.customer(telegramID: user, name: nil, in: scope, at: at)
        try await tx.grantAccess(
          entitlement.0, days: entitlement.days, customerID: customer.id, botID: fixture.bot.id,
          chargeID: charge, in: scope, at: at)
      }
      model.customers[user]?.access.append(
        .init(
          entitlement: entitlement.0, charge: charge, startsAt: at,
          endsAt: at.addingTimeInterval(Double(entitlement.days) * 86_400)))
    }
    return try await compare(user)
  }

  private mutating func promote() async throws -> [String] {
    serial += 1
    let (user, at) = (user(), time)
    let lot = lot(
      "promo-\(serial)", nil, false, Int64(number(1...4)),
      at.addingTimeInterval(Double(number(1...6)) * 10_000))
    log.append("\(user) is given \(lot.amount)")
    try await grant([lot], nil, to: user, at)
    model.grant([lot], to: user, at: at)
    return try await compare(user)
  }

  private func lot(
    _ name: String, _ charge: String?, _ isPaid: Bool, _ amount: Int64, _ expires: Date?
  ) -> UsageModel.Lot {
    .init(
      name: name, charge: charge, isPaid: isPaid, amount: amount,
      expiresAt: expires ?? .distantFuture, left: 0)
  }

  private func grant(
    _ lots: [UsageModel.Lot], _ charge: String?, to user: Int64, _ at: Date
  ) async throws {
    try await fixture.pool.transaction(in: scope) { tx in
      let customer = try await tx.customer(telegramID: user, name: nil, in: scope, at: at)
      for lot in lots {
        let grant = Grant(
          lot.amount, source: lot.isPaid ? .payment : charge == nil ? .promo : .bonus,
          charge: charge.map { Charge(botID: fixture.bot.id, chargeID: $0) }, isPaid: lot.isPaid,
          expiresAt: lot.expiresAt == .distantFuture ? nil : lot.expiresAt,
          stars: lot.isPaid ? lot.amount : nil, reason: lot.name)
        let answer = try await tx.credit(
          grant, to: Account(customer.id), key: "sim:\(lot.name)", in: scope, at: at)
        guard answer.status == .applied else { throw Difference("a grant: \(answer.status)") }
      }
    }
  }

  struct Difference: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  private mutating func check() async throws -> [String] {
    let (user, action, units) = (user(), action(), units())
    log.append("\(user) may \(units) \(action)?")
    let request = CheckRequest(telegramID: user, action: action, units: units)
    let row = try await fixture.pool.query(
      Usage.checking([request], in: scope, at: time), in: scope)[0]
    let answer = try UsageAnswer(row)
    var differences = differ(answer, model.check(user, action, units, at: time))
    let tier = model.tier(user, at: time)
    if answer.tier != tier { differences.append("tier \(answer.tier ?? "-"), expected \(tier)") }
    return try await differences + compare(user)
  }

  /// One debit, or several of one customer that share a transaction.
  private mutating func debit() async throws -> [String] {
    let count = chance(20) ? number(2...5) : 1
    let user = user()
    var batch: [Sent] = []
    for _ in 0..<count { batch.append(again(user, isHold: false) ?? fresh(user, seconds: nil)) }
    if count > 1 { model.count("debits together") }
    log.append("debits \(batch)")
    let requests = batch.map { sent in
      DebitRequest(
        check: CheckRequest(telegramID: sent.user, action: sent.action, units: sent.units),
        ref: nil, idempotencyKey: sent.key, botID: fixture.bot.id)
    }
    let answers = try await fixture.pool.query(
      Usage.posting(requests, in: scope, at: time), in: scope
    ).map(UsageAnswer.init)
    var differences: [String] = []
    // By action, and as they came; an action that there is not comes last.
    let order = batch.indices.sorted { left, right in
      let (a, b) = (batch[left].action, batch[right].action)
      let (isA, isB) = (model.rules[a] == nil, model.rules[b] == nil)
      if isA != isB { return isB }
      return a == b ? left < right : a < b
    }
    for index in order {
      let sent = batch[index]
      let expected = model.debit(
        sent.user, sent.action, sent.units, key: sent.key, at: time)
      differences += differ(answers[index], expected)
      if expected.status == .applied { self.sent.append(sent) }
    }
    return try await differences + compare(user)
  }

  private mutating func fresh(_ user: Int64, seconds: Int?) -> Sent {
    Sent(user: user, action: action(), units: units(), seconds: seconds, key: newKey())
  }

  /// Now and then a key that was used before, for the same request or another one.
  private mutating func again(_ user: Int64, isHold: Bool) -> Sent? {
    guard chance(9), let known = sent.randomElement(using: &random),
      known.user == user || chance(40)
    else { return nil }
    if chance(35) {
      return Sent(
        user: user, action: known.action, units: known.units + 1,
        seconds: isHold ? 60 : nil, key: known.key)
    }
    return known.user == user || isHold == (known.seconds != nil)
      ? Sent(
        user: known.user == user ? user : known.user, action: known.action, units: known.units,
        seconds: isHold ? known.seconds ?? 60 : nil, key: known.key) : nil
  }

  private mutating func hold() async throws -> [String] {
    let user = user()
    let seconds = chance(20) ? number(1...86_400) : number(60...7200)
    let sent = again(user, isHold: true) ?? fresh(user, seconds: seconds)
    log.append("hold \(sent)")
    let request = HoldRequest(
      check: CheckRequest(telegramID: sent.user, action: sent.action, units: sent.units),
      ref: nil, seconds: sent.seconds ?? 60, idempotencyKey: sent.key, botID: fixture.bot.id)
    let answer = try HoldAnswer(
      try await fixture.pool.query(
        Usage.holding(request, in: scope, at: time), in: scope)[0])
    let expected = model.hold(
      sent.user, sent.action, sent.units, seconds: sent.seconds ?? 60, key: sent.key,
      id: answer.hold?.id, at: time)
    if expected.0.status == .applied { self.sent.append(sent) }
    var differences: [String] = []
    if answer.usage.status == .replayed, expected.0.status == .replayed {
      if answer.hold?.id != expected.hold || answer.hold?.credits != expected.0.cost {
        differences.append("replayed hold \(String(describing: answer.hold))")
      }
    } else {
      differences = differ(answer.usage, expected.0)
    }
    return try await differences + compare(sent.user)
  }

  private mutating func close() async throws -> [String] {
    let isAny = chance(12)
    let candidates = model.holds.values.filter { isAny || $0.state == .open }.map(\.id).sorted()
    guard let id = candidates.randomElement(using: &random), let hold = model.holds[id] else {
      return []
    }
    let isCommit = chance(65)
    let part: Int64? = chance(40) ? nil : Int64(number(0...Int(hold.units) + (chance(8) ? 1 : 0)))
    let used = chance(4) ? sent.randomElement(using: &random)?.key : nil
    let closed = chance(10) ? model.memories.filter { $0.value.hold == id }.keys.min() : nil
    let key = used ?? closed ?? (isCommit || chance(80) ? newKey() : nil)
    return try await close(id, hold.user, isCommit ? .committed : .released, part, key)
  }

  private mutating func close(
    _ id: Int64, _ user: Int64, _ state: UsageHold.State, _ units: Int64?, _ key: String?
  ) async throws -> [String] {
    log.append("\(state) \(id) of \(user) \(units.map(String.init) ?? "all") with \(key ?? "-")")
    let isCommit = state == .committed
    func send(_ tries: Int) async throws -> HoldCloseAnswer {
      let sql =
        switch state {
        case .committed:
          Usage.committing(id, units: units, key: key ?? "", in: scope, at: time)
        case .expired: Usage.expiring(id, in: scope, at: time)
        default: Usage.releasing(id, key: key, in: scope, at: time)
        }
      return try HoldCloseAnswer(try await fixture.pool.query(sql, in: scope)[0])
    }
    var differences: [String] = []
    // Sometimes it is sent twice.
    for _ in 0..<(key != nil && chance(10) ? 2 : 1) {
      let answer = try await send(1)
      let status = model.close(id, state, units: isCommit ? units : nil, key: key, at: time)
      if answer.status != status {
        differences.append("hold \(id) answered \(answer.status), expected \(status)")
      }
      guard let hold = model.holds[id], let stored = answer.hold else { continue }
      if stored.state != hold.state || stored.usedUnits != hold.usedUnits
        || stored.usedCredits != hold.usedCredits
      {
        differences.append("hold \(stored), expected \(hold)")
      }
      if status == .applied, stored.closeBalance != model.balance(user) {
        differences.append("closed at \(stored.closeBalance ?? -1), not \(model.balance(user))")
      }
    }
    return try await differences + compare(user)
  }

  /// What the job does: closes what is due.
  private mutating func expireHolds() async throws -> [String] {
    let due = try await UsageHold.due(at: time, limit: 500, in: scope, fixture.pool)
    let expected = model.holds.values.filter { $0.state == .open && $0.expiresAt <= time }
    var differences =
      Set(due) == Set(expected.map(\.id)) ? [] : ["due \(due), expected \(expected.map(\.id))"]
    for id in due {
      guard let hold = model.holds[id] else { continue }
      differences += try await close(id, hold.user, .expired, nil, nil)
    }
    return differences
  }

  private mutating func refund() async throws -> [String] {
    guard let (charge, user) = nextRefund() else { return [] }
    let (policy, at) = (chance(50) ? DebtPolicy.debt : .forgive, time)
    log.append("refund \(charge) of \(user), \(policy)")
    let answer = try await fixture.pool.transaction(in: scope) { tx in
      _ = try await tx.endAccess(
        botID: fixture.bot.id, chargeID: charge, reason: "refund", in: scope, at: at)
      return try await tx.clawback(
        Charge(botID: fixture.bot.id, chargeID: charge), key: "refund:\(charge)", policy: policy,
        in: scope, at: at)
    }
    model.refund(charge, of: user, policy, at: at)
    let differences = answer.status == .applied ? [] : ["refund answered \(answer.status)"]
    return try await differences + compare(user)
  }

  /// Any charge, or one of which a hold has credits.
  private mutating func nextRefund() -> (charge: String, user: Int64)? {
    let held = charges.indices.filter { index in
      let (charge, user) = charges[index]
      let lots = model.customers[user]?.lots ?? []
      return model.holds.values.contains { hold in
        hold.user == user && hold.state == .open
          && hold.parts.contains { lots[$0.lot].charge == charge }
      }
    }
    let index = chance(90) ? held.randomElement(using: &random) : nil
    guard let index = index ?? charges.indices.randomElement(using: &random) else { return nil }
    return charges.remove(at: index)
  }

  /// Prices and limits change under way; what was, stays.
  private mutating func changeRules() async throws -> [String] {
    let (price, month) = (Int64(number(1...2)), Int64(number(6...14)))
    log.append("plain costs \(price), \(month) stems a month")
    model.rules["plain"]?.price = price
    model.rules["stems"]?.allowances["free"]?.month = month
    model.count("rules changed")
    let workspace = scope.workspaceID
    try await fixture.pool.transaction(in: scope) { tx in
      try await tx.execute(
        """
        update actions set price_credits = \(price)
        where workspace_id = \(workspace) and action = 'plain'
        """)
      try await tx.execute(
        """
        update action_tiers set units_per_month = \(month)
        where workspace_id = \(workspace) and action = 'stems' and tier = 'free'
        """)
    }
    return []
  }

  private mutating func probeUnknown() async throws -> [String] {
    let key = newKey()
    let answer = try HoldCloseAnswer(
      try await fixture.pool.query(
        Usage.committing(987_654_321, units: 1, key: key, in: scope, at: time), in: scope)[0])
    let expected = model.close(987_654_321, .committed, units: 1, key: key, at: time)
    return answer.status == expected ? [] : ["unknown hold answered \(answer.status)"]
  }
}
