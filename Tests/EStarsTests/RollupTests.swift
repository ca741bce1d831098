import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

@Suite struct RollupTests {
  /// What one customer does in an hour, figure by figure.
  @Test func figuresSayWhatHappened() async throws {
    try await Fixture.with { fixture in
      let rollup = Rollup(fixture.platform)
      let user: Int64 = 7_900_050
      _ = try await TrialGrant.decide(
        TrialRequest(
          telegramID: user, engagement: 1, intent: 1, source: "google", idempotencyKey: "t"),
        with: fixture.bot, in: fixture.scope, fixture.pool)
      _ = try await rollup.follow(in: fixture.scope)
      let paid = try await fixture.pay("try", user: user, charge: "first")
      _ = try await fixture.pay("start", user: user, charge: "second")
      let request = DebitRequest(
        check: CheckRequest(telegramID: user, action: "sticker", units: 6), ref: nil,
        idempotencyKey: "d", botID: fixture.bot.id)
      #expect(
        try await fixture.platform.usage.debit(request, in: fixture.scope).status == .applied)
      #expect(try await rollup.catchUp(in: fixture.scope).isCurrent)
      // Four bonus credits come first, then two of the five that 49 Stars bought.
      let stars = 2 * 49 * 1_000_000 / 5
      #expect(
        try await fixture.rows("select * from usage_days") == [
          "\(fixture.bot.id) sticker google 1 6 6 \(stars) BRL 600000"
        ])
      #expect(
        try await fixture.rows(
          "select bot_id, sku, traffic_source, payments, stars, first_purchases, stars_refunded "
            + "from sale_days order by sku", columns: nil) == [
            "\(fixture.bot.id) start google 1 75 0 0", "\(fixture.bot.id) try google 1 49 1 0",
          ])
      #expect(
        try await fixture.rows(
          "select kind, source, credits, entries from credit_days order by kind, source",
          columns: nil) == [
            "credit bonus 4 1", "credit payment 15 2", "debit bonus -4 1", "debit payment -2 0",
          ])
      #expect(
        try await fixture.rows(
          "select stars, stars_refunded, credits_used, stars_micros, cost_micros, cost_currency "
            + "from customer_days order by cost_currency", columns: nil) == [
            "124 0 0 0 0 ", "0 0 6 \(stars) 600000 BRL",
          ])
      #expect(
        try await fixture.rows(
          "select traffic_source, customers from newcomer_days where customers > 0", columns: nil)
          == ["google 1"])
      #expect(
        try await fixture.rows(
          "select payments, stars, credits_issued, credits_used from hours", columns: nil)
          == ["2 124 19 6"])
      // A refund counts on its own day, once however often its row is written.
      let refund = try await fixture.request(paid)
      try await fixture.decide(refund, .decline)
      _ = try await fixture.receive(
        Sent.refund(update: 9, payer: user, stars: 49, payload: "", charge: "first"))
      #expect(try await rollup.catchUp(in: fixture.scope).isCurrent)
      #expect(
        try await fixture.rows(
          "select sum(stars) as stars, sum(stars_refunded) as back, sum(refunds) as n "
            + "from sale_days", columns: nil) == ["124 49 1"])
      // What the refund forgave of what was used is no income.
      #expect(
        try await fixture.rows(
          "select sum(stars_micros) as m from customer_days", columns: nil) == ["0"])
      try await rollup.countTops(in: fixture.scope)
      #expect(
        try await fixture.rows(
          "select measure, rank, amount from customer_tops where days = 0 order by 1", columns: nil)
          == ["credits_used 1 6", "loss 1 600000", "net_stars 1 75"])
      #expect(try await rollup.recount(in: fixture.scope).isEmpty)
    }
  }

  /// A transaction that was open while others went by is counted when it ends, and no row twice.
  @Test func whatIsCommittedLateIsCountedOnce() async throws {
    try await Fixture.with { fixture in
      let rollup = Rollup(fixture.platform)
      let scope = fixture.scope
      for user: Int64 in [7_900_060, 7_900_061] {
        _ = try await fixture.pay("start", user: user, charge: "c\(user)")
      }
      try await fixture.pool.transaction(in: scope) { tx in
        let slow = try await tx.customer(telegramID: 7_900_060, name: nil, in: scope, at: scope.now)
        _ = try await tx.debit(
          Debit(3, key: "api:slow", action: "sticker"), from: Account(slow.id), in: scope,
          at: scope.now)
        #expect(try await fixture.debit(2, user: 7_900_061) == .applied)
        // The slow one keeps nobody's figures waiting.
        #expect(try await rollup.catchUp(in: scope).isCurrent)
        #expect(try await fixture.used() == 2)
        #expect(try await fixture.debit(1, user: 7_900_061) == .applied)
      }
      #expect(try await rollup.catchUp(in: scope).isCurrent)
      #expect(try await fixture.used() == 6)
      #expect(try await rollup.catchUp(in: scope).isCurrent)
      #expect(try await fixture.used() == 6)
      #expect(try await rollup.recount(in: scope).isEmpty)
    }
  }

  /// One counts at a time; the others say how far it is. A large transaction is left to the job.
  @Test func aPageNeitherWaitsNorCountsMuch() async throws {
    try await Fixture.with { fixture in
      let rollup = Rollup(fixture.platform)
      _ = try await fixture.pay("start", user: 7_900_070, charge: "c")
      #expect(try await rollup.catchUp(in: fixture.scope).isCurrent)
      try await fixture.pool.transaction(in: fixture.scope) { tx in
        try await tx.execute("select from rollup_marks for update")
        #expect(try await fixture.debit(2, user: 7_900_070) == .applied)
        let standing = try await rollup.catchUp(in: fixture.scope)
        #expect(!standing.isCurrent && standing.countedUntil != nil)
      }
      #expect(try await rollup.catchUp(in: fixture.scope).isCurrent)
      let customers = Limits.figuresPageRows + 100
      try await fixture.pool.execute(
        """
        insert into customers (workspace_id, telegram_id, created_at, last_seen_at)
        select \(fixture.workspace.id)::bigint, 7910000 + n, now(), now()
        from generate_series(1, \(customers)::int) n
        """, in: fixture.scope)
      #expect(try await !rollup.catchUp(in: fixture.scope).isCurrent)
      #expect(try await rollup.follow(in: fixture.scope).isCurrent)
      #expect(
        try await fixture.rows(
          "select sum(customers) as n from newcomer_days", columns: nil) == ["\(customers + 1)"])
    }
  }

  /// Every figure that was put wrong by hand is found.
  @Test func aRecountFindsWhatIsWrong() async throws {
    try await Fixture.with { fixture in
      let rollup = Rollup(fixture.platform)
      _ = try await fixture.pay("start", user: 7_900_080, charge: "c")
      #expect(try await fixture.debit(2, user: 7_900_080) == .applied)
      let plan = SubscriptionFixture(fixture: fixture, start: Date())
      let sale = try await plan.checkout("pro", for: 7_900_081)
      try await plan.pay(sale, from: 7_900_081, update: 5, charge: "p", days: 0, isFirst: true)
      try await fixture.platform.usage.use("sticker", by: 7_900_080, fixture)
      #expect(try await rollup.recount(in: fixture.scope).isEmpty)
      let damages: [(String, SQL)] = [
        ("credit_days", "update credit_days set credits = credits + 1 where kind = 'debit'"),
        ("usage_days", "update usage_days set uses = uses + 1"),
        ("sale_days", "delete from sale_days where sku = 'start'"),
        ("checkout_days", "update checkout_days set checkouts = 7 where state = 'completed'"),
        ("subscription_days", "update subscription_days set active = active + 1"),
        ("customer_days", "update customer_days set stars = stars + 1"),
        ("newcomer_days", "update newcomer_days set customers = customers + 1"),
        ("hours", "update hours set credits_used = credits_used + 1"),
      ]
      for (figure, damage) in damages {
        #expect(try await fixture.pool.execute(damage, in: fixture.scope) > 0, "\(figure)")
        let found = Set(try await rollup.recount(in: fixture.scope).map(\.figure))
        #expect(found.contains(figure), "\(figure): \(found)")
      }
      // Another time zone has everything made anew.
      try await fixture.pool.execute(
        "update workspaces set time_zone = 'Asia/Tokyo' where workspace_id = \(fixture.workspace.id)"
      )
      #expect(try await rollup.recount(in: fixture.scope).isEmpty)
    }
  }

  fileprivate static let seed =
    ProcessInfo.processInfo.environment["ESTARS_FIGURES_SEED"].flatMap(UInt64.init)
    ?? UInt64.random(in: 1...999_999)

  /// Random histories of several writers at once, counted meanwhile in steps of every size: in the
  /// end the figures are those of a recount, and the ledger's own sums.
  @Test(.timeLimit(.minutes(10))) func figuresEqualARecountWhateverHappensAtOnce() async throws {
    print("figures: ESTARS_FIGURES_SEED=\(Self.seed)")
    try await Fixture.with(maxConnections: 24) { fixture in
      let done = try await withThrowingTaskGroup(of: [String: Int].self) { group in
        for number in 0..<6 {
          group.addTask {
            var history = RollupHistory(fixture: fixture, seed: Self.seed, number: number)
            for _ in 0..<120 { try await history.step() }
            return history.done
          }
        }
        group.addTask { try await fixture.subscribe() }
        group.addTask { try await fixture.countMeanwhile() }
        return try await group.reduce(into: [:]) { all, some in
          all.merge(some, uniquingKeysWith: +)
        }
      }
      let required = [
        "payment.credited", "payment.unmatched", "refund.recorded", "debit applied",
        "commit applied", "hold applied", "committed late", "undone", "trial granted",
        "cost changed", "expiry", "steps", "zones",
      ]
      #expect(required.allSatisfy { done[$0, default: 0] > 0 }, "\(Self.seed): \(done)")
      let rollup = Rollup(fixture.platform)
      let differences = try await rollup.recount(in: fixture.scope)
      #expect(differences.isEmpty, "seed \(Self.seed): \(differences.prefix(9))")
      let sums = try await fixture.pool.query(
        """
        select (select sum(credits) from credit_days) = (select sum(balance) from accounts) as owed,
          (select sum(credits) from usage_days) = (select -sum(amount) from entries
            where kind = 'debit' and action is not null) as used,
          (select (sum(stars)::bigint, sum(payments)::bigint) from sale_days)
            = (select (sum(stars)::bigint, count(*)) from payments) as sold,
          (select sum(stars_refunded) from sale_days) = (select sum(stars) from refunds
            where state = 'confirmed') as back,
          (select sum(customers) from newcomer_days) = (select count(*) from customers) as met,
          (select sum(first_purchases) from sale_days) = (select count(distinct customer_id)
            from payments where sku is not null) as first
        """, in: fixture.scope)[0]
      for column in ["owed", "used", "sold", "back", "met", "first"] {
        #expect(try sums.get(column, as: Bool.self), "seed \(Self.seed): \(column)")
      }
      #expect(try await Ledger(pool: fixture.pool).verify(in: fixture.scope).isEmpty)
    }
  }
}

extension Usage {
  fileprivate func use(_ action: String, by user: Int64, _ fixture: Fixture) async throws {
    let request = DebitRequest(
      check: CheckRequest(telegramID: user, action: action, units: 1), ref: nil,
      idempotencyKey: UUID().uuidString, botID: fixture.bot.id)
    #expect(try await debit(request, in: fixture.scope).status == .applied)
  }
}

extension Fixture {
  /// The rows as text, without what is the same in all.
  fileprivate func rows(
    _ sql: String,
    columns: [String]? = [
      "bot_id", "action", "traffic_source", "uses", "units", "credits", "stars_micros",
      "cost_currency", "cost_micros",
    ]
  ) async throws -> [String] {
    try await pool.query(SQL(unsafe: sql), in: scope).map { row in
      try (columns ?? row.columns).map { try row.get($0, as: String.self) }
        .joined(separator: " ")
    }
  }

  fileprivate func used() async throws -> Int64 {
    try await pool.query(
      "select -sum(credits)::bigint as used from credit_days where kind = 'debit'", in: scope)[0]
      .get("used")
  }

  /// Buys a plan, renews it, is told of its end; tries another one first.
  fileprivate func subscribe() async throws -> [String: Int] {
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
  fileprivate func countMeanwhile() async throws -> [String: Int] {
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
