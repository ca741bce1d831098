import ArgumentParser
import Foundation
import Web

struct SiteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "site", abstract: "The public pages without the program behind them.",
    subcommands: [Build.self])

  struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the public pages as files; forms and signing in lead to the program.")

    @Option(help: "The folder to write to: a new one, an empty one, or an earlier build's.")
    var output: String
    @Option(help: "Where the program runs, such as https://app.example.") var appURL: String
    @Option(help: "Where the files will be reached; where the program runs if you do not say.")
    var siteURL: String?
    @Option(help: "The folder with Templates, Public and content.") var resources = "."

    func run() async throws {
      let app = try Self.address(appURL, "--app-url")
      let site = try siteURL.map { try Self.address($0, "--site-url") } ?? app
      let build = try SiteBuild(resources: URL(filePath: resources), site: site, app: app)
      let folder = URL(filePath: output)
      do {
        try build.write(to: folder)
      } catch let refusal as SiteBuild.Refusal {
        throw Complaint(refusal.description)
      }
      say("\(build.files.count) files in \(folder.path)")
    }

    private static func address(_ text: String, _ option: String) throws -> URL {
      guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""),
        url.host() != nil, url.query() == nil, url.fragment() == nil
      else { throw Complaint("\(option) is not an address: write https://host") }
      return url
    }
  }
}
