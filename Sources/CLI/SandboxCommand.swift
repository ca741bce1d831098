import ArgumentParser
import Foundation
import Sandbox

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox", abstract: "Run a Telegram for this machine: no real Stars move.")

  @Option(help: "The address to listen on.") var host = "127.0.0.1"
  @Option(help: "The port to listen on.") var port = 8081
  @Option(help: "The folder of the sandbox's books.") var data = ".data/sandbox"
  @Option(help: "The folder with Templates and Public.") var resources = "."

  func run() async throws {
    let logger = Log.start()
    let directory = URL(filePath: data)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let server = try SandboxServer(
      configuration: SandboxConfiguration(
        host: host, port: port, dataDirectory: directory, resources: URL(filePath: resources)),
      logger: logger)
    say("sandbox: http://\(host):\(port)")
    try await Running.services([server], logger)
  }
}
