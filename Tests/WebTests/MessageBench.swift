@_spi(Guard) @testable import EStars
import Foundation
import Postgres
import Telegram
import TestSupport
import Testing

@_spi(Guard) import Ledger
@testable import Sandbox

/// The product and a Telegram of one's own, with one bot that sells for the test side and one person.
struct MessageBench: Sendable {
  static let token = "7000000078:AAMessagesMessagesMessagesMessagesMes"
  static let owner = Actor(.operator, "owner@example.com")
  static let ann: Int64 = 7_500_001

  let fixture: ServerFixture
  let book: SandboxBook
  let url: URL
  let bot: EStars.Bot

  var platform: Platform { fixture.platform }
  var scope: WorkspaceScope { fixture.workspace.scope }

  static func with(
    _ body: @Sendable @escaping (MessageBench) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: directory) }
    let configuration = SandboxConfiguration(
      port: 0, dataDirectory: directory, resources: ServerFixture.root)
    let sandbox = try SandboxServer(configuration: configuration, logger: TestCluster.logger)
    _ = try await sandbox.book.registerBot(token: token, name: "Loja", username: "loja_bot")
    try await whileServing(sandbox) {
      let port = try #require(await sandbox.port)
      let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
      try await ServerFixture.with { fixture in
        let bot = try await EStars.Bot.add(
          token: token, segment: .aiBot, endpoint: .sandbox(url), by: owner,
          in: fixture.workspace.scope, fixture.platform)
        let bench = MessageBench(fixture: fixture, book: sandbox.book, url: url, bot: bot)
        try await bench.meet(ann, "Ann", language: "en")
        try await body(bench)
      }
    }
  }

  /// Somebody who has opened the bot's chat.
  func meet(_ id: Int64, _ name: String, language: String?) async throws {
    _ = try await book.registerPerson(
      PersonCard(id: id, firstName: name, languageCode: language, stars: 100_000))
    try await book.setChat(personID: id, botID: bot.id, isBlocked: false)
  }

  /// What the bot has said to somebody, oldest first.
  func said(to id: Int64 = ann) async throws -> [String] {
    try await book.transcript(personID: id, botID: bot.id).filter { !$0.isFromPerson }
      .compactMap(\.message.text)
  }

  /// Everything that is due, that much later.
  func work(later seconds: Double = 0) async throws {
    // Seconds that pass here are not waited for: what is due by the clock is made due.
    try await Worker(platform: platform).runDue { Date().addingTimeInterval(seconds) }
  }

  func open(
    _ sku: String = "start", for id: Int64 = ann, discount: Int = 0
  ) async throws -> EStars.Checkout {
    try await EStars.Checkout.open(
      CheckoutRequest(
        telegramID: id, sku: sku, discountPercent: discount, resume: "page 3",
        idempotencyKey: UUID().uuidString), with: bot, in: scope, platform
    ).checkout
  }

  /// Telegram's word that somebody paid for a checkout.
  @discardableResult
  func pay(
    _ checkout: EStars.Checkout, by id: Int64 = ann, language: String? = "en",
    charge: String = UUID().uuidString
  ) async throws -> Payment {
    let person = language.map { #","language_code":"\#($0)""# } ?? ""
    let from = #"{"id":\#(id),"is_bot":false,"first_name":"Ann"\#(person)}"#
    try await receive(
      #""message":{"message_id":5,"date":\#(Int64(Date().timeIntervalSince1970)),"from":\#(from),"#
        + #""chat":{"id":\#(id),"type":"private"},"successful_payment":{"currency":"XTR","#
        + #""total_amount":\#(checkout.stars),"invoice_payload":"\#(checkout.payload ?? "")","#
        + #""telegram_payment_charge_id":"\#(charge)","provider_payment_charge_id":"p"}}"#)
    return try #require(
      try await Payment.find(botID: bot.id, chargeID: charge, in: scope, platform.pool))
  }

  func hear(_ text: String, in chat: String) async throws {
    try await receive(
      #""message":{"message_id":6,"date":\#(Int64(Date().timeIntervalSince1970)),"from":{"id":1,"#
        + #""is_bot":false,"first_name":"Bo"},"chat":\#(chat),"text":"\#(text)"}"#)
  }

  func receive(_ field: String) async throws {
    let bot = try #require(try await platform.directory.bot(bot.id))
    _ = try await platform.updates.receive(
      #"{"update_id":\#(Int64.random(in: 1..<1 << 40)),\#(field)}"#, for: bot,
      in: fixture.workspace, scope: scope)
  }

  func message(_ kind: OutgoingMessage.Kind, _ subject: String) async throws -> OutgoingMessage {
    try #require(try await OutgoingMessage.find(kind, about: subject, in: scope, platform.pool))
  }

  /// A checkout that was opened a while ago.
  func age(_ checkout: EStars.Checkout, minutes: Double) async throws {
    try await platform.pool.execute(
      """
      update checkouts set created_at = \(scope.now.addingTimeInterval(-minutes * 60))
      where workspace_id = \(scope.workspaceID) and checkout_id = \(checkout.id)
      """, in: scope)
  }

  func carts() async throws -> [AbandonedCart] {
    try await AbandonedCart.recent(before: nil, limit: 50, in: scope, platform.pool)
  }
}
