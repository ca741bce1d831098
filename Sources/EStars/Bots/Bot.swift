import Foundation
import Ledger
import Postgres
import Telegram

/// A Telegram bot that sells for a workspace.
public struct Bot: Sendable {
  public enum Segment: String, Sendable, CaseIterable {
    case aiBot = "ai_bot", serviceBot = "service_bot", miniApp = "mini_app"
  }

  /// How a bot's updates reach us.
  public enum Mode: String, Sendable, CaseIterable {
    /// The bot keeps its webhook, or polls, and posts what it gets to `/v1/updates`.
    case forwarding
    /// Telegram calls us, and nobody else handles the updates.
    case webhook
    /// Telegram calls us, and we hand every update on to the bot's own handler.
    case relay
  }

  public let id: Int64
  public let workspaceID: Int64
  public let username: String
  public let name: String
  public let segment: Segment
  public let environment: String
  public let apiBaseURL: String
  public private(set) var mode: Mode
  /// Where updates are handed on to; set in the mode `relay` alone.
  public private(set) var relayURL: String?
  /// Whether we answer `/paysupport` and its like; it counts in the mode `webhook` alone.
  public let answersCommands: Bool
  /// Whether buyers are told of their payments by us, in the bot's name.
  public let sendsReceipts: Bool
  /// The address that Telegram called before it called us.
  public let previousWebhookURL: String?
  public let previousAllowedUpdates: [UpdateKind]?
  let previousMaxConnections: Int?
  /// The address that we made Telegram call, where we did.
  public let webhookURL: String?
  public let disconnectedAt: Date?
  public let createdAt: Date
  let sealedToken: [UInt8]
  private(set) var sealedRelaySecret: [UInt8]?
  let webhookSecretHash: [UInt8]?
  /// A change of the webhook that is under way, or that never ended.
  let intention: Intention?

  /// What the bot becomes as soon as Telegram uses the new secret.
  struct Intention: Sendable {
    let mode: Mode
    let webhookURL: String
    let secretHash: [UInt8]
    let sealedSecret: [UInt8]
    let relayURL: String?
    let sealedRelaySecret: [UInt8]?
  }

  static let columns: SQL = """
    b.bot_id, b.workspace_id, b.username, b.name, b.segment, b.environment, b.api_base_url,
    b.sealed_token, b.webhook_secret_hash, b.webhook_url, b.mode, b.relay_url,
    b.sealed_relay_secret, b.answers_commands, b.sends_receipts, b.previous_webhook_url,
    b.previous_allowed_updates, b.previous_max_connections, b.next_webhook_secret_hash, b.sealed_next_webhook_secret,
    b.next_webhook_url, b.next_mode, b.next_relay_url, b.sealed_next_relay_secret,
    b.disconnected_at, b.created_at
    """

  init(_ row: Row) throws {
    id = try row.get("bot_id")
    workspaceID = try row.get("workspace_id")
    username = try row.get("username")
    name = try row.get("name")
    segment = Segment(rawValue: try row.get("segment")) ?? .serviceBot
    environment = try row.get("environment")
    apiBaseURL = try row.get("api_base_url")
    sealedToken = try row.get("sealed_token")
    webhookSecretHash = try row.getIfPresent("webhook_secret_hash")
    webhookURL = try row.getIfPresent("webhook_url")
    intention = try Intention(row)
    mode = Mode(rawValue: try row.get("mode")) ?? .forwarding
    relayURL = try row.getIfPresent("relay_url")
    sealedRelaySecret = try row.getIfPresent("sealed_relay_secret")
    answersCommands = try row.get("answers_commands")
    sendsReceipts = try row.get("sends_receipts")
    previousWebhookURL = try row.getIfPresent("previous_webhook_url")
    previousAllowedUpdates = try row.getIfPresent("previous_allowed_updates", as: [String].self)?
      .map { UpdateKind($0) }
    previousMaxConnections = try row.getIfPresent("previous_max_connections")
    disconnectedAt = try row.getIfPresent("disconnected_at")
    createdAt = try row.get("created_at")
  }

  static func find(id: Int64, _ pool: Pool) async throws -> Bot? {
    try await pool.query("select \(columns) from bots b where b.bot_id = \(id)").first
      .map(Bot.init)
  }

  static func all(_ pool: Pool) async throws -> [Bot] {
    try await pool.query("select \(columns) from bots b order by b.bot_id").map(Bot.init)
  }

  public var isConnected: Bool { disconnectedAt == nil }

  /// Whether a change of the webhook was begun and its end is not known.
  public var isChangeUnfinished: Bool { intention != nil }

  var endpoint: BotAPIEndpoint {
    BotAPIEndpoint(
      baseURL: URL(string: apiBaseURL) ?? BotAPIEndpoint.live.baseURL,
      environment: BotAPIEndpoint.Environment(rawValue: environment) ?? .live)
  }

  /// How often Telegram renews a subscription of this bot: every 30 days, in the test environment
  /// every five minutes, the longest that it takes.
  public var subscriptionPeriodSeconds: Int {
    endpoint.environment.subscriptionPeriods.max() ?? Telegram.Limits.subscriptionPeriodSeconds
  }

  /// The bot as it is for whoever sends this secret in Telegram's header; nil when the secret is not
  /// this bot's. While the webhook is being set, the secret before and the one after are both good,
  /// so that no update is turned away; what comes with the one after is treated as the change wants
  /// it. The stored hashes are compared in constant time; a bot without a webhook accepts nothing.
  public func accepting(webhookSecret: String?) -> Bot? {
    guard let webhookSecret else { return nil }
    let hash = Bytes.sha256(webhookSecret)
    let isNext = intention.map { Bytes.equalInConstantTime(hash, $0.secretHash) } ?? false
    let isPresent = webhookSecretHash.map { Bytes.equalInConstantTime(hash, $0) } ?? false
    guard isNext, let intention else { return isPresent ? self : nil }
    var bot = self
    bot.mode = intention.mode
    bot.relayURL = intention.relayURL
    bot.sealedRelaySecret = intention.sealedRelaySecret
    return bot
  }

  /// See ``accepting(webhookSecret:)``.
  public func accepts(webhookSecret: String?) -> Bool {
    accepting(webhookSecret: webhookSecret) != nil
  }

  /// The handler that updates wait for: the one in use, or else the one that a change of the webhook
  /// wants and may have updates for already.
  var relayTarget: (url: String, sealedSecret: [UInt8])? {
    if mode == .relay, let relayURL, let sealedRelaySecret { return (relayURL, sealedRelaySecret) }
    guard let url = intention?.relayURL, let sealed = intention?.sealedRelaySecret else {
      return nil
    }
    return (url, sealed)
  }

  /// How many updates wait for the bot's own handler.
  public func countWaiting(in scope: WorkspaceScope, _ pool: Pool) async throws -> Int {
    try await pool.query(
      """
      select count(*) as waiting from updates where workspace_id = \(scope.workspaceID)
        and bot_id = \(id) and relay_state = 'due'
      """, in: scope
    ).first?.get("waiting") ?? 0
  }
}

extension Bot.Intention {
  /// nil where no change is under way.
  fileprivate init?(_ row: Row) throws {
    guard let hash = try row.getIfPresent("next_webhook_secret_hash", as: [UInt8].self),
      let mode = Bot.Mode(rawValue: try row.get("next_mode"))
    else { return nil }
    self.mode = mode
    secretHash = hash
    webhookURL = try row.get("next_webhook_url")
    sealedSecret = try row.get("sealed_next_webhook_secret")
    relayURL = try row.getIfPresent("next_relay_url")
    sealedRelaySecret = try row.getIfPresent("sealed_next_relay_secret")
  }
}
