import Foundation
import Ledger
import Logging
import Postgres
import Telegram

extension AlertWatch {
  /// What stands between Telegram and a bot's updates.
  enum WebhookTrouble: Equatable, Sendable {
    case token
    /// Telegram calls another address than ours.
    case elsewhere
    case error(String, pending: Int)
    case pending(Int)

    func facts(of bot: Bot, limit: Int64) -> [String: String] {
      var facts = ["bot": bot.username]
      switch self {
      case .token: facts["problem"] = "token"
      case .elsewhere: facts["problem"] = "elsewhere"
      case .error(let words, let pending):
        facts["problem"] = "error"
        facts["words"] = String(words.prefix(200))
        facts["pending"] = String(pending)
      case .pending(let pending):
        facts["problem"] = "pending"
        facts["pending"] = String(pending)
        facts["limit"] = String(limit)
      }
      return facts
    }
  }

  /// Asks Telegram how each bot's webhook does. Of a bot that it could not be asked about nothing is
  /// known, so nothing changes.
  func lookAtWebhooks(in scope: WorkspaceScope) async throws {
    let rules = try await AlertRule.all(in: scope, platform.pool)
    guard let rule = rules.first(where: { $0.kind == .webhookFailing }) else { return }
    let bots = try await Bot.all(in: scope, platform.pool)
    let asked = rule.isWatched ? bots.filter(\.isConnected) : []
    let limit = rule.limit ?? 0
    let answers = await withTaskGroup(of: (Bot, Result<WebhookTrouble?, any Error>).self) { group in
      for bot in asked.prefix(Limits.alertBots) {
        group.addTask {
          do {
            return (bot, .success(try await trouble(of: bot, limit: limit)))
          } catch { return (bot, .failure(error)) }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let at = scope.now
    try await platform.pool.transaction(in: scope) { tx in
      for (bot, answer) in answers {
        guard case .success(let trouble) = answer else { continue }
        if let trouble {
          try await tx.raise(
            .webhookFailing, about: "bot:\(bot.id)", facts: trouble.facts(of: bot, limit: limit),
            in: scope, at: at)
        } else {
          try await tx.endAlert(
            .webhookFailing, about: "bot:\(bot.id)", unseenFor: Limits.alertCalmSeconds, in: scope,
            at: at)
        }
      }
      let known = Set(asked.map(\.id))
      for bot in bots where !known.contains(bot.id) {
        try await tx.endAlert(.webhookFailing, about: "bot:\(bot.id)", in: scope, at: at)
      }
    }
  }

  /// - Returns: nil where all is well.
  /// - Throws: where Telegram could not be asked.
  private func trouble(of bot: Bot, limit: Int64) async throws -> WebhookTrouble? {
    let info: WebhookInfo
    do {
      var client = try platform.telegram(for: bot)
      client.options.timeout = .seconds(Limits.botCallSeconds)
      client.options.retryAfterBudget = .seconds(Limits.botCallRetrySeconds)
      info = try await client.getWebhookInfo()
    } catch let error as TelegramError where error.isUnauthorized {
      return .token
    } catch TelegramError.api(404, _, _) {
      return .token
    }
    return Self.trouble(info, of: bot, limit: limit, at: Date())
  }

  /// - Parameter at: By the clock on the wall, which is Telegram's.
  static func trouble(
    _ info: WebhookInfo, of bot: Bot, limit: Int64, at: Date
  ) -> WebhookTrouble? {
    if bot.mode != .forwarding, !bot.isChangeUnfinished, let ours = bot.webhookURL,
      info.url != ours
    {
      return .elsewhere
    }
    // An error that was made good leaves nothing waiting.
    if let date = info.lastErrorDate, info.pendingUpdateCount > 0,
      at.timeIntervalSince1970 - Double(date) < Limits.alertWebhookSeconds
    {
      return .error(info.lastErrorMessage ?? "", pending: info.pendingUpdateCount)
    }
    return Int64(info.pendingUpdateCount) > limit ? .pending(info.pendingUpdateCount) : nil
  }
}
