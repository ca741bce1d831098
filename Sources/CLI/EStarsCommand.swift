import ArgumentParser
import Foundation

@main
struct EStarsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estars",
    abstract: "Credits, access and usage for bots that sell in Telegram Stars.",
    subcommands: [
      Serve.self, Work.self, Migrate.self, Demo.self, DemoChecksumCommand.self, SandboxCommand.self,
      OperatorCommand.self, SiteCommand.self,
      ManageBots.self, LedgerCommand.self, FiguresCommand.self, BenchDataCommand.self,
      ResealCommand.self, ClusterURL.self,
    ])
}

/// One line for the person at the terminal; never a stack trace.
struct Complaint: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Prints a line at once, even where the output is a file or a pipe.
func say(_ text: String) {
  FileHandle.standardOutput.write(Data((text + "\n").utf8))
}
