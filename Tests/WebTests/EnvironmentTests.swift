@_spi(Guard) @testable import EStars
import Foundation
import Postgres
import Telegram
import TestSupport
import Testing

@_spi(Guard) import Ledger
@testable import Sandbox

/// Live bots on the live side, all others on the test side, and no number of one in the other.
@Suite struct EnvironmentTests {
  private func register(
    _ id: Int64, _ endpoint: BotAPIEndpoint, in workspace: Workspace, _ platform: Platform
  ) async throws -> EStars.Bot {
    try await EStars.Bot.register(
      token: "\(id):AAEnvironmentEnvironmentEnvironment", username: "bot_\(id)", name: "Bot",
      segment: .aiBot, endpoint: endpoint, in: workspace, at: Date(), platform)
  }

  @Test func aBotOfTheOtherEnvironmentIsRefusedInWords() async throws {
    try await ServerFixture.with { fixture in
      let sandbox = BotAPIEndpoint.sandbox(URL(filePath: "/"))
      for (endpoint, workspace) in [
        (BotAPIEndpoint.live, fixture.workspace), (.test, fixture.live), (sandbox, fixture.live),
      ] {
        await #expect(throws: EStars.Bot.RegistrationProblem.environment) {
          _ = try await self.register(7_600_000_001, endpoint, in: workspace, fixture.platform)
        }
      }
      let bot = try await register(7_600_000_001, .test, in: fixture.workspace, fixture.platform)
      // Nor does one change its environment later.
      await #expect(throws: EStars.Bot.RegistrationProblem.environment) {
        _ = try await self.register(bot.id, .live, in: fixture.workspace, fixture.platform)
      }
      let session = try await fixture.operatorSession(.owner)
      let answer = try await fixture.send(
        .post, "/w/\(fixture.workspace.slug)/bots",
        headers: [.cookie: session.cookie, .contentType: "application/x-www-form-urlencoded"],
        body: "csrf=\(session.csrf)&environment=live&segment=ai_bot&token=1:a")
      #expect(answer.status == 422)
      #expect(answer.body.contains("Live bots go to the live side"))
      #expect(answer.body.contains("href=\"#environment\""))
    }
  }

  @Test func periodsAreThoseOfTheEnvironment() async throws {
    try await MessageBench.with { bench in
      let live = try await register(
        7_600_000_011, .live, in: bench.fixture.live, bench.platform)
      let test = try await register(
        7_600_000_012, .test, in: bench.fixture.workspace, bench.platform)
      #expect(live.subscriptionPeriodSeconds == 2_592_000)
      #expect(test.subscriptionPeriodSeconds == 300)
      #expect(bench.bot.subscriptionPeriodSeconds == 2_592_000)
      let token = try #require(BotToken(MessageBench.token))
      func link(_ environment: BotAPIEndpoint.Environment, _ period: Int) async throws -> Bool {
        let client = TelegramClient(
          token: token, endpoint: .init(baseURL: bench.url, environment: environment),
          logger: TestCluster.logger)
        let request = InvoiceRequest(
          title: "Pro", description: "500", payload: "p",
          price: LabeledPrice(label: "Pro", amount: 5), subscriptionPeriodSeconds: period)
        do { return try await !client.createInvoiceLink(request).isEmpty } catch let error
          as TelegramError
        {
          #expect(error.name == "SUBSCRIPTION_PERIOD_INVALID")
          return false
        }
      }
      // The test environment's addresses are its own: /bot…/test/METHOD.
      #expect(try await link(.test, 60))
      #expect(try await link(.test, 300))
      #expect(try await !link(.test, 2_592_000))
      #expect(try await link(.sandbox, 2_592_000))
      #expect(try await !link(.sandbox, 60))
    }
  }

  /// Everything that either side counts.
  private struct Numbers: Equatable {
    var payments: [Int64]
    var overview: [Int64]
    var monthlyStars: Int64
    var standing: StarsStanding
    var carts: Int64
    var balance: Int64

    init(_ workspace: Workspace, person: Int64, _ platform: Platform) async throws {
      let (scope, pool) = (workspace.scope, platform.pool)
      payments = try await Payment.recent(before: nil, limit: 50, in: scope, pool).map(\.stars)
      _ = try await Rollup(platform).follow(in: scope)
      let today = Day(scope.now, in: workspace.timeZone)
      let seen = try await Overview.load(
        Period(.month, today: today), of: workspace, in: scope, pool)
      overview = [
        seen.customers, seen.payingCustomers, seen.now.stars, seen.now.creditsIssued,
        seen.liability.credits,
      ]
      monthlyStars = PlanStanding.monthlyStars(try await PlanStanding.all(in: scope, pool))
      standing = try await StarsStanding.load(in: scope, pool)
      carts = try await CartRecovery.load(in: scope, pool).carts
      let customer = try await Customer.find(telegramID: person, in: scope, pool)
      balance =
        if let customer {
          try await Balance.of(customer: customer.id, in: scope, pool).available
        } else { 0 }
    }
  }

  /// A payment of a pack, the same charge id wherever it is made.
  private func sell(
    _ sku: String, with bot: EStars.Bot, in workspace: Workspace, charge: String,
    _ platform: Platform
  ) async throws {
    let scope = workspace.scope
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let checkout = try await platform.pool.transaction(in: scope) { tx in
      try await tx.openCheckout(
        CheckoutRequest(
          telegramID: MessageBench.ann, sku: sku, discountPercent: 0, resume: nil,
          idempotencyKey: "same"), with: bot, catalog, platform.secrets, in: scope, at: scope.now
      ).0
    }
    _ = try await platform.updates.receive(
      #"{"update_id":1,"message":{"message_id":1,"date":\#(Int64(Date().timeIntervalSince1970)),"#
        + #""from":{"id":\#(MessageBench.ann),"is_bot":false,"first_name":"Ann"},"#
        + #""chat":{"id":\#(MessageBench.ann),"type":"private"},"#
        + #""successful_payment":{"currency":"XTR","total_amount":\#(checkout.stars),"#
        + #""invoice_payload":"\#(checkout.payload ?? "")","telegram_payment_charge_id":"\#(charge)","#
        + #""provider_payment_charge_id":"p"}}}"#, for: bot, in: workspace, scope: scope)
  }

  @Test func numbersOfTheTwoSidesNeverMix() async throws {
    try await ServerFixture.with { fixture in
      let platform = fixture.platform
      let live = try await register(7_600_000_021, .live, in: fixture.live, platform)
      func numbers() async throws -> (live: Numbers, test: Numbers) {
        (
          try await Numbers(fixture.live, person: MessageBench.ann, platform),
          try await Numbers(fixture.workspace, person: MessageBench.ann, platform)
        )
      }
      let empty = try await numbers()
      // One person, one charge id, one idempotency key, one update id: two businesses.
      try await sell("start", with: live, in: fixture.live, charge: "stx1", platform)
      let first = try await numbers()
      #expect(first.test == empty.test)
      #expect(first.live.payments == [75] && first.live.balance == 10)
      try await sell("pop", with: fixture.bot, in: fixture.workspace, charge: "stx1", platform)
      let second = try await numbers()
      #expect(second.live == first.live)
      #expect(second.test.payments == [175] && second.test.balance == 30)
      // Reconciliation, subscriptions and carts of one side are in no figure of the other.
      try await seed(fixture.workspace, bot: fixture.bot, platform)
      let third = try await numbers()
      #expect(third.live == first.live)
      #expect(third.test.monthlyStars == 2000 && third.test.standing.held == 321)
      #expect(third.test.carts == 1)
      try await refuseStrangers(fixture, live: live)
    }
  }

  /// A renewed subscription, a movement in Telegram's books and an abandoned cart.
  private func seed(
    _ workspace: Workspace, bot: EStars.Bot, _ platform: Platform
  ) async throws {
    let scope = workspace.scope
    let customer = try #require(
      try await Customer.find(telegramID: MessageBench.ann, in: scope, platform.pool))
    try await platform.pool.transaction(in: scope) { tx in
      let plan: String = try await tx.query(
        """
        select plan from plans where workspace_id = \(scope.workspaceID) and stars = 2000 limit 1
        """)[0].get("plan")
      try await tx.execute(
        """
        insert into subscriptions (workspace_id, bot_id, customer_id, plan, state, renewal, stars,
          credit_unit, rollover_cap_credits, grace_days, started_at, period_started_at,
          period_ends_at)
        values (\(scope.workspaceID), \(bot.id), \(customer.id), \(plan), 'active', 'on', 2000, 1,
          0, 7, \(scope.now), \(scope.now), \(scope.now.addingTimeInterval(2_592_000)))
        """)
      try await tx.execute(
        """
        insert into star_transactions (workspace_id, bot_id, transaction_id, direction, position,
          stars, partner, at, first_seen_at)
        values (\(scope.workspaceID), \(bot.id), 'stx9', 'incoming', 0, 321, 'user', \(scope.now),
          \(scope.now))
        """)
      try await tx.execute(
        """
        insert into abandoned_carts (workspace_id, checkout_id, customer_id, noticed_at)
        select workspace_id, checkout_id, customer_id, \(scope.now) from checkouts
        where workspace_id = \(scope.workspaceID) limit 1
        """)
    }
  }

  /// A key of one side buys nothing on the other.
  private func refuseStrangers(_ fixture: ServerFixture, live: EStars.Bot) async throws {
    let key = try await APIKey.issue(
      for: live, side: .live, scopes: APIKey.Scope.allCases, at: Date(), fixture.platform.pool)
    #expect(key.hasPrefix("esk_live_"))
    let answer = try await fixture.send(
      .get, "/v1/customers/\(MessageBench.ann)", headers: [.authorization: "Bearer \(key)"])
    #expect(answer.body.contains("\"available\":10"), "\(answer.body)")
  }
}
