import Foundation
import Ledger
import Postgres
import Telegram

/// Takes a bot's webhook over, gives it back and says what Telegram thinks of it. Nothing here ever
/// drops an update that waits.
///
/// Telegram is called between two transactions, never inside one. The first notes what must not be
/// lost (the address that Telegram calls now, the hash of the new secret); the second says that the
/// change is done. A process that dies in between leaves a bot whose updates are taken and whose page
/// shows that the change never ended.
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

  /// How Telegram reaches this deployment.
  private let publicURL: URL
  let platform: Platform

  public init(platform: Platform, publicURL: URL) {
    self.platform = platform
    self.publicURL = publicURL
  }

  public func webhookURL(of bot: Bot) -> String {
    publicURL.appending(path: "telegram/\(bot.id)").absoluteString
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
        try await giveBack(change, info, client, in: scope)
        try await end(change, isDisconnecting: false, by: actor, in: scope)
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
  /// Telegram when it does not call us.
  ///
  /// - Throws: ``Problem``
  public func disconnect(
    _ bot: Bot, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    try await claiming(bot, in: scope) { change in
      do {
        let client = try client(for: change.bot)
        let info = try await Self.ask { try await client.getWebhookInfo() }
        try await giveBack(change, info, client, in: scope)
      } catch Problem.token {
        // Without a token there is no webhook of ours that could be taken away.
      }
      try await end(change, isDisconnecting: true, by: actor, in: scope)
    }
  }
}

extension BotConnection {
  /// One change of one bot. It holds the bot until then, and says so whenever it writes.
  private struct Change: Sendable {
    /// As it was when the change began.
    let bot: Bot
    let until: Date
  }

  /// Holds the bot for one change at a time: two owners who take different ways at once must not
  /// leave Telegram with one's secret and us with the other's.
  private func claiming<T: Sendable>(
    _ bot: Bot, in scope: WorkspaceScope, _ body: (Change) async throws -> T
  ) async throws -> T {
    guard bot.isConnected else { throw Problem.disconnected }
    let now = Date()
    let until = now.addingTimeInterval(Limits.botChangeSeconds)
    let row = try await platform.pool.query(
      """
      update bots as b set changing_until = \(until)
      where b.workspace_id = \(scope.workspaceID) and b.bot_id = \(bot.id)
        and b.disconnected_at is null
        and (b.changing_until is null or b.changing_until <= \(now))
      returning \(Bot.columns)
      """
    ).first
    guard let row else { throw Problem.busy }
    do { return try await body(Change(bot: try Bot(row), until: until)) } catch {
      try await platform.pool.execute(
        """
        update bots set changing_until = null where workspace_id = \(scope.workspaceID)
          and bot_id = \(bot.id) and changing_until = \(until)
        """)
      throw error
    }
  }

  private func takeOver(
    _ change: Change, _ info: WebhookInfo, _ client: TelegramClient,
    relay: (url: String, secret: String)?, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    let bot = change.bot
    let ours = webhookURL(of: bot)
    let before =
      info.url == ours
      ? bot.previous
      : Previous(url: info.url.isEmpty ? nil : info.url, allowedUpdates: info.allowedUpdates)
    let secret = Bytes.base64URL(Bytes.random(32))
    let hash = Bytes.sha256(secret)
    let sealed = try relay.map { try platform.secrets.seal($0.secret) }
    try await note(before, next: hash, change, in: scope)
    do {
      try await Self.ask {
        try await client.setWebhook(
          url: ours, secretToken: secret,
          allowedUpdates: UpdateKind.wanted(with: info, isRelayed: relay != nil))
      }
    } catch let problem as Problem where problem != .noAnswer {
      // Telegram did nothing. What it may have done stays noted.
      try await note(bot.previous, next: bot.nextWebhookSecretHash, change, in: scope)
      throw problem
    }
    let mode: Bot.Mode = relay == nil ? .webhook : .relay
    var facts = ["mode": mode.rawValue]
    facts["relay"] = relay?.url.hostAlone
    try await finish(
      change, "bot.connected", facts, by: actor, in: scope,
      """
      mode = \(mode.rawValue), relay_url = \(relay?.url), sealed_relay_secret = \(sealed),
      webhook_secret_hash = \(hash)
      """)
  }

  private func giveBack(
    _ change: Change, _ info: WebhookInfo, _ client: TelegramClient, in scope: WorkspaceScope
  ) async throws {
    let bot = change.bot
    guard info.url == webhookURL(of: bot) else { return }
    guard let url = bot.previousWebhookURL else {
      return try await Self.ask { try await client.deleteWebhook() }
    }
    // The handler that updates were relayed to knows that secret. Telegram never tells the one
    // that was set before us, so without a relay there is none to set.
    let secret = bot.relayURL == url ? try bot.relaySecret(platform.secrets) : nil
    try await Self.ask {
      try await client.setWebhook(
        url: url, secretToken: secret, allowedUpdates: bot.previousAllowedUpdates ?? [])
    }
  }

  private func end(
    _ change: Change, isDisconnecting: Bool, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    try await finish(
      change, isDisconnecting ? "bot.disconnected" : "bot.connected",
      isDisconnecting ? [:] : ["mode": Bot.Mode.forwarding.rawValue], by: actor, in: scope,
      """
      mode = 'forwarding', relay_url = null, sealed_relay_secret = null,
      webhook_secret_hash = null, previous_webhook_url = null, previous_allowed_updates = null,
      disconnected_at = \(isDisconnecting ? Date() : nil)
      """)
  }

  private func finish(
    _ change: Change, _ action: String, _ facts: [String: String], by actor: Actor,
    in scope: WorkspaceScope, _ state: SQL
  ) async throws {
    let bot = change.bot
    try await platform.pool.transaction(in: scope) { tx in
      let finished = try await tx.execute(
        """
        update bots set \(state), next_webhook_secret_hash = null, changing_until = null
        where workspace_id = \(scope.workspaceID) and bot_id = \(bot.id)
          and changing_until = \(change.until)
        """)
      guard finished == 1 else { throw Problem.busy }
      try await tx.hurryRelay(botID: bot.id, in: scope)
      try await tx.audit(
        actor, action, "bot", String(bot.id), before: bot.connectionFacts, after: facts,
        in: scope, at: scope.now)
    }
    try await refresh(bot)
  }

  /// What the call of Telegram that comes next would otherwise make forget, and the secret that
  /// Telegram may use before the change is done.
  private func note(
    _ before: Previous, next: [UInt8]?, _ change: Change, in scope: WorkspaceScope
  ) async throws {
    let noted = try await platform.pool.execute(
      """
      update bots set next_webhook_secret_hash = \(next), previous_webhook_url = \(before.url),
        previous_allowed_updates = \(before.allowedUpdates?.map(\.rawValue))
      where workspace_id = \(scope.workspaceID) and bot_id = \(change.bot.id)
        and changing_until = \(change.until)
      """)
    guard noted == 1 else { throw Problem.busy }
    try await refresh(change.bot)
  }

  private func refresh(_ bot: Bot) async throws {
    if let bot = try await Bot.find(id: bot.id, platform.pool) { platform.directory.remember(bot) }
  }

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
}

extension Bot {
  var previous: Previous {
    Previous(url: previousWebhookURL, allowedUpdates: previousAllowedUpdates)
  }

  /// What relayed updates carry in the header that Telegram uses.
  func relaySecret(_ secrets: Secrets) throws -> String? {
    try sealedRelaySecret.map { try secrets.open($0) }
  }

  /// An address may hold a token, so the audit log names hosts alone.
  fileprivate var connectionFacts: [String: String] {
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
