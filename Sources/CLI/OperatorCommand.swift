import ArgumentParser
import EStars
import Foundation

struct OperatorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operator", abstract: "People who sign in.", subcommands: [Add.self, Reset.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Add an operator to a workspace, or an admin; a new one's password is ESTARS_OPERATOR_PASSWORD."
    )

    @Option(help: "E-mail address, used to sign in.") var email: String
    @Option(help: "Name as the dashboard shows it.") var name: String
    @Option(help: "Slug of the workspace to join; made with both sides when it does not exist.")
    var workspace: String?
    @Option(help: "Name of the business, where the workspace is made now; the slug by default.")
    var workspaceName: String?
    @Option(help: "viewer, support, manager or owner.") var role = "owner"
    @Flag(help: "Make this person an admin of the platform; no workspace is needed then.")
    var admin = false
    @Option(help: "Language of the dashboard: en or pt-BR.") var locale = "pt-BR"

    func run() async throws {
      guard let role = Role(rawValue: role) else {
        throw Complaint("--role is one of viewer, support, manager and owner")
      }
      guard ["en", "pt-BR"].contains(locale) else {
        throw Complaint("--locale is en or pt-BR")
      }
      guard workspace != nil || admin else {
        throw Complaint("--workspace is missing; an admin needs none: --admin")
      }
      guard workspaceName.map({ (1...Limits.workspaceNameCharacters).contains($0.count) }) ?? true
      else {
        throw Complaint("--workspace-name has 1 to \(Limits.workspaceNameCharacters) characters")
      }
      let platform = try Settings(isServing: false).platform(Log.start())
      do {
        var sides: [Workspace] = []
        if let workspace {
          sides = try await Workspace.sides(
            slug: workspace, orOpenedAs: workspaceName ?? workspace, locale: locale, at: Date(),
            platform.pool)
        }
        let person = try await findOrCreate(platform)
        for side in sides { try await person.join(side, as: role, at: Date(), platform.pool) }
        if role == .owner, let live = sides.first {
          // As when the invited owner joins: only what was approved begins its pilot by this.
          try await live.toPilot(by: Actor(.system, "estars operator add"), at: Date(), platform)
        }
        if let workspace { say("\(person.email) is \(role.rawValue) of \(workspace)") }
        if admin {
          try await person.makeAdmin(by: "estars operator add", at: Date(), platform.pool)
          say("\(person.email) is an admin and sets up a second factor at the first sign-in")
        }
      } catch let problem as Operator.CreationProblem {
        throw Complaint(problem.description)
      } catch let problem as Workspace.OpeningProblem { throw Complaint(problem.description) }
      await platform.close()
    }

    /// Somebody who has an account already keeps the password.
    private func findOrCreate(_ platform: Platform) async throws -> Operator {
      if let known = try await Operator.find(email: email, platform.pool) { return known }
      let environment = ProcessInfo.processInfo.environment
      guard let password = Settings.value("ESTARS_OPERATOR_PASSWORD", environment) else {
        throw Complaint("ESTARS_OPERATOR_PASSWORD is missing: the new operator's password")
      }
      return try await Operator.create(
        email: email, name: name, password: password, locale: locale, at: Date(), platform)
    }
  }

  struct Reset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a link by which somebody sets a new password; it works once, for a day.")

    @Option(help: "E-mail address of the operator.") var email: String
    @Flag(help: "The link takes the second factor off instead; the password stays.") var totp =
      false

    func run() async throws {
      let settings = try Settings(isServing: false)
      let platform = settings.platform(Log.start())
      guard let person = try await Operator.find(email: email, platform.pool) else {
        throw Complaint("there is no operator with this e-mail address")
      }
      let token = try await ResetLink.make(totp ? .totp : .password, for: person, platform)
      await platform.close()
      let address = settings.publicURL.absoluteString
      say("\(address.hasSuffix("/") ? String(address.dropLast()) : address)/resets/\(token)")
    }
  }
}
