import ArgumentParser
@_spi(Guard) import EStars
import Foundation
import Synchronization

struct BenchDataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-data",
    abstract: "Fill a test side with customers and ledger entries by the million, for measuring.",
    discussion: """
      Grants, purchases and uses go through the ledger's own functions; `estars ledger verify` and \
      `estars figures verify` find them as they find real ones. What is written stays. Figures are \
      counted in the end.
      """)

  @Option(help: "Slug of the test side.") var workspace: String
  @Option(help: "How many customers.") var customers: Int64 = 10_000
  @Option(help: "How many ledger entries, at least one a customer.") var entries: Int64 = 100_000
  @Option(help: "Days that the history reaches back.") var days = 90

  func validate() throws {
    guard (1...100_000_000).contains(customers), (1...1_000_000_000).contains(entries),
      (1...3650).contains(days)
    else { throw ValidationError("--customers, --entries and --days are positive numbers") }
  }

  func run() async throws {
    let logger = Log.start()
    let platform = try Settings(isServing: false).platform(logger)
    guard let side = try await Workspace.find(slug: workspace, platform.pool) else {
      throw Complaint("there is no workspace \(workspace)")
    }
    let history = BulkHistory(customers: customers, entries: entries, days: days, in: side)
    do {
      let written = Mutex<Int64>(0)
      try await history.write(platform) { count in
        let (before, now) = written.withLock {
          $0 += count
          return ($0 - count, $0)
        }
        let percent = now * 100 / history.entries
        if percent > before * 100 / history.entries { tell("\(now) entries, \(percent) %") }
      }
    } catch let refusal as BulkHistory.Refusal { throw Complaint(refusal.text(of: workspace)) }
    tell("counting figures")
    let rollup = Rollup(platform)
    let standing = try await rollup.follow(in: side.scope) { standing in
      if let until = standing.countedUntil { tell("figures until \(until.formatted(.iso8601))") }
    }
    if standing.isCurrent { try await rollup.countTops(in: side.scope) }
    say("\(history.customers) customers, \(history.entries) entries")
    await platform.close()
  }
}

/// A line about what goes on, beside the answer.
private func tell(_ text: String) {
  FileHandle.standardError.write(Data((text + "\n").utf8))
}

extension BulkHistory.Refusal {
  fileprivate func text(of workspace: String) -> String {
    switch self {
    case .live: "\(workspace) is a live side; only a test side is filled"
    case .noBot: "\(workspace) has no bot: add one first"
    case .filled: "\(workspace) was filled before"
    }
  }
}
