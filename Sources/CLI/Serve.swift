import ArgumentParser
import EStars
import Foundation
import Logging
import Postgres
import ServiceLifecycle
import Web

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve site, dashboard, API and webhooks. Configured by the environment.")

  func run() async throws {
    let logger = Log.start()
    let settings = try Settings(isServing: true)
    let journal = try settings.outageJournal.map(OutageJournal.init)
    let platform = settings.platform(logger, journal)
    try await platform.directory.preload()
    let server = try settings.server(platform, logger)
    try await Running.services(
      [
        server.application { _ in
          say("eStars serves \(settings.publicURL.absoluteString)")
        }
      ] + OutageBooking.services(platform), logger)
    await platform.close()
  }
}

struct Work: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run jobs: refunds, inbox retries, expiry of holds and lots, verification.")

  @Flag(help: "Run what is due now and end.") var once = false

  func run() async throws {
    let logger = Log.start()
    let settings = try Settings(isServing: false)
    let platform = settings.platform(logger)
    do { try await Rollup(platform).checkCounter() } catch let problem as Rollup.CounterBehind {
      logger.error("\(problem)")
    }
    if once {
      try await Worker(platform: platform).runDue()
    } else {
      try await Running.services([WorkerService(worker: Worker(platform: platform))], logger)
    }
    await platform.close()
  }
}

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database to this version, as the owner (DATABASE_OWNER_URL).")

  @Option(help: "The folder of the migrations.") var directory = "Migrations"

  func run() async throws {
    let logger = Log.start()
    let environment = ProcessInfo.processInfo.environment
    guard let address = Settings.value("DATABASE_OWNER_URL", environment) else {
      throw Complaint("DATABASE_OWNER_URL is missing: a libpq address for the role estars_owner")
    }
    let report = try await Migrator(directory: URL(filePath: directory), logger: logger)
      .migrate(Configuration(connectionString: address))
    say(report.applied.isEmpty ? "nothing to do" : report.applied.joined(separator: "\n"))
  }
}

struct WorkerService: Service {
  let worker: Worker

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      do { try await worker.run() } catch is CancellationError {}
    }
  }
}

/// Books what this process accepted while the database was away.
struct OutageBooking: Service {
  private let outages: Outages
  private let usage: Usage

  static func services(_ platform: Platform) -> [any Service] {
    platform.outages.map { [OutageBooking(outages: $0, usage: platform.usage)] } ?? []
  }

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      do { try await outages.run(usage) } catch is CancellationError {}
    }
  }
}

enum Running {
  /// Runs services until one ends or the terminal says Ctrl-C; each is given ten seconds to end.
  static func services(_ services: [any Service], _ logger: Logger) async throws {
    var configuration = ServiceGroupConfiguration(
      services: services.map {
        .init(
          service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      }, gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(10)
    try await ServiceGroup(configuration: configuration).run()
  }
}

extension Settings {
  func platform(_ logger: Logger, _ journal: OutageJournal? = nil) -> Platform {
    var configuration = Configuration(connectionString: databaseURL)
    configuration.maxConnections = databaseConnections
    return Platform(
      pool: Pool(configuration, logger: logger), secrets: secrets, logger: logger,
      allowsPrivateTargets: allowsPrivateTargets, outageJournal: journal)
  }

  func server(_ platform: Platform, _ logger: Logger) throws -> Server {
    var configuration = Server.Configuration(resources: resources, publicURL: publicURL)
    configuration.host = host
    configuration.port = port
    configuration.trustedProxies = trustedProxies
    configuration.sandboxURL = sandboxURL
    return try Server(platform: platform, configuration: configuration, logger: logger)
  }
}
