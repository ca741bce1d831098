import ArgumentParser
import EStars

struct ResealCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reseal",
    abstract: "Seal tokens and secrets anew with ESTARS_SEALING_KEY, so that it alone opens them.")

  func run() async throws {
    let platform = try Settings(isServing: false).platform(Log.start())
    do {
      say("\(try await Reseal(platform: platform).run()) sealed anew")
    } catch let problem as Secrets.Problem { throw Complaint(problem.description) }
    await platform.close()
  }
}
