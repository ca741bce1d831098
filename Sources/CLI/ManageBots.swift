import ArgumentParser
import EStars
import Foundation
import Telegram

struct ManageBots: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bot", abstract: "Bots that sell for a workspace.", subcommands: [Add.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a bot by its token (ESTARS_BOT_TOKEN) and print its key and webhook.",
      discussion: """
        Telegram is asked for the bot's name only: its webhook and its waiting updates stay as they \
        are until you set the webhook yourself. Key and secret are shown once.
        """)

    @Option(help: "Slug of the workspace: live bots go to a live side, others to a test side.")
    var workspace: String
    @Option(help: "ai_bot, service_bot or mini_app.") var segment = "service_bot"
    @Option(help: "live or test; or the address of a sandbox.") var environment = "live"

    func run() async throws {
      let variables = ProcessInfo.processInfo.environment
      guard let text = Settings.value("ESTARS_BOT_TOKEN", variables), let token = BotToken(text)
      else { throw Complaint("ESTARS_BOT_TOKEN is missing or no token: copy it from @BotFather") }
      guard let segment = Bot.Segment(rawValue: segment) else {
        throw Complaint("--segment is one of ai_bot, service_bot and mini_app")
      }
      let logger = Log.start()
      let settings = try Settings(isServing: false)
      let platform = settings.platform(logger)
      guard let workspace = try await Workspace.find(slug: workspace, platform.pool) else {
        throw Complaint("there is no workspace \(workspace)")
      }
      guard (workspace.side == .live) == (environment == "live") else {
        throw Complaint("live bots belong to a live side, test and sandbox bots to a test side")
      }
      do {
        let endpoint = try endpoint()
        let me = try await TelegramClient(token: token, endpoint: endpoint, logger: logger).getMe()
        let bot = try await Bot.register(
          token: text, username: me.username ?? "", name: me.firstName, segment: segment,
          endpoint: endpoint, in: workspace, at: Date(), platform)
        let key = try await APIKey.issue(
          for: bot, side: workspace.side, scopes: APIKey.Scope.allCases, at: Date(), platform.pool)
        let secret = try await bot.renewWebhookSecret(platform.pool)
        say(
          """
          bot             @\(bot.username)
          API key         \(key)
          webhook         \(settings.publicURL.appending(path: "telegram/\(bot.id)").absoluteString)
          secret_token    \(secret)
          """)
      } catch let error as TelegramError {
        throw Complaint("Telegram does not know this bot: \(error)")
      } catch let problem as Bot.RegistrationProblem { throw Complaint(problem.description) }
      await platform.close()
    }

    private func endpoint() throws -> BotAPIEndpoint {
      switch environment {
      case "live": return .live
      case "test": return .test
      default:
        guard let url = URL(string: environment), url.host() != nil else {
          throw Complaint("--environment is live, test or the address of a sandbox")
        }
        return .sandbox(url)
      }
    }
  }
}
