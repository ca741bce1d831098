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
        try await fixture.rows(
          "select bot_id, action, traffic_source, uses, units, credits, stars_micros, "
            + "cost_currency, cost_micros from usage_days"
        ) == ["\(fixture.bot.id) sticker google 1 6 6 \(stars) BRL 600000"])
      #expect(
        try await fixture.rows(
          "select bot_id, sku, traffic_source, payments, stars, first_purchases, stars_refunded "
            + "from sale_days order by sku") == [
            "\(fixture.bot.id) start google 1 75 0 0", "\(fixture.bot.id) try google 1 49 1 0",
          ])
      #expect(
        try await fixture.rows(
          "select kind, source, sum(credits) as c, sum(entries) as e from credit_days "
            + "group by kind, source order by kind, source") == [
            "credit bonus 4 1", "credit payment 15 2", "debit bonus -4 1", "debit payment -2 0",
          ])
      #expect(
        try await fixture.rows(
          "select sum(stars) as a, sum(stars_refunded) as b, sum(credits_used) as c, "
            + "sum(stars_micros) as d, sum(cost_micros) as e, cost_currency from customer_days "
            + "group by cost_currency order by cost_currency") == [
            "124 0 0 0 0 ", "0 0 6 \(stars) 600000 BRL",
          ])
      #expect(
        try await fixture.rows(
          "select traffic_source, customers from newcomer_days where customers > 0")
          == ["google 1"])
      #expect(
        try await fixture.rows(
          "select sum(payments) as p, sum(stars) as s, sum(credits_issued) as i, "
            + "sum(credits_used) as u from hours")
          == ["2 124 19 6"])
      try await fixture.refundFigures(of: paid, user)
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

  /// Whatever the rules say later, and however late it is counted.
  @Test func aUseKeepsTheCostOfItsTime() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.pay("start", user: 7_900_090, charge: "c")
      try await fixture.platform.usage.use("sticker", by: 7_900_090, fixture)
      var rules = try #require(
        try await ActionRules.find("sticker", in: fixture.scope, fixture.pool))
      rules.unitCostMicros = 250_000
      try await ActionRules.edit(
        rules,
        madeFrom: try await ActionRules.version(of: "sticker", in: fixture.scope, fixture.pool),
        reason: "", by: Actor(.operator, "o"), in: fixture.scope, fixture.pool)
      try await fixture.platform.usage.use("sticker", by: 7_900_090, fixture)
      let rollup = Rollup(fixture.platform)
      #expect(try await rollup.catchUp(in: fixture.scope).isCurrent)
      #expect(
        try await fixture.rows("select sum(uses) as u, sum(cost_micros) as c from usage_days")
          == ["2 350000"])
      #expect(try await rollup.recount(in: fixture.scope).isEmpty)
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
          "select sum(customers) as n from newcomer_days") == ["\(customers + 1)"])
      // A day of many payments is left to the job whenever it has one more.
      try await fixture.pool.execute(
        """
        insert into payments (workspace_id, bot_id, charge_id, customer_id, state, stars, paid_at,
          recorded_at)
        select workspace_id, bot_id, 'many-' || n, customer_id, 'unmatched', 1, paid_at, paid_at
        from payments cross join generate_series(1, \(Limits.figuresPageRows)::int) n
        """, in: fixture.scope)
      #expect(try await rollup.follow(in: fixture.scope).isCurrent)
      _ = try await fixture.pay("start", user: 7_900_071, charge: "d")
      #expect(try await !rollup.catchUp(in: fixture.scope).isCurrent)
      #expect(try await rollup.follow(in: fixture.scope).isCurrent)
      #expect(
        try await fixture.rows("select sum(payments) as n from sale_days")
          == ["\(Limits.figuresPageRows + 2)"])
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
      try await rollup.rebuild(in: fixture.scope)
      #expect(try await rollup.recount(in: fixture.scope).isEmpty)
      // Another time zone has everything made anew.
      try await fixture.pool.execute(
        "update workspaces set time_zone = 'Asia/Tokyo' where workspace_id = \(fixture.workspace.id)"
      )
      #expect(try await rollup.recount(in: fixture.scope).isEmpty)
    }
  }

  /// Whatever clocks do at midnight: set back over it, or forward so that there is none.
  @Test func daysBeginAtTheFirstMomentOfTheirDate() async throws {
    try await Fixture.with { fixture in
      #expect(
        try await fixture.rows(
          """
          select z.zone, d.day from unnest(array['Atlantic/Azores', 'America/Havana',
            'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Beirut', 'UTC']) z (zone)
          cross join lateral (
            select g::date as day from generate_series('2017-01-01', '2018-12-31', interval '1 day') g
          ) d
          cross join lateral (select _figures_day_start(d.day, z.zone) as at) s
          where (s.at at time zone z.zone)::date <> d.day
            or ((s.at - interval '1 second') at time zone z.zone)::date >= d.day
          """) == [])
      // Paid in the first of two hours after midnight.
      try await fixture.pool.execute(
        "update workspaces set time_zone = 'Atlantic/Azores' where workspace_id = \(fixture.workspace.id)"
      )
      _ = try await fixture.pay("start", user: 7_900_082, charge: "c")
      try await fixture.pool.execute(
        "update payments set paid_at = '2026-10-25T00:30Z'", in: fixture.scope)
      try await Rollup(fixture.platform).follow(in: fixture.scope)
      #expect(
        try await fixture.rows("select day, payments, stars from sale_days")
          == ["2026-10-25 1 75"])
    }
  }

  /// Figures are kept of so many traffic sources; more of them are one.
  @Test func onlySoManyTrafficSourcesAreToldApart() async throws {
    try await Fixture.with { fixture in
      try await fixture.pool.execute(
        """
        insert into traffic_sources (workspace_id, source)
        select \(fixture.workspace.id)::bigint, 'ref_' || n
        from generate_series(1, \(Limits.trafficSources - 1)::int) n
        """, in: fixture.scope)
      for (user, source) in [(7_900_083, "google"), (7_900_084, "ref_x"), (7_900_085, "google")] {
        _ = try await TrialGrant.decide(
          TrialRequest(
            telegramID: Int64(user), engagement: 1, intent: 1, source: source,
            idempotencyKey: "t\(user)"),
          with: fixture.bot, in: fixture.scope, fixture.pool)
      }
      #expect(
        try await fixture.rows(
          "select traffic_source from customers order by telegram_id") == [
            "google", Customer.otherSource, "google",
          ])
    }
  }

  static let seed =
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
