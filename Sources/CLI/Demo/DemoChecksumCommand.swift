import ArgumentParser
import EStars
import Foundation
import Ledger
import Logging
import Postgres

struct DemoChecksumCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-checksum",
    abstract: "One number for all that the demo's workspace holds: loads of one history agree.",
    discussion: """
      Left out: the transaction number of an entry (xid), the signatures of invoice payloads \
      (their key is made for each data folder), when the plans were made and the notes of the \
      verification job.
      """)

  @OptionGroup var database: DatabaseOptions
  @Flag(help: "A line for each table too.") var tables = false

  func run() async throws {
    let logger = Log.start()
    let pool = Pool(try await database.configuration(logger), logger: logger)
    guard let workspace = try await Workspace.find(slug: DemoWorkspace.testSlug, pool) else {
      throw Complaint("there is no demo workspace here: start the demo first")
    }
    let sum = try await DemoWorkspace.checksum(of: workspace, pool.patient(logger))
    if tables {
      for (name, digest) in sum.tables.sorted(by: { $0.key < $1.key }) { say("\(digest) \(name)") }
    }
    say("\(sum.digest) (\(sum.entries) ledger entries)")
    await pool.close()
  }
}
