import ArgumentParser

/// The parts of `bin/bench` that Python would be too slow or too far from the product for.
@main
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "What bin/bench measures the product with.",
    subcommands: [DataCommand.self, BareCommand.self, LoadCommand.self])
}

struct Complaint: Error, CustomStringConvertible {
  let description: String
}
