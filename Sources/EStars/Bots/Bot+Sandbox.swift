import Foundation
import Ledger
import Postgres
import Telegram

extension Bot {
  /// Why there is no sandbox bot. What was done before stays, and the same call goes on from there.
  public enum SandboxProblem: Error, Sendable, Equatable {
    /// Bots of a sandbox belong to a test side.
    case liveSide
    case sandbox(SandboxTelegram.Problem)
    case registration(RegistrationProblem)
    case connection(BotConnection.Problem)
  }

  /// Makes a bot at the sandbox, adds it to a test side and has its updates come to us. A workspace
  /// has one such bot: called again, this gives that one back, mended where it has to be.
  ///
  /// - Parameters:
  ///   - segment: nil = the workspace's own.
  ///   - sandbox: Where `estars sandbox` answers.
  ///   - connections: With the address at which the sandbox reaches us.
  /// - Throws: ``SandboxProblem``
  public static func startSandbox(
    of workspace: Workspace, segment: Segment? = nil, at sandbox: URL,
    _ connections: BotConnection, by actor: Actor, in scope: WorkspaceScope
  ) async throws -> Bot {
    let platform = connections.platform
    guard workspace.side == .test else { throw SandboxProblem.liveSide }
    let endpoint = BotAPIEndpoint.sandbox(sandbox)
    do {
      let known = try await all(in: scope, platform.pool).first { sandboxIDs.contains($0.id) }
      let kept = known.flatMap { try? platform.secrets.open($0.sealedToken) }
      guard let token = kept.flatMap(BotToken.init) ?? sandboxToken(of: workspace, platform.secrets)
      else { throw SandboxProblem.registration(.token) }
      try await SandboxTelegram(baseURL: sandbox).makeBot(
        token: token, name: sandboxName(of: workspace),
        username: sandboxUsername(of: workspace, token))
      let bot: Bot
      if let known, known.isConnected, known.endpoint == endpoint, kept != nil {
        bot = known
      } else {
        bot = try await add(
          token: token.secretText, segment: segment ?? workspace.segment, endpoint: endpoint,
          by: actor, in: scope, platform)
      }
      let url = try await connections.webhookInfo(of: bot).url
      let isOurs = url == connections.webhookURL(of: bot)
      if bot.mode == .forwarding || bot.isChangeUnfinished || !isOurs {
        _ = try await connections.connect(bot, as: .webhook, seen: nil, by: actor, in: scope)
      }
      return try await find(id: bot.id, in: scope, platform.pool) ?? bot
    } catch let problem as SandboxTelegram.Problem {
      throw SandboxProblem.sandbox(problem)
    } catch let problem as RegistrationProblem {
      throw SandboxProblem.registration(problem)
    } catch let problem as BotConnection.Problem {
      throw SandboxProblem.connection(problem)
    }
  }

  /// Far above what Telegram has given to anybody, within the 52 bits that it promises: no bot of
  /// Telegram's is ever taken for one of these.
  static let sandboxIDs: Range<Int64> = 3 << 50..<1 << 52

  /// Two clicks at once mean one bot, so its token follows from the workspace and our own key.
  private static func sandboxToken(of workspace: Workspace, _ secrets: Secrets) -> BotToken? {
    let bytes = secrets.key("sandbox-bot/\(workspace.id)").withUnsafeBytes { Array($0) }
    let number = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let id = sandboxIDs.lowerBound + Int64(number % UInt64(sandboxIDs.count))
    return BotToken("\(id):\(Bytes.base64URL(Array(bytes.dropFirst(8))))")
  }

  private static func sandboxName(of workspace: Workspace) -> String {
    let name = workspace.name.trimmingCharacters(in: .whitespacesAndNewlines).prefix(50)
    return name.isEmpty ? "Sandbox" : "\(name) (sandbox)"
  }

  /// Of at most 32 letters, digits and underscores; the bot's id keeps it apart from others.
  private static func sandboxUsername(of workspace: Workspace, _ token: BotToken) -> String {
    let words = workspace.slug.replacing(/-test$/, with: "").replacing("-", with: "_")
    return "\(words.prefix(20))_\(String(token.botID, radix: 36).suffix(6))_bot"
  }
}
