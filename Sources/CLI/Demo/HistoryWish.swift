import ArgumentParser
import EStars
import Foundation

/// Which history a demo is to begin with. What is left out is as it was in the data folder.
struct HistoryWish: ParsableArguments {
  @Option(help: "How many customers the history has, 5 to 3000 (default: 300).")
  var customers: Int?
  @Option(help: "Another seed makes another history (default: 1).")
  var seed: UInt64?
  @Option(
    help: """
      When the history ends: 2026-11-20 (as that day begins in São Paulo) or \
      2026-11-20T15:00:00Z (default: the past hour).
      """)
  var until: String?

  func validate() throws {
    if let customers, !DemoHistory.customerCounts.contains(customers) {
      throw ValidationError("--customers is a number from 5 to 3000")
    }
    if let until, Self.date(until) == nil {
      throw ValidationError("--until is a day like 2026-11-20 or a time like 2026-11-20T15:00:00Z")
    }
  }

  /// What can be said before anything is started.
  func check(now: Date) throws {
    if let date = until.flatMap(Self.date), date > now {
      throw Complaint("--until is still to come: a history is of what was")
    }
  }

  /// - Parameter known: The history that the data folder holds or was promised.
  /// - Throws: ``Complaint`` where that is another one.
  func history(known: DemoHistory?, now: Date) throws -> DemoHistory {
    let hour = Date(timeIntervalSince1970: (now.timeIntervalSince1970 / 3600).rounded(.down) * 3600)
    let wished = DemoHistory(
      seed: seed ?? known?.seed ?? DemoHistory.usualSeed,
      until: until.flatMap(Self.date) ?? known?.until ?? hour,
      customers: customers ?? known?.customers ?? DemoHistory.usualCustomers)
    if let known, known != wished {
      throw Complaint(
        "the data folder has a history of \(known.customers) customers with --seed \(known.seed) "
          + "and --until \(known.until.formatted(.iso8601)): start over with --fresh for another")
    }
    return wished
  }

  private static func date(_ text: String) -> Date? {
    (try? Date(text, strategy: .iso8601))
      ?? (try? Date("\(text)T00:00:00-03:00", strategy: .iso8601))
  }
}
