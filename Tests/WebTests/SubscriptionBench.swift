import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

@testable import Sandbox
@testable import Web

@_spi(Guard) @testable import EStars

/// A bot at a Telegram of our own that forwards what it gets, and one person who may subscribe.
/// Time is the sandbox's, for both sides.
actor SubscriptionBench {
  static let token = "7000000079:AASubscriptionSubscriptionSubscript"
  static let ann: Int64 = 7_200_901
  static let manager = Actor(.operator, "manager@example.com")

  let fixture: ServerFixture
  let book: SandboxBook
  let bot: EStars.Bot
  let client: TelegramClient
  private var offset: Int64?
  private var rounds = 0.0

  private init(_ fixture: ServerFixture, _ book: SandboxBook, _ bot: EStars.Bot) throws {
    self.fixture = fixture
    self.book = book
    self.bot = bot
    client = try fixture.platform.telegram(for: bot)
  }

  static func with(
    stars: Int64, _ body: @Sendable @escaping (SubscriptionBench) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: directory) }
    let sandbox = try SandboxServer(
      configuration: SandboxConfiguration(
        port: 0, dataDirectory: directory, resources: ServerFixture.root),
      logger: TestCluster.logger)
    _ = try await sandbox.book.registerBot(token: token, name: "Loja", username: "loja_bot")
    try await sandbox.book.seed([PersonCard(id: ann, firstName: "Ann", stars: stars)])
    try await whileServing(sandbox) {
      let port = try #require(await sandbox.port)
      let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
      try await ServerFixture.with { fixture in
        let bot = try await EStars.Bot.add(
          token: token, segment: .aiBot, endpoint: .sandbox(url), by: manager,
          in: fixture.workspace.scope, fixture.platform)
        try await body(SubscriptionBench(fixture, sandbox.book, bot))
      }
    }
  }

  var pool: Pool { fixture.platform.pool }

  func scope() async -> WorkspaceScope {
    WorkspaceScope(
      workspaceID: fixture.workspace.id, clockOffsetSeconds: Int(await book.clockOffset))
  }

  /// Moves both clocks, takes what Telegram tells and lets the jobs run.
  func advance(days: Double) async throws {
    await book.forgetPolls()
    try await book.advanceClock(seconds: days * 86_400)
    try await Workspace.moveClock(
      ofTestSide: fixture.workspace.slug, offsetSeconds: Int(await book.clockOffset), pool)
    try await pump()
    try await work()
  }

  /// All jobs that are due. What a process keeps in memory is older than the clock: each round is a
  /// process of its own.
  func work() async throws {
    rounds += 1
    let ahead = rounds * 7200
    let process = Platform(
      pool: pool, secrets: fixture.platform.secrets, logger: TestCluster.logger)
    try await Worker(platform: process).runDue { Date().addingTimeInterval(ahead) }
    await process.patientPool.close()
    try await pump()
  }

  /// Hands on what waits at Telegram.
  ///
  /// - Returns: Whether a payment was among it.
  @discardableResult
  func pump() async throws -> Bool {
    let updates = try await client.getRawUpdates(offset: offset)
    var isPaid = false
    for update in updates {
      offset = update.update.updateID + 1
      let handled = try await fixture.platform.updates.receive(
        String(decoding: update.json, as: UTF8.self), for: bot, in: fixture.workspace,
        scope: await scope())
      switch handled {
      case .preCheckout(let id, .accept, _): try await client.acceptPreCheckoutQuery(id)
      case .preCheckout(let id, _, _):
        try await client.refusePreCheckoutQuery(id, errorMessage: "no")
      case .stored(let outcome, _, _): isPaid = isPaid || outcome == "payment.credited"
      }
    }
    if !updates.isEmpty, let offset { _ = try await client.getRawUpdates(offset: offset) }
    return isPaid
  }

  /// Pays a link as the person.
  func pay(_ link: String) async throws {
    let slug = try #require(TranscriptView.slug(in: link))
    let paying = Task { [book] in try await book.pay(invoice: slug, personID: Self.ann) }
    while try await !pump() { try await Task.sleep(for: .milliseconds(20)) }
    guard case .paid = try await paying.value else {
      Issue.record("not paid")
      return
    }
    try await work()
  }

  func link(_ plan: String) async throws -> String {
    let opened = try await Checkout.open(
      CheckoutRequest(
        telegramID: Self.ann, item: .plan(plan), idempotencyKey: UUID().uuidString),
      with: bot, in: await scope(), fixture.platform)
    return try #require(opened.link)
  }

  func subscriptions() async throws -> [EStars.Subscription] {
    let scope = await scope()
    guard let customer = try await customer() else { return [] }
    return try await EStars.Subscription.of(customer: customer.id, in: scope, pool)
  }

  func newest() async throws -> EStars.Subscription {
    try #require(try await subscriptions().first)
  }

  func customer() async throws -> Customer? {
    try await Customer.find(telegramID: Self.ann, in: await scope(), pool)
  }

  func use(_ credits: Int64) async throws {
    let answer = try await fixture.platform.usage.debit(
      DebitRequest(
        check: CheckRequest(telegramID: Self.ann, action: "sticker", units: credits), ref: nil,
        idempotencyKey: UUID().uuidString), in: await scope())
    #expect(answer.status == .applied)
  }

  /// What the page and the bot would be told: newest subscription, credits, tier, recurring revenue.
  struct Standing: Equatable, CustomStringConvertible {
    var state: EStars.Subscription.State
    var renewal: EStars.Subscription.Renewal
    var credits: Int64
    /// Features that run.
    var access: [String]
    /// Stars a month.
    var monthly: Int64

    var description: String {
      "\(state) \(renewal) \(credits) credits, \(access.joined(separator: "+")), \(monthly) ★"
    }
  }

  func standing() async throws -> Standing {
    let scope = await scope()
    let newest = try await newest()
    let balance = try await Balance.of(customer: newest.customerID, in: scope, pool)
    let access = try await ActiveAccess.of(customer: newest.customerID, in: scope, pool)
    return Standing(
      state: newest.state, renewal: newest.renewal, credits: balance.available,
      access: access.map(\.entitlement),
      monthly: PlanStanding.monthlyStars(try await PlanStanding.all(in: scope, pool)))
  }

  /// The last message of a kind and its button.
  func message(_ kind: OutgoingMessage.Kind) async throws -> OutgoingMessage {
    let row = try await pool.query(
      """
      select * from outgoing_messages where workspace_id = \(fixture.workspace.id)
        and kind = \(kind.rawValue) order by message_id desc limit 1
      """, in: await scope()
    ).first
    return try OutgoingMessage(try #require(row))
  }

  func problems() async throws -> [String] {
    try await Ledger(pool: pool).verify(in: await scope()).map(\.description)
  }
}

extension SandboxBook {
  /// The clock need not wait for somebody who takes updates by himself.
  func forgetPolls() { polledAt = [:] }

  func isStoppedByBot(_ subscription: String) -> Bool {
    state.subscriptions[subscription]?.isStoppedByBot ?? false
  }
}
