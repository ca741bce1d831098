import ArgumentParser
import EStars
import Foundation

struct OperatorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operator", abstract: "People who sign in.", subcommands: [Add.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add an operator; the password is read from ESTARS_OPERATOR_PASSWORD.")

    @Option(help: "E-mail address, used to sign in.") var email: String
    @Option(help: "Name as the dashboard shows it.") var name: String
    @Option(help: "Slug of the workspace to join; made with both sides when it does not exist.")
    var workspace: String
    @Option(help: "viewer, support, manager or owner.") var role = "owner"
    @Option(help: "Language of the dashboard: en or pt-BR.") var locale = "pt-BR"

    func run() async throws {
      let environment = ProcessInfo.processInfo.environment
      guard let password = Settings.value("ESTARS_OPERATOR_PASSWORD", environment) else {
        throw Complaint("ESTARS_OPERATOR_PASSWORD is missing: the new operator's password")
      }
      guard let role = Role(rawValue: role) else {
        throw Complaint("--role is one of viewer, support, manager and owner")
      }
      let logger = Log.start()
      let platform = try Settings().platform(logger)
      do {
        let person = try await Operator.create(
          email: email, name: name, password: password, locale: locale, at: Date(), platform)
        let sides = try await Workspace.sides(
          slug: workspace, orOpenedAs: name, locale: locale, at: Date(), platform.pool)
        for side in sides { try await person.join(side, as: role, at: Date(), platform.pool) }
        say("\(person.email) is \(role.rawValue) of \(workspace)")
      } catch let problem as Operator.CreationProblem {
        throw Complaint(problem.description)
      }
      await platform.pool.close()
    }
  }
}
