@_spi(Guard) import EStars
import Foundation
import Ledger
import Telegram
import TestSupport
import Testing

@testable import Sandbox

/// Taking a webhook over and giving it back, against a Telegram of our own.
@Suite struct BotConnectionTests {
  private static let owner = Actor(.operator, "owner@example.com")

  private struct Bench: Sendable {
    let fixture: ServerFixture
    let book: SandboxBook
    let bot: EStars.Bot
    let connections: BotConnection

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
    let token = "7000000077:AAConnectionConnectionConnectionConn"
    _ = try await sandbox.book.registerBot(token: token, name: "Loja", username: "loja_bot")
    let running = Task { try await sandbox.run() }
    let port = try #require(await sandbox.port)
    let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
    let outcome: Result<Void, any Error>
    do {
      try await ServerFixture.with { fixture in
        let bot = try await EStars.Bot.add(
          token: token, segment: .aiBot, endpoint: .sandbox(url), by: Self.owner,
          in: fixture.workspace.scope, fixture.platform)
        let connections = BotConnection(
          platform: fixture.platform,
          publicURL: try #require(URL(string: "http://127.0.0.1:9")))
        try await body(
          Bench(fixture: fixture, book: sandbox.book, bot: bot, connections: connections))
      }
      outcome = .success(())
    } catch { outcome = .failure(error) }
    await sandbox.book.stopWaiting()
    running.cancel()
    _ = await running.result
    try outcome.get()
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
}
