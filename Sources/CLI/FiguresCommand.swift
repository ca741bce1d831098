import ArgumentParser
@_spi(Guard) import EStars
import Foundation
import Postgres

struct FiguresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "figures", abstract: "Questions to the figures of the dashboard.",
    subcommands: [Verify.self, Rebuild.self])

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Count every figure anew from its tables and compare.")

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
      var count = 0
      try await eachWorkspace(database) { rollup, workspace in
        for difference in try await rollup.recount(in: workspace.scope) {
          say(difference.description)
          count += 1
        }
      }
      say("\(count) differences")
      if count > 0 { throw ExitCode(1) }
    }
  }

  struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Throw every figure away and count it anew from its tables.")

    @OptionGroup var database: DatabaseOptions
    @Option(help: "Slug of one workspace; all of them without it.") var workspace: String?

    func run() async throws {
      var count = 0
      try await eachWorkspace(database) { rollup, each in
        guard workspace == nil || workspace == each.slug else { return }
        try await rollup.rebuild(in: each.scope)
        count += 1
        say("\(each.slug): counted")
      }
      if let workspace, count == 0 { throw Complaint("there is no workspace \(workspace)") }
    }
  }
}

private func eachWorkspace(
  _ database: DatabaseOptions, _ work: (Rollup, Workspace) async throws -> Void
) async throws {
  let logger = Log.start()
  let pool = Pool(try await database.configuration(logger), logger: logger)
  let patient = pool.patient(logger)
  let rollup = Rollup(pool: pool, patientPool: patient, logger: logger)
  do {
    try await rollup.checkCounter()
    for workspace in try await Workspace.all(pool) { try await work(rollup, workspace) }
  } catch let problem as Rollup.CounterBehind { throw Complaint(problem.description) }
  await pool.close()
  await patient.close()
}
