import ArgumentParser
@_spi(Guard) import EStars
import Foundation
import Postgres

struct FiguresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "figures", abstract: "Questions to the figures of the dashboard.",
    subcommands: [Verify.self])

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Count every figure anew from its tables and compare.")

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
      let logger = Log.start()
      let pool = Pool(try await database.configuration(logger), logger: logger)
      let patient = pool.patient(logger)
      let rollup = Rollup(pool: pool, patientPool: patient, logger: logger)
      var count = 0
      for workspace in try await Workspace.all(pool) {
        for difference in try await rollup.recount(in: workspace.scope) {
          say(difference.description)
          count += 1
        }
      }
      say("\(count) differences")
      await pool.close()
      await patient.close()
      if count > 0 { throw ExitCode(1) }
    }
  }
}
