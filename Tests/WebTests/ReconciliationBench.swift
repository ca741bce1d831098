import Foundation
import HTTPTypes
import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

@testable import Sandbox
@testable import Web

@_spi(Guard) @testable import EStars

/// A bot at a Telegram of our own, and what it sold.
struct ReconciliationBench: Sendable {
  static let botToken = "7000000078:AAReconciliationReconciliationReconc"
  static let manager = Actor(.operator, "manager@example.com")
  static let ann: Int64 = 7_400_901

  let fixture: ServerFixture
  let book: SandboxBook
  let bot: EStars.Bot
  let key: String

  var platform: Platform { fixture.platform }
  var pool: Pool { fixture.platform.pool }
  var scope: WorkspaceScope { fixture.workspace.scope }

  static func with(
    _ body: @Sendable @escaping (ReconciliationBench) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: directory) }
    let sandbox = try SandboxServer(
      configuration: SandboxConfiguration(
        port: 0, dataDirectory: directory, resources: ServerFixture.root),
      logger: TestCluster.logger)
    _ = try await sandbox.book.registerBot(token: botToken, name: "Loja", username: "loja_bot")
    try await sandbox.book.seed([
      PersonCard(id: ann, firstName: "Ann"), PersonCard(id: ann + 1, firstName: "Bia"),
    ])
    try await whileServing(sandbox) {
      let port = try #require(await sandbox.port)
      let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
      try await ServerFixture.with { fixture in
        let bot = try await EStars.Bot.add(
          token: botToken, segment: .aiBot, endpoint: .sandbox(url), by: manager,
          in: fixture.workspace.scope, fixture.platform)
        let key = try await APIKey.issue(
          for: bot, side: .test, scopes: [.sell, .read], at: Date(), fixture.platform.pool)
        try await body(
          ReconciliationBench(fixture: fixture, book: sandbox.book, bot: bot, key: key))
      }
    }
  }

  /// The payload of a new invoice.
  func invoice(
    _ user: Int64 = ann, sku: String = "start", plan: String? = nil
  ) async throws -> String {
    var headers: HTTPFields = [.authorization: "Bearer \(key)", .contentType: "application/json"]
    headers[try #require(HTTPField.Name("Idempotency-Key"))] = UUID().uuidString
    let answer = try await fixture.send(
      .post, "/v1/checkouts", headers: headers,
      body: #"{"user":\#(user),\#(plan.map { #""plan":"\#($0)""# } ?? #""sku":"\#(sku)""#)}"#)
    let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
    return try #require((json?["checkout"] as? [String: Any])?["payload"] as? String)
  }

  /// Payments in Telegram's books, an hour old, of which nobody was told.
  @discardableResult
  func pay(
    _ payloads: [String], by user: Int64 = ann, stars: Int64 = 75, refunded: Bool = false
  ) async throws -> [String] {
    let start = await Int64(book.now) - 3600
    return try await book.seed(
      payloads.map {
        PastPayment(
          botID: bot.id, personID: user, stars: stars, title: "Start", payload: $0, date: start,
          refundedAt: refunded ? start + 60 : nil)
      })
  }

  /// Telegram's own update about a payment.
  func tell(_ charge: String, _ payload: String, stars: Int64 = 75) async throws -> String {
    let update = """
      {"update_id":\(Int64.random(in: 1000...900_000_000)),"message":{"message_id":311,\
      "date":\(Int64(Date().timeIntervalSince1970) - 3600),"from":{"id":\(Self.ann),\
      "is_bot":false,"first_name":"Ann"},"chat":{"id":\(Self.ann),"type":"private"},\
      "successful_payment":{"currency":"XTR","total_amount":\(stars),\
      "invoice_payload":"\(payload)","telegram_payment_charge_id":"\(charge)"}}}
      """
    let handled = try await platform.updates.receive(
      update, for: bot, in: fixture.workspace, scope: scope)
    guard case .stored(let outcome, _, _) = handled else { return "" }
    return outcome
  }

  /// Asks for a comparison and waits for its end.
  func compare() async throws -> Reconciliation {
    var run = try await Reconciliation.ask(bot, by: Self.manager, in: scope, pool)
    while run.state.isUnderWay {
      await platform.reconciler.runNow(run.id)
      run = try #require(try await Reconciliation.find(id: run.id, in: scope, pool))
      if run.state.isUnderWay { try await Task.sleep(for: .milliseconds(50)) }
    }
    return run
  }

  func byClick() async throws {
    try await Reconciliation.setMendsItself(false, by: Self.manager, in: scope, pool)
  }

  func open() async throws -> [Mismatch] {
    try await Mismatch.recent(openOnly: true, before: nil, limit: 50, in: scope, pool)
  }

  func all() async throws -> [Mismatch] {
    try await Mismatch.recent(openOnly: false, before: nil, limit: 50, in: scope, pool).reversed()
  }

  func fix(_ mismatch: Mismatch) async throws -> Mismatch {
    try await Mismatch.fix(mismatch.id, by: Self.manager, in: scope, platform)
  }

  func accept(_ mismatch: Mismatch, _ note: String) async throws -> Mismatch {
    try await Mismatch.accept(mismatch.id, note: note, by: Self.manager, in: scope, pool)
  }

  func balance(_ user: Int64 = ann) async throws -> Int64 {
    guard let customer = try await Customer.find(telegramID: user, in: scope, pool) else {
      return 0
    }
    return try await Balance.of(customer: customer.id, in: scope, pool).available
  }

  func payment(_ charge: String) async throws -> Payment {
    try #require(try await Payment.find(botID: bot.id, chargeID: charge, in: scope, pool))
  }

  func problems() async throws -> [String] {
    try await Ledger(pool: platform.patientPool).verify(in: scope).map(\.description)
  }
}
