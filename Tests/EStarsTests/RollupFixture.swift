import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

extension Usage {
  func use(_ action: String, by user: Int64, _ fixture: Fixture) async throws {
    let request = DebitRequest(
      check: CheckRequest(telegramID: user, action: action, units: 1), ref: nil,
      idempotencyKey: UUID().uuidString, botID: fixture.bot.id)
    #expect(try await debit(request, in: fixture.scope).status == .applied)
  }
}

extension Fixture {
  /// What a refund does to the figures of one payment and its six uses.
  func refundFigures(of paid: Payment, _ user: Int64) async throws {
    let rollup = Rollup(platform)
    // A refund counts on its own day, once however often its row is written.
    let refund = try await request(paid)
    try await decide(refund, .decline(.other))
    _ = try await receive(
      Sent.refund(update: 9, payer: user, stars: 49, payload: "", charge: "first"))
    #expect(try await rollup.catchUp(in: scope).isCurrent)
    #expect(
      try await rows(
        "select sum(stars) as stars, sum(stars_refunded) as back, sum(refunds) as n "
          + "from sale_days") == ["124 49 1"])
    // What the refund forgave of what was used is no income.
    #expect(
      try await rows(
        "select sum(stars_micros) as m from customer_days") == ["0"])
    try await rollup.countTops(in: scope)
    #expect(
      try await rows(
        "select measure, rank, amount from customer_tops where days = 0 order by 1")
        == ["credits_used 1 6", "loss 1 600000", "net_stars 1 75"])
  }

  /// The rows as text.
  func rows(_ sql: String) async throws -> [String] {
    try await pool.query(SQL(unsafe: sql), in: scope).map { row in
      try row.columns.map { try row.get($0, as: String.self) }.joined(separator: " ")
    }
  }

  func used() async throws -> Int64 {
    try await pool.query(
      "select -sum(credits)::bigint as used from credit_days where kind = 'debit'", in: scope)[0]
      .get("used")
  }

  /// Buys a plan, renews it, is told of its end; tries another one first.
  func subscribe() async throws -> [String: Int] {
    let start = Date().addingTimeInterval(-100 * 86_400)
    let story = SubscriptionFixture(fixture: self, start: start)
    func days(_ day: Double) -> Double { day - 100 }
    for (number, user) in [Int64](7_900_031...7_900_034).enumerated() {
      if number < 2 {
        _ = try await Subscription.startTrial(
          TrialStart(telegramID: user, plan: "pro", idempotencyKey: "trial-\(user)"), with: bot,
          by: Actor(.bot, "b"), in: story.scope(days(-5)), pool)
      }
      let sale = try await story.checkout("pro", for: user, days: days(0))
      try await pay(story, sale, user, "a\(user)", 0, isFirst: true)
      try await pay(story, sale, user, "b\(user)", 30)
      if number == 2 {
        _ = try await story.refund(
          "b\(user)", of: sale, from: user, update: 60 + Int64(number), days: 31,
          arrives: days(31))
      }
      try await story.tell(
        "canceled", of: sale, from: user, update: 70 + Int64(number), arrives: days(35))
      if number == 3 {
        try await story.tell(
          "active", of: sale, from: user, update: 80 + Int64(number), arrives: days(36))
        try await pay(story, sale, user, "c\(user)", 60)
      }
    }
    for day in stride(from: 40.0, through: 99, by: 10) { try await story.age(days(day)) }
    return ["subscriptions": 4]
  }

  private func pay(
    _ story: SubscriptionFixture, _ sale: Checkout, _ user: Int64, _ charge: String, _ day: Double,
    isFirst: Bool = false
  ) async throws {
    try await story.pay(
      sale, from: user, update: Int64(day) + user, charge: charge, days: day, isFirst: isFirst,
      arrives: day - 100)
  }

  /// Counts in steps of a few rows, as a page and as the job, and once in another time zone.
  func countMeanwhile() async throws -> [String: Int] {
    let rollup = Rollup(platform)
    var random = SeededGenerator(seed: RollupTests.seed)
    for round in 0..<150 {
      let (rows, takesAll) = (Int.random(in: 1...12, using: &random), Bool.random(using: &random))
      _ = try await pool.query(Rollup.step(rows, takesAll, scope), in: scope)
      if round % 10 == 0 { _ = try await rollup.catchUp(in: scope) }
      if round % 75 == 40 {
        try await pool.execute(
          """
          update workspaces set time_zone = \(round < 75 ? "Asia/Kolkata" : "America/New_York")
          where workspace_id = \(workspace.id)
          """)
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...15, using: &random)))
    }
    return ["steps": 150, "zones": 2]
  }
}
