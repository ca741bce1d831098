import Foundation
import Hummingbird
import HummingbirdTesting
import Ledger
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Sandbox
@testable import Web

@_spi(Guard) @testable import EStars

/// A sandbox and our own server, both listening, as an operator has them.
struct DrillBench: Sendable {
  static let owner = Actor(.operator, "owner@example.com")

  let fixture: ServerFixture
  let sandboxURL: URL
  /// Where the sandbox reaches us.
  let localURL: URL

  var pool: Pool { fixture.platform.pool }
  var scope: WorkspaceScope { fixture.workspace.scope }

  static func with(
    _ body: @Sendable @escaping (DrillBench) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: directory) }
    let sandbox = try SandboxServer(
      configuration: SandboxConfiguration(
        port: 0, dataDirectory: directory, resources: ServerFixture.root),
      logger: TestCluster.logger)
    try await whileServing(sandbox) {
      let sandboxURL = try address(try #require(await sandbox.port))
      try await ServerFixture.with { fixture in
        var configuration = Server.Configuration(
          resources: ServerFixture.root, publicURL: try address(8080))
        configuration.port = 0
        let server = try Server(
          platform: fixture.platform, configuration: configuration, logger: TestCluster.logger)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = server.application { port.yield($0.localAddress?.port ?? 0) }
        try await whileServing(application) {
          let number = try #require(await ports.first { _ in true })
          try await body(
            DrillBench(
              fixture: fixture, sandboxURL: sandboxURL, localURL: try address(number)))
        }
      }
    }
  }

  private static func address(_ port: Int) throws -> URL {
    try #require(URL(string: "http://127.0.0.1:\(port)"))
  }

  func startBot() async throws -> EStars.Bot {
    try await EStars.Bot.startSandbox(
      of: fixture.workspace, segment: .aiBot, at: sandboxURL, connections, by: Self.owner,
      in: scope)
  }

  /// As behind a proxy that ends TLS, whose address is not on the sandbox's machine.
  var connections: BotConnection {
    var configuration = Server.Configuration(
      resources: ServerFixture.root,
      publicURL: URL(string: "https://estars.example") ?? ServerFixture.root)
    configuration.port = localURL.port ?? 0
    return BotConnection(
      platform: fixture.platform, publicURL: configuration.publicURL,
      localURL: configuration.localURL)
  }

  /// The doors of a server that knows this sandbox, or none.
  func serving(
    sandbox: URL?, _ body: @Sendable @escaping (ServerFixture) async throws -> Void
  ) async throws {
    var configuration = Server.Configuration(resources: ServerFixture.root, publicURL: localURL)
    configuration.sandboxURL = sandbox
    let server = Server(
      platform: fixture.platform, configuration: configuration, logger: TestCluster.logger,
      pages: fixture.server.pages)
    try await server.application().test(.router) { client in
      try await body(
        ServerFixture(
          server: server, platform: fixture.platform, workspace: fixture.workspace,
          live: fixture.live, bot: fixture.bot, webhookSecret: fixture.webhookSecret,
          client: client))
    }
  }

  /// Runs all drills to their end.
  func drill(with bot: EStars.Bot? = nil) async throws -> DrillRun {
    let run = try await DrillRun.start(with: bot?.id, by: Self.owner, in: scope, pool)
    try await Worker(platform: fixture.platform).runNow(.drillsRun, subject: String(run.id))
    return try #require(try await DrillRun.find(id: run.id, in: scope, pool))
  }
}

extension DrillRun {
  /// As `bot_mapped passed`, and with what is wrong where something is.
  var outcomes: [String] {
    drills.map { drill in
      [drill.name.rawValue, drill.state.rawValue, drill.problem?.rawValue, drill.missing?.rawValue]
        .compactMap { $0 }.joined(separator: " ")
    }
  }

  func facts(of name: Drill.Name) -> [String: String] { drill(name)?.facts ?? [:] }
}
