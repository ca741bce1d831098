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
  public let mode: Mode
  /// Where updates are handed on to; set in the mode `relay` alone.
  public let relayURL: String?
  /// Whether we answer `/paysupport` and its like; it counts in the mode `webhook` alone.
  public let answersCommands: Bool
  /// The address that Telegram called before it called us.
  public let previousWebhookURL: String?
  public let previousAllowedUpdates: [UpdateKind]?
  public let disconnectedAt: Date?
  public let createdAt: Date
  let sealedToken: [UInt8]
  let sealedRelaySecret: [UInt8]?
  let webhookSecretHash: [UInt8]?
  /// Of a change of the webhook that is under way, or that never ended.
  let nextWebhookSecretHash: [UInt8]?

  static let columns: SQL = """
    b.bot_id, b.workspace_id, b.username, b.name, b.segment, b.environment, b.api_base_url,
    b.sealed_token, b.webhook_secret_hash, b.next_webhook_secret_hash, b.mode, b.relay_url,
    b.sealed_relay_secret, b.answers_commands, b.previous_webhook_url, b.previous_allowed_updates,
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
    nextWebhookSecretHash = try row.getIfPresent("next_webhook_secret_hash")
    mode = Mode(rawValue: try row.get("mode")) ?? .forwarding
    relayURL = try row.getIfPresent("relay_url")
    sealedRelaySecret = try row.getIfPresent("sealed_relay_secret")
    answersCommands = try row.get("answers_commands")
    previousWebhookURL = try row.getIfPresent("previous_webhook_url")
    previousAllowedUpdates = try row.getIfPresent("previous_allowed_updates", as: [String].self)?
      .map { UpdateKind($0) }
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
  public var isChangeUnfinished: Bool { nextWebhookSecretHash != nil }

  var endpoint: BotAPIEndpoint {
    BotAPIEndpoint(
      baseURL: URL(string: apiBaseURL) ?? BotAPIEndpoint.live.baseURL,
      environment: BotAPIEndpoint.Environment(rawValue: environment) ?? .live)
  }

  /// Whether the header that Telegram sent is this bot's secret. The stored hash is compared in
  /// constant time; a bot without a webhook accepts nothing. While the webhook is being set, the
  /// secret before and the one after are both good, so that no update is turned away.
  public func accepts(webhookSecret: String?) -> Bool {
    guard let webhookSecret else { return false }
    let hash = Bytes.sha256(webhookSecret)
    return [webhookSecretHash, nextWebhookSecretHash].compactMap { $0 }
      .reduce(false) { Bytes.equalInConstantTime(hash, $1) || $0 }
  }
}
