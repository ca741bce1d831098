@_spi(Guard) @testable import EStars
import Foundation
import Logging
import Postgres
import Telegram
import TestSupport

@_spi(Guard) import Ledger

/// A migrated database with one business (both sides) and one sandbox bot on its test side.
struct Fixture: Sendable {
  let database: TestDatabase
  let platform: Platform
  let live: Workspace
  let workspace: Workspace
  let bot: Bot
  var scope: WorkspaceScope { workspace.scope }
  var pool: Pool { platform.pool }

  static func with<T: Sendable>(
    maxConnections: Int = 16, _ body: (Fixture) async throws -> T
  ) async throws -> T {
    try await withTestDatabase(maxConnections: maxConnections) { database in
      let platform = Platform(
        pool: database.pool, secrets: try Secrets(hex: Self.key), logger: TestCluster.logger)
      let demo = DemoWorkspace(platform: platform)
      let (live, test, bots) = try await demo.open(
        [
          .init(
            token: "7000000001:AAFixtureFixtureFixtureFixtureFixtu", username: "shop_bot",
            name: "Shop", segment: .aiBot, action: "sticker")
        ], endpoint: .sandbox(URL(filePath: "/")), at: Date())
      return try await body(
        Fixture(database: database, platform: platform, live: live, workspace: test, bot: bots[0]))
    }
  }

  static let key = Bytes.hex(Bytes.sha256("a key for tests"))

  /// An open checkout and the payload of its invoice.
  func checkout(
    _ sku: String, for telegramID: Int64, discount: Int = 0, resume: String? = nil,
    key: String = UUID().uuidString
  ) async throws -> Checkout {
    let catalog = try await Catalog.load(in: scope, pool)
    let request = CheckoutRequest(
      telegramID: telegramID, sku: sku, discountPercent: discount, resume: resume,
      idempotencyKey: key)
    return try await pool.transaction(in: scope) { tx in
      try await tx.openCheckout(
        request, with: bot, catalog, platform.secrets, in: scope, at: scope.now
      ).0
    }
  }

  func receive(_ update: String) async throws -> UpdateIntake.Handled {
    try await platform.updates.receive(update, for: bot, in: workspace, scope: scope)
  }

  func balance(_ telegramID: Int64) async throws -> Int64 {
    guard let customer = try await Customer.find(telegramID: telegramID, in: scope, pool) else {
      return 0
    }
    return try await Balance.of(customer: customer.id, in: scope, pool).available
  }

  func count(_ sql: SQL) async throws -> Int {
    try await pool.query(sql, in: scope)[0].get("count")
  }
}

/// Updates as Telegram writes them.
enum Sent {
  static func payment(
    update: Int64, from: Int64, stars: Int64, payload: String, charge: String,
    firstName: String = "Ann", at: Int64 = 1_795_000_000
  ) -> String {
    """
    {"update_id":\(update),"message":{"message_id":311,"date":\(at),"from":{"id":\(from),\
    "is_bot":false,"first_name":"\(firstName)","language_code":"pt-br"},\
    "chat":{"id":\(from),"type":"private","first_name":"\(firstName)"},\
    "successful_payment":{"currency":"XTR","total_amount":\(stars),\
    "invoice_payload":"\(payload)","telegram_payment_charge_id":"\(charge)",\
    "provider_payment_charge_id":"\(from)_0"}}}
    """
  }

  static func refund(
    update: Int64, payer: Int64, stars: Int64, payload: String, charge: String
  ) -> String {
    """
    {"update_id":\(update),"message":{"message_id":391,"date":1795000500,"from":{"id":123456,\
    "is_bot":true,"first_name":"ShopBot"},"chat":{"id":\(payer),"type":"private",\
    "first_name":"Ann"},"refunded_payment":{"currency":"XTR","total_amount":\(stars),\
    "invoice_payload":"\(payload)","telegram_payment_charge_id":"\(charge)"}}}
    """
  }

  static func preCheckout(
    update: Int64, from: Int64, stars: Int64, payload: String, currency: String = "XTR"
  ) -> String {
    """
    {"update_id":\(update),"pre_checkout_query":{"id":"q\(update)","from":{"id":\(from),\
    "is_bot":false,"first_name":"Ann"},"currency":"\(currency)","total_amount":\(stars),\
    "invoice_payload":"\(payload)"}}
    """
  }
}
