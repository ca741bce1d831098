import ArgumentParser
import EStars
import Foundation
import Ledger
import Logging
import Postgres

struct LedgerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "Questions to the ledger.", subcommands: [Verify.self])

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Replay every entry and compare every balance, lot and hold with it.")

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
      let logger = Log.start()
      let pool = Pool(try await database.configuration(logger), logger: logger).patient(logger)
      let problems = try await Ledger(pool: pool).verify()
      for problem in problems { say(problem.description) }
      say("\(problems.count) problems")
      await pool.close()
      if !problems.isEmpty { throw ExitCode(1) }
    }
  }
}

/// Which database a maintenance command works on: DATABASE_URL, or the demo's private cluster.
struct DatabaseOptions: ParsableArguments {
  @Option(help: "The demo's data folder, used where DATABASE_URL is not set.")
  var data = ".data"

  func configuration(_ logger: Logger) async throws -> Configuration {
    if let address = Settings.value("DATABASE_URL", ProcessInfo.processInfo.environment) {
      return Configuration(connectionString: address)
    }
    let cluster = Cluster(directory: URL(filePath: data).appending(path: "postgres"))
    guard try await cluster.processID() != nil else {
      throw Complaint(
        "set DATABASE_URL, or start the demo first (no cluster runs in \(data)/postgres)")
    }
    return Configuration(connectionString: cluster.appURL)
  }
}

struct ClusterURL: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster-url",
    abstract: "The libpq address of the demo's private database, for psql and a second server.")

  @Option(help: "The demo's data folder.") var data = ".data"
  @Option(help: "estars_app, estars_owner or postgres.") var role = "estars_app"

  func run() async throws {
    let cluster = Cluster(directory: URL(filePath: data).appending(path: "postgres"))
    say(cluster.url(role: role, database: "estars"))
  }
}
