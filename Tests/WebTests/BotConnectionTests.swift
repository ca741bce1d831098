@_spi(Guard) import EStars
import Foundation
import Ledger
import Telegram
import TestSupport
import Testing

@testable import Sandbox

/// Taking a webhook over and giving it back, against a Telegram of our own.
@Suite struct BotConnectionTests {
  private static let token = "7000000077:AAConnectionConnectionConnectionConn"
  private static let owner = Actor(.operator, "owner@example.com")

  private struct Bench: Sendable {
    let fixture: ServerFixture
    let book: SandboxBook
    let bot: EStars.Bot
    let connections: BotConnection
    let endpoint: BotAPIEndpoint

    func now() async throws -> EStars.Bot {
      try #require(
        try await EStars.Bot.find(id: bot.id, in: fixture.workspace.scope, fixture.platform.pool))
    }

    func connect(_ choice: BotConnection.Choice) async throws {
      _ = try await connections.connect(
        try await now(), as: choice, seen: nil, by: BotConnectionTests.owner,
        in: fixture.workspace.scope)
    }
  }

  private func with(_ body: @Sendable @escaping (Bench) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: directory) }
    var configuration = SandboxConfiguration(
      port: 0, dataDirectory: directory, resources: ServerFixture.root)
    // Telegram's second between two changes.
    configuration.pace.retryFactor = 0.001
    let sandbox = try SandboxServer(configuration: configuration, logger: TestCluster.logger)
    _ = try await sandbox.book.registerBot(token: Self.token, name: "Loja", username: "loja_bot")
    try await whileServing(sandbox) {
      let port = try #require(await sandbox.port)
      let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
      try await ServerFixture.with { fixture in
        let bot = try await EStars.Bot.add(
          token: Self.token, segment: .aiBot, endpoint: .sandbox(url), by: Self.owner,
          in: fixture.workspace.scope, fixture.platform)
        let connections = BotConnection(
          platform: fixture.platform,
          publicURL: try #require(URL(string: "http://127.0.0.1:9")))
        try await body(
          Bench(
            fixture: fixture, book: sandbox.book, bot: bot, connections: connections,
            endpoint: .sandbox(url)))
      }
    }
  }

  @Test func ownersWhoChangeItAtOnceLeaveOneStateOfMind() async throws {
    try await with { bench in
      let choices: [BotConnection.Choice] = [
        .webhook, .forwarding, .relay(url: "http://127.0.0.1:1/x", secret: nil), .webhook,
        .forwarding, .webhook,
      ]
      for _ in 0..<3 {
        let done = await withTaskGroup(of: Bool.self) { group in
          for choice in choices {
            group.addTask { (try? await bench.connect(choice)) != nil }
          }
          return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(done >= 1)
        let bot = try await bench.now()
        let webhook = await bench.book.webhook(of: bot.id)
        #expect((webhook != nil) == (bot.mode != .forwarding))
        #expect(bot.accepts(webhookSecret: webhook?.secretToken) == (webhook != nil))
        #expect(!bot.isChangeUnfinished)
      }
    }
  }

  @Test func everyWebhookHasASecretOfItsOwn() async throws {
    try await with { bench in
      var secrets: Set<String> = []
      for _ in 0..<3 {
        try await bench.connect(.webhook)
        let secret = try #require(await bench.book.webhook(of: bench.bot.id)?.secretToken)
        #expect(secrets.allSatisfy { $0 != secret })
        let bot = try await bench.now()
        for old in secrets { #expect(!bot.accepts(webhookSecret: old)) }
        secrets.insert(secret)
        #expect(bot.accepts(webhookSecret: secret))
      }
      try await bench.connections.disconnect(
        try await bench.now(), by: Self.owner, in: bench.fixture.workspace.scope)
      let bot = try await bench.now()
      #expect(!bot.isConnected && secrets.allSatisfy { !bot.accepts(webhookSecret: $0) })
      await #expect(throws: BotConnection.Problem.disconnected) {
        try await bench.connect(.webhook)
      }
    }
  }

  /// The bot's own webhook, as it was before us.
  private func setOwn(_ bench: Bench) async throws {
    _ = try await bench.book.setWebhook(
      Sandbox.Bot.Webhook(
        url: "http://127.0.0.1:1/own", secretToken: nil, maxConnections: 7, hasCertificate: false),
      botID: bench.bot.id, allowedUpdates: [UpdateKind("message")], dropPending: false)
  }

  private func disconnect(_ bench: Bench, at url: String = "http://127.0.0.1:9") async throws {
    let connections = BotConnection(
      platform: bench.fixture.platform, publicURL: try #require(URL(string: url)))
    try await connections.disconnect(
      try await bench.now(), by: Self.owner, in: bench.fixture.workspace.scope)
  }

  @Test func itComesBackThoughOurAddressHasChanged() async throws {
    try await with { bench in
      try await setOwn(bench)
      try await bench.connect(.webhook)
      #expect(await bench.book.webhook(of: bench.bot.id)?.maxConnections == 40)
      try await disconnect(bench, at: "http://127.0.0.1:10")
      let webhook = await bench.book.webhook(of: bench.bot.id)
      #expect(webhook?.url == "http://127.0.0.1:1/own" && webhook?.maxConnections == 7)
      let bot = try await bench.now()
      #expect(bot.previousWebhookURL == nil && !bot.isRestorationMissing)
    }
  }

  @Test func aTryThatHadNoAnswerIsTakenUpAgainWithItsSecret() async throws {
    try await with { bench in
      let id = bench.bot.id
      await bench.book.order(.dropConnection, botID: id, method: "setwebhook", times: 1)
      await #expect(throws: BotConnection.Problem.noAnswer) {
        try await bench.connect(.relay(url: "http://127.0.0.1:1/x", secret: "s"))
      }
      let secret = try #require(await bench.book.webhook(of: id)?.secretToken)
      var bot = try await bench.now()
      #expect(bot.mode == .forwarding && bot.isChangeUnfinished)
      // Telegram has it, so what comes with it is for the relay.
      #expect(bot.accepting(webhookSecret: secret)?.mode == .relay)
      #expect(bot.accepting(webhookSecret: secret)?.relayURL == "http://127.0.0.1:1/x")
      await bench.book.order(.internalError, botID: id, method: "setwebhook", times: 1)
      await #expect(throws: BotConnection.Problem.noAnswer) { try await bench.connect(.webhook) }
      bot = try await bench.now()
      #expect(bot.accepting(webhookSecret: secret)?.mode == .webhook)
      try await bench.connect(.webhook)
      bot = try await bench.now()
      let last = await bench.book.webhook(of: id)?.secretToken
      #expect(bot.mode == .webhook && !bot.isChangeUnfinished)
      #expect(bot.accepts(webhookSecret: last))
    }
  }

  @Test func withoutATokenWhatWasThereIsKeptForLater() async throws {
    try await with { bench in
      try await setOwn(bench)
      try await bench.connect(.webhook)
      let platform = bench.fixture.platform
      try await platform.pool.execute(
        "update bots set sealed_token = '\\x00' where bot_id = \(bench.bot.id)")
      try await disconnect(bench)
      var bot = try await bench.now()
      #expect(!bot.isConnected && bot.isRestorationMissing)
      #expect(bot.previousWebhookURL == "http://127.0.0.1:1/own")
      _ = try await EStars.Bot.add(
        token: Self.token, segment: .aiBot, endpoint: bench.endpoint, by: Self.owner,
        in: bench.fixture.workspace.scope, platform)
      try await disconnect(bench, at: "http://127.0.0.1:10")
      bot = try await bench.now()
      #expect(!bot.isConnected && !bot.isRestorationMissing)
      #expect(await bench.book.webhook(of: bot.id)?.url == "http://127.0.0.1:1/own")
    }
  }
}
