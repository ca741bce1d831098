@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import Testing

/// The demo's plans and somebody who buys one of them, at any time of the test side's clock.
struct SubscriptionFixture: Sendable {
  let fixture: Fixture
  let start: Date

  static let day = 86_400

  static func with<T: Sendable>(
    _ body: @Sendable (SubscriptionFixture) async throws -> T
  ) async throws -> T {
    try await Fixture.with { fixture in
      try await body(SubscriptionFixture(fixture: fixture, start: Date()))
    }
  }

  var pool: Pool { fixture.pool }

  /// The workspace after so many days.
  func scope(_ days: Double = 0) -> WorkspaceScope {
    WorkspaceScope(
      workspaceID: fixture.workspace.id, clockOffsetSeconds: Int(days * 86_400))
  }

  /// Of the sale of a plan, open, as it is in the catalogue.
  func checkout(
    _ plan: String, for telegramID: Int64, stars: Int64? = nil, days: Double = 0
  ) async throws -> Checkout {
    let scope = scope(days)
    return try await pool.transaction(in: scope) { tx in
      let customer = try await tx.customer(
        telegramID: telegramID, name: nil, in: scope, at: scope.now)
      let sold = try #require(try await tx.plan(plan, in: scope))
      let price = stars ?? sold.stars ?? 0
      let id: Int64 = try await tx.query(
        """
        insert into checkouts (workspace_id, bot_id, customer_id, product, sku, title, description,
          credit_unit, credits, bonus_credits, stars, period_seconds, idempotency_key, fingerprint,
          created_at, expires_at)
        values (\(scope.workspaceID), \(fixture.bot.id), \(customer.id), 'plan', \(plan),
          \(sold.title), \(sold.description), \(sold.creditUnit), \(sold.creditsPerCycle ?? 0), 0,
          \(price), \(Subscription.monthSeconds), \(UUID().uuidString), 1, \(scope.now),
          \(scope.now.addingTimeInterval(86_400)))
        returning checkout_id
        """)[0].get("checkout_id")
      let payload = InvoicePayload(
        workspaceID: scope.workspaceID, checkoutID: id, buyerTelegramID: telegramID,
        sku: "plan:\(plan)", stars: price,
        expiresAt: Int64(scope.now.timeIntervalSince1970) + 86_400
      ).signed(fixture.platform.secrets)
      return try Checkout(
        try await tx.query(
          """
          update checkouts set payload = \(payload) where workspace_id = \(scope.workspaceID)
            and checkout_id = \(id) returning *
          """)[0])
    }
  }

  /// A payment of a plan as Telegram writes it.
  ///
  /// - Parameter days: When it was made; it arrives at `arrives`.
  @discardableResult
  func pay(
    _ sale: Checkout, from: Int64, update: Int64, charge: String, days: Double,
    isFirst: Bool = false, arrives: Double? = nil
  ) async throws -> UpdateIntake.Handled {
    let at = Int64(start.timeIntervalSince1970 + days * 86_400)
    let first = isFirst ? #","is_first_recurring":true"# : ""
    return try await receive(
      """
      {"update_id":\(update),"message":{"message_id":1,"date":\(at),"from":{"id":\(from),\
      "is_bot":false,"first_name":"Ann"},"chat":{"id":\(from),"type":"private","first_name":"Ann"},\
      "successful_payment":{"currency":"XTR","total_amount":\(sale.stars),\
      "invoice_payload":"\(sale.payload ?? "")","telegram_payment_charge_id":"\(charge)",\
      "provider_payment_charge_id":"0","is_recurring":true\(first),\
      "subscription_expiration_date":\(at + Subscription.monthSeconds)}}}
      """, arrives ?? days)
  }

  /// Telegram's word of the renewal: `canceled`, `active`, `failed`.
  @discardableResult
  func tell(
    _ state: String, of sale: Checkout, from: Int64, update: Int64, arrives days: Double
  ) async throws -> UpdateIntake.Handled {
    try await receive(
      """
      {"update_id":\(update),"subscription":{"user":{"id":\(from),"is_bot":false,\
      "first_name":"Ann"},"invoice_payload":"\(sale.payload ?? "")","state":"\(state)"}}
      """, days)
  }

  @discardableResult
  func refund(
    _ charge: String, of sale: Checkout, from: Int64, update: Int64, days: Double,
    arrives: Double? = nil
  ) async throws -> UpdateIntake.Handled {
    let at = Int64(start.timeIntervalSince1970 + days * 86_400)
    return try await receive(
      """
      {"update_id":\(update),"message":{"message_id":2,"date":\(at),"chat":{"id":\(from),\
      "type":"private"},"refunded_payment":{"currency":"XTR","total_amount":\(sale.stars),\
      "invoice_payload":"","telegram_payment_charge_id":"\(charge)"}}}
      """, arrives ?? days)
  }

  func receive(_ update: String, _ days: Double) async throws -> UpdateIntake.Handled {
    try await fixture.platform.updates.receive(
      update, for: fixture.bot, in: fixture.workspace, scope: scope(days))
  }

  /// Lets the jobs of that time run.
  func age(_ days: Double) async throws {
    let worker = Worker(platform: fixture.platform)
    // One at a time, so that the walk over all of them is part of every test.
    _ = try await worker.ageSubscriptions(in: scope(days), batch: 1)
    try await worker.expireLots(in: scope(days))
  }

  func subscriptions(of telegramID: Int64) async throws -> [Subscription] {
    guard
      let customer = try await Customer.find(telegramID: telegramID, in: scope(), pool)
    else { return [] }
    return try await Subscription.of(customer: customer.id, in: scope(), pool)
  }

  func subscription(of telegramID: Int64) async throws -> Subscription {
    try #require(try await subscriptions(of: telegramID).first)
  }

  func balance(_ telegramID: Int64, _ days: Double) async throws -> Int64 {
    guard let customer = try await Customer.find(telegramID: telegramID, in: scope(), pool)
    else { return 0 }
    return try await Balance.of(customer: customer.id, in: scope(days), pool).available
  }

  /// Features that run, in order.
  func access(_ telegramID: Int64, _ days: Double) async throws -> [String] {
    guard let customer = try await Customer.find(telegramID: telegramID, in: scope(), pool)
    else { return [] }
    return try await ActiveAccess.of(customer: customer.id, in: scope(days), pool)
      .map(\.entitlement)
  }

  func monthlyStars() async throws -> Int64 {
    PlanStanding.monthlyStars(try await PlanStanding.all(in: scope(), pool))
  }

  func changes(_ subscription: Subscription) async throws -> [Subscription.Change.Kind] {
    try await subscription.changes(in: scope(), pool).reversed().map(\.kind)
  }

  /// The ledger's own check of everything.
  func expectSound() async throws {
    let problems = try await Ledger(pool: pool).verify(in: scope())
    #expect(problems.isEmpty)
  }
}
