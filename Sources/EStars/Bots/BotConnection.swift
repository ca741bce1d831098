import Foundation
import Ledger
import Postgres
import Telegram

/// Takes a bot's webhook over, gives it back and says what Telegram thinks of it. Nothing here ever
/// drops an update that waits.
///
/// Telegram is called between two transactions, never inside one. The first notes what must not be
/// lost (the address that Telegram calls now, the new secret and the mode that comes with it); the
/// second says that the change is done. A process that dies in between leaves a bot whose updates are
/// taken as the change wants it, and whose page shows that the change never ended.
public struct BotConnection: Sendable {
  public enum Problem: Error, Sendable, Equatable {
    /// Telegram refused, in its own words. Nothing was changed.
    case refused(String)
    /// The token is no bot's any more.
    case token
    /// Telegram was not reached, so nothing was changed.
    case notReached
    /// Telegram was asked and did not answer: the change may have been made.
    case noAnswer
    /// Telegram calls another address than the one that was shown.
    case moved
    /// Somebody else is changing this bot now.
    case busy
    case disconnected
  }

  /// What the owner chose.
  public enum Choice: Sendable, Equatable {
    case forwarding
    case webhook
    /// - Parameter secret: What the bot's handler expects in the header; nil keeps the one there is,
    ///   or makes the first one.
    case relay(url: String, secret: String?)
  }

  /// How Telegram reaches this deployment, and how a sandbox does.
  private let publicURL, localURL: URL
  let platform: Platform

  /// - Parameter localURL: A sandbox calls its own machine only; nil: the public address is there.
  public init(platform: Platform, publicURL: URL, localURL: URL? = nil) {
    self.platform = platform
    self.publicURL = publicURL
    self.localURL = localURL ?? publicURL
  }

  public func webhookURL(of bot: Bot) -> String {
    (bot.environment == "sandbox" ? localURL : publicURL)
      .appending(path: "telegram/\(bot.id)").absoluteString
  }

  /// Whether it was us who made Telegram call this address, today's or one from before our own
  /// address changed.
  public func isOurs(_ url: String, of bot: Bot) -> Bool {
    [webhookURL(of: bot), bot.webhookURL, bot.intention?.webhookURL].contains(url)
  }

  /// What Telegram says of the bot's webhook.
  ///
  /// - Throws: ``Problem``
  public func webhookInfo(of bot: Bot) async throws -> WebhookInfo {
    let client = try client(for: bot)
    return try await Self.ask { try await client.getWebhookInfo() }
  }

  /// Brings the bot into the chosen mode.
  ///
  /// - Parameter seen: The webhook that the owner was shown; nil takes whatever there is.
  /// - Returns: The secret that relayed updates carry, where one was made now: it can be shown once.
  /// - Throws: ``Problem``
  public func connect(
    _ bot: Bot, as choice: Choice, seen: String?, by actor: Actor, in scope: WorkspaceScope
  ) async throws -> String? {
    try await claiming(bot, in: scope) { change in
      let client = try client(for: change.bot)
      let info = try await Self.ask { try await client.getWebhookInfo() }
      if let seen, seen != info.url { throw Problem.moved }
      switch choice {
      case .forwarding:
        _ = try await giveBack(change, info, client, in: scope)
        try await end(change, restoration: nil, by: actor, in: scope)
        return nil
      case .webhook:
        try await takeOver(change, info, client, relay: nil, by: actor, in: scope)
        return nil
      case .relay(let url, let given):
        let known = try given ?? change.bot.relaySecret(platform.secrets)
        let secret = known ?? Bytes.base64URL(Bytes.random(32))
        try await takeOver(change, info, client, relay: (url, secret), by: actor, in: scope)
        return known == nil ? secret : nil
      }
    }
  }

  /// Ends the connection: Telegram calls the address from before again, or nobody. Does nothing at
  /// Telegram when it does not call us. When Telegram does not take the token any more, nothing can
  /// be put back: the bot is disconnected all the same, and keeps what there was before us.
  ///
  /// - Throws: ``Problem``
  public func disconnect(
    _ bot: Bot, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    try await claiming(bot, in: scope) { change in
      var restoration: Restoration
      do {
        let client = try client(for: change.bot)
        let info = try await Self.ask { try await client.getWebhookInfo() }
        restoration = try await giveBack(change, info, client, in: scope)
      } catch Problem.token {
        restoration = change.bot.hasWebhookOfOurs ? .refused : .untouched
      }
      try await end(change, restoration: restoration, by: actor, in: scope)
    }
  }
}

extension BotConnection {
  /// Well within the time that a change may take.
  func client(for bot: Bot) throws -> TelegramClient {
    do {
      var client = try platform.telegram(for: bot)
      client.options.timeout = .seconds(Limits.botCallSeconds)
      client.options.retryAfterBudget = .seconds(Limits.botCallRetrySeconds)
      return client
    } catch is Secrets.Problem { throw Problem.token }
  }

  static func ask<T: Sendable>(_ call: () async throws -> T) async throws -> T {
    do { return try await call() } catch let error as TelegramError {
      switch error {
      case _ where error.isUnauthorized: throw Problem.token
      case .api(let code, _, _) where code == 404: throw Problem.token
      case .api(_, let words, _): throw Problem.refused(words)
      case .notSent: throw Problem.notReached
      case .unknownOutcome: throw Problem.noAnswer
      }
    }
  }
}

/// What Telegram had before us.
struct Previous: Sendable {
  let url: String?
  let allowedUpdates: [UpdateKind]?
  let maxConnections: Int?
}

extension Bot {
  var previous: Previous {
    Previous(
      url: previousWebhookURL, allowedUpdates: previousAllowedUpdates,
      maxConnections: previousMaxConnections)
  }

  /// Whether Telegram may call us, as far as we know without asking it.
  var hasWebhookOfOurs: Bool { mode != .forwarding || webhookURL != nil || intention != nil }

  /// The bot is disconnected, and Telegram refused its token then: it may still call us.
  public var isRestorationMissing: Bool { !isConnected && webhookURL != nil }

  /// What relayed updates carry in the header that Telegram uses.
  func relaySecret(_ secrets: Secrets) throws -> String? {
    try sealedRelaySecret.map { try secrets.open($0) }
  }

  /// An address may hold a token, so the audit log names hosts alone.
  var connectionFacts: [String: String] {
    var facts = ["mode": mode.rawValue]
    facts["relay"] = relayURL?.hostAlone
    return facts
  }
}

extension String {
  /// `https://host` of an address: what may be shown to anybody.
  public var hostAlone: String {
    guard let parts = URLComponents(string: self), let scheme = parts.scheme,
      let host = parts.host
    else { return "" }
    return "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
  }
}
