import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Somebody who does random things in a workspace beside others who do, at random times of the past
/// months; some of it takes its time to be committed.
struct RollupHistory {
  let fixture: Fixture
  let number: Int
  var random: SeededGenerator
  private(set) var done: [String: Int] = [:]
  private var serial = 0
  private var charges: [(charge: String, user: Int64, stars: Int64)] = []
  private var holds: [Int64] = []

  init(fixture: Fixture, seed: UInt64, number: Int) {
    self.fixture = fixture
    self.number = number
    random = SeededGenerator(seed: seed &+ UInt64(number) &* 7919)
  }

  private var pool: Pool { fixture.pool }
  private var id: Int64 { fixture.workspace.id }

  private mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  /// Few enough that several write about the same customer.
  private mutating func user() -> Int64 { 7_900_001 + Int64(number(0...11)) }

  private mutating func key() -> String {
    serial += 1
    return "figures-\(number)-\(serial)"
  }

  /// The workspace at some time of the last forty days, or of the last minutes: what is of one day
  /// is written on several.
  private mutating func moment() -> WorkspaceScope {
    let seconds = number(1...3) == 1 ? number(0...600) : number(0...40 * 86_400)
    return WorkspaceScope(workspaceID: id, clockOffsetSeconds: -seconds)
  }

  mutating func step() async throws {
    let choice = number(1...100)
    do {
      switch choice {
      case ...15: try await pay()
      case ...22: try await refund()
      case ...50: try await use()
      case ...62: try await useSlowly()
      case ...72: try await hold()
      case ...82: try await close()
      case ...88: try await tryOut()
      case ...92: try await give()
      case ...95: try await expire()
      case ...97: try await changeCost()
      default: try await openAndCancel()
      }
    } catch let error as PostgresError
      where [.deadlockDetected, .uniqueViolation, .serializationFailure].contains(error.sqlState)
    {
      note("gave way")
    }
  }

  private mutating func note(_ what: String) { done[what, default: 0] += 1 }

  private mutating func pay() async throws {
    let (scope, user, charge) = (moment(), user(), key())
    let sku = ["start", "pop", "try"].randomElement(using: &random) ?? "start"
    let isKnown = number(1...6) > 1
    let checkout = try? await fixture.checkout(sku, for: user, key: charge)
    let stars = checkout?.stars ?? 60
    let handled = try await fixture.platform.updates.receive(
      Sent.payment(
        update: Int64(number(1...1_000_000_000)), from: user, stars: stars,
        payload: isKnown ? checkout?.payload ?? "foreign" : "foreign", charge: charge,
        at: Int64(scope.now.timeIntervalSince1970)),
      for: fixture.bot, in: fixture.workspace, scope: scope)
    charges.append((charge, user, stars))
    note(handled.word)
  }

  private mutating func refund() async throws {
    // One in ten comes before its payment.
    let isStranger = charges.isEmpty || number(1...10) == 1
    let index = isStranger ? 0 : number(0...charges.count - 1)
    let sale = isStranger ? (charge: key(), user: user(), stars: 75) : charges.remove(at: index)
    let scope = moment()
    let handled = try await fixture.platform.updates.receive(
      Sent.refund(
        update: Int64(number(1...1_000_000_000)), payer: sale.user, stars: sale.stars, payload: "",
        charge: sale.charge), for: fixture.bot, in: fixture.workspace, scope: scope)
    note(handled.word)
    guard isStranger, number(1...2) == 1 else { return }
    _ = try await fixture.platform.updates.receive(
      Sent.payment(
        update: Int64(number(1...1_000_000_000)), from: sale.user, stars: sale.stars,
        payload: "foreign", charge: sale.charge, at: Int64(scope.now.timeIntervalSince1970)),
      for: fixture.bot, in: fixture.workspace, scope: scope)
    note("payment after its refund")
  }

  private mutating func use() async throws {
    let action =
      ["sticker", "company_lookup", "stem_separation", "stem_separation"]
      .randomElement(using: &random) ?? "sticker"
    let request = DebitRequest(
      check: CheckRequest(telegramID: user(), action: action, units: Int64(number(1...3))),
      ref: nil, idempotencyKey: key(), botID: number(1...4) == 1 ? nil : fixture.bot.id)
    let answer = try await fixture.platform.usage.debit(request, in: moment())
    note("debit \(answer.status.rawValue)")
  }

  /// In a transaction that others overtake, and that sometimes comes to nothing.
  private mutating func useSlowly() async throws {
    let (scope, user, key) = (moment(), user(), key())
    let (pause, isUndone) = (number(5...60), number(1...5) == 1)
    struct Undone: Error {}
    do {
      try await pool.transaction(in: scope) { tx in
        let customer = try await tx.customer(
          telegramID: user, name: nil, in: scope, at: scope.now)
        _ = try await tx.debit(
          Debit(1, key: "api:\(key)", action: "sticker", units: 1),
          from: Account(customer.id), in: scope, at: scope.now)
        try await Task.sleep(for: .milliseconds(pause))
        if isUndone { throw Undone() }
      }
      note("committed late")
    } catch is Undone { note("undone") }
  }

  private mutating func hold() async throws {
    let action = number(1...3) == 1 ? "stem_separation" : "sticker"
    let answer = try await fixture.platform.usage.hold(
      HoldRequest(
        check: CheckRequest(telegramID: user(), action: action, units: Int64(number(1...4))),
        ref: nil, seconds: 3600, idempotencyKey: key(), botID: fixture.bot.id), in: moment())
    if let hold = answer.hold { holds.append(hold.id) }
    note("hold \(answer.usage.status.rawValue)")
  }

  private mutating func close() async throws {
    guard let hold = holds.popLast() else { return }
    let units = Int64(number(0...4))
    let scope = moment()
    let answer = try await fixture.platform.usage.commit(
      hold: hold, units: units, key: key(), in: scope)
    note("commit \(answer.status.rawValue)")
  }

  private mutating func tryOut() async throws {
    let source = ["", "google", "telegram_ads", "friend"].randomElement(using: &random) ?? ""
    let request = TrialRequest(
      telegramID: user() + (number(1...2) == 1 ? 100 : 0), engagement: 9, intent: 9,
      source: source, idempotencyKey: key())
    let grant = try await TrialGrant.decide(request, with: fixture.bot, in: moment(), pool).grant
    note("trial \(grant.outcome.rawValue)")
  }

  private mutating func give() async throws {
    let (scope, user, key, days) = (moment(), user(), key(), number(1...20))
    let amount = Int64(number(3...20))
    try await pool.transaction(in: scope) { tx in
      let customer = try await tx.customer(telegramID: user, name: nil, in: scope, at: scope.now)
      _ = try await tx.credit(
        Grant(
          amount, source: .promo, expiresAt: scope.now.addingTimeInterval(Double(days) * 86_400)),
        to: Account(customer.id), key: "job:\(key)", in: scope, at: scope.now)
    }
    note("grant")
  }

  private mutating func expire() async throws {
    try await Worker(platform: fixture.platform).expireLots(in: fixture.scope)
    note("expiry")
  }

  private mutating func changeCost() async throws {
    let (scope, micros) = (moment(), Int64(number(0...900_000)))
    let currency = number(1...2) == 1 ? "BRL" : "USD"
    try await pool.transaction(in: scope) { tx in
      try await tx.writeCost(
        of: "sticker", micros: micros, currency: currency, in: scope, at: scope.now)
    }
    note("cost changed")
  }

  private mutating func openAndCancel() async throws {
    let user = user()
    _ = try? await fixture.checkout("start", for: user, key: key())
    _ = try? await fixture.checkout("pop", for: user, key: key())
    note("checkouts")
  }
}

extension UpdateIntake.Handled {
  fileprivate var word: String {
    if case .stored(let outcome, _, _) = self { outcome } else { "not stored" }
  }
}
