import Foundation
import Ledger
import Postgres
import Telegram

extension BotConnection {
  /// One change of one bot. It holds the bot until then, and says so whenever it writes.
  struct Change: Sendable {
    /// As it was when the change began.
    let bot: Bot
    let until: Date
  }

  /// Holds the bot for one change at a time: two owners who take different ways at once must not
  /// leave Telegram with one's secret and us with the other's.
  func claiming<T: Sendable>(
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

  func takeOver(
    _ change: Change, _ info: WebhookInfo, _ client: TelegramClient,
    relay: (url: String, secret: String)?, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    let bot = change.bot
    let ours = webhookURL(of: bot)
    let before =
      isOurs(info.url, of: bot)
      ? bot.previous
      : Previous(
        url: info.url.isEmpty ? nil : info.url, allowedUpdates: info.allowedUpdates,
        maxConnections: info.maxConnections)
    let mode: Bot.Mode = relay == nil ? .webhook : .relay
    // Telegram may have heard of the secret of a try that never ended, so this one goes on with it.
    let begun = bot.intention.flatMap { try? platform.secrets.open($0.sealedSecret) }
    let secret = begun ?? Bytes.base64URL(Bytes.random(32))
    let next = Bot.Intention(
      mode: mode, webhookURL: ours, secretHash: Bytes.sha256(secret),
      sealedSecret: try platform.secrets.seal(secret), relayURL: relay?.url,
      sealedRelaySecret: try relay.map { try platform.secrets.seal($0.secret) })
    try await note(before, next, change, in: scope)
    do {
      try await Self.ask {
        try await client.setWebhook(
          url: ours, secretToken: secret,
          allowedUpdates: UpdateKind.wanted(with: info, isRelayed: relay != nil))
      }
    } catch let problem as Problem where problem != .noAnswer {
      // Telegram did nothing. What it may have done stays noted.
      try await note(bot.previous, bot.intention, change, in: scope)
      throw problem
    }
    var facts = ["mode": mode.rawValue]
    facts["relay"] = relay?.url.hostAlone
    try await finish(
      change, "bot.connected", facts, by: actor, in: scope,
      """
      mode = \(mode.rawValue), relay_url = \(next.relayURL), webhook_url = \(ours),
      sealed_relay_secret = \(next.sealedRelaySecret), webhook_secret_hash = \(next.secretHash)
      """)
  }

  /// What became of the webhook from before when a bot was disconnected.
  enum Restoration: String, Sendable {
    /// Telegram did not call us.
    case untouched
    case restored, deleted
    /// Telegram does not take the token.
    case refused
  }

  func giveBack(
    _ change: Change, _ info: WebhookInfo, _ client: TelegramClient, in scope: WorkspaceScope
  ) async throws -> Restoration {
    let bot = change.bot
    guard isOurs(info.url, of: bot) else { return .untouched }
    guard let url = bot.previousWebhookURL else {
      try await Self.ask { try await client.deleteWebhook() }
      return .deleted
    }
    // The handler that updates were relayed to knows that secret. Telegram never tells the one
    // that was set before us, so without a relay there is none to set.
    let target = bot.relayTarget
    let secret =
      target?.url == url ? try target.map { try platform.secrets.open($0.sealedSecret) } : nil
    try await Self.ask {
      try await client.setWebhook(
        url: url, secretToken: secret, allowedUpdates: bot.previousAllowedUpdates ?? [],
        maxConnections: bot.previousMaxConnections ?? 40)
    }
    return .restored
  }

  /// - Parameter restoration: Of a disconnection; nil: the bot forwards its updates from now on.
  func end(
    _ change: Change, restoration: Restoration?, by actor: Actor, in scope: WorkspaceScope
  ) async throws {
    // What could not be put back is kept: the bot may come back with a token that works.
    let forgotten: SQL =
      restoration == .refused
      ? "webhook_url = \(change.bot.webhookURL ?? webhookURL(of: change.bot))"
      : """
      webhook_url = null, previous_webhook_url = null, previous_allowed_updates = null,
      previous_max_connections = null
      """
    try await finish(
      change, restoration == nil ? "bot.connected" : "bot.disconnected",
      restoration.map { ["webhook": $0.rawValue] } ?? ["mode": Bot.Mode.forwarding.rawValue],
      by: actor, in: scope,
      """
      mode = 'forwarding', relay_url = null, sealed_relay_secret = null,
      webhook_secret_hash = null, \(forgotten),
      disconnected_at = \(restoration == nil ? nil : Date())
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
        update bots set \(state), \(SQL.intention(nil)), changing_until = null
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

  /// What the call of Telegram that comes next would otherwise make forget, and what the bot becomes
  /// by it: Telegram may use the new secret before the change is done.
  private func note(
    _ before: Previous, _ next: Bot.Intention?, _ change: Change, in scope: WorkspaceScope
  ) async throws {
    let noted = try await platform.pool.execute(
      """
      update bots set \(SQL.intention(next)), previous_webhook_url = \(before.url),
        previous_allowed_updates = \(before.allowedUpdates?.map(\.rawValue)),
        previous_max_connections = \(before.maxConnections)
      where workspace_id = \(scope.workspaceID) and bot_id = \(change.bot.id)
        and changing_until = \(change.until)
      """)
    guard noted == 1 else { throw Problem.busy }
    try await refresh(change.bot)
  }

  private func refresh(_ bot: Bot) async throws {
    if let bot = try await Bot.find(id: bot.id, platform.pool) { platform.directory.remember(bot) }
  }
}

extension SQL {
  fileprivate static func intention(_ next: Bot.Intention?) -> SQL {
    """
    next_mode = \(next?.mode.rawValue), next_webhook_url = \(next?.webhookURL),
    next_webhook_secret_hash = \(next?.secretHash),
    sealed_next_webhook_secret = \(next?.sealedSecret), next_relay_url = \(next?.relayURL),
    sealed_next_relay_secret = \(next?.sealedRelaySecret)
    """
  }
}
