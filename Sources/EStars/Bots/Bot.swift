import Foundation
import Ledger
import Postgres
import Telegram

/// A Telegram bot that sells for a workspace.
public struct Bot: Sendable {
  public enum Segment: String, Sendable {
    case aiBot = "ai_bot", serviceBot = "service_bot", miniApp = "mini_app"
  }

  /// How its updates reach us.
  public enum Mode: String, Sendable {
    /// It forwards them.
    case forwarding
    /// We own its webhook.
    case webhook
    /// We own its webhook and hand every update on to its own handler.
    case relay
  }

  public let id: Int64
  public let workspaceID: Int64
  public let username: String
  public let name: String
  public let segment: Segment
  public let environment: String
  public let apiBaseURL: String
  let sealedToken: [UInt8]
  let webhookSecretHash: [UInt8]?
  public let mode: Mode
  /// Its own handler, in mode ``Mode/relay`` alone.
  public let relayURL: String?
  let sealedRelaySecret: [UInt8]?

  static let columns: SQL = """
    b.bot_id, b.workspace_id, b.username, b.name, b.segment, b.environment, b.api_base_url,
    b.sealed_token, b.webhook_secret_hash, b.mode, b.relay_url, b.sealed_relay_secret
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
    mode = Mode(rawValue: try row.get("mode")) ?? .forwarding
    relayURL = try row.getIfPresent("relay_url")
    sealedRelaySecret = try row.getIfPresent("sealed_relay_secret")
  }

  static func find(id: Int64, _ pool: Pool) async throws -> Bot? {
    try await pool.query("select \(columns) from bots b where b.bot_id = \(id)").first
      .map(Bot.init)
  }

  /// The workspace's bots.
  public static func of(_ scope: WorkspaceScope, _ pool: Pool) async throws -> [Bot] {
    try await pool.query(
      """
      select \(columns) from bots b where b.workspace_id = \(scope.workspaceID)
      order by b.username, b.bot_id
      """
    ).map(Bot.init)
  }

  static func all(_ pool: Pool) async throws -> [Bot] {
    try await pool.query("select \(columns) from bots b order by b.bot_id").map(Bot.init)
  }

  var endpoint: BotAPIEndpoint {
    BotAPIEndpoint(
      baseURL: URL(string: apiBaseURL) ?? BotAPIEndpoint.live.baseURL,
      environment: BotAPIEndpoint.Environment(rawValue: environment) ?? .live)
  }

  /// Whether the header that Telegram sent is this bot's secret. The stored hash is compared in
  /// constant time; a bot without a webhook accepts nothing.
  public func accepts(webhookSecret: String?) -> Bool {
    guard let webhookSecret, let webhookSecretHash else { return false }
    return Bytes.equalInConstantTime(Bytes.sha256(webhookSecret), webhookSecretHash)
  }
}

/// What a bot presents to `/v1`.
public struct APIKey: Sendable {
  public enum Scope: String, Sendable, CaseIterable { case read, use, sell, support }

  public let workspaceID: Int64
  public let botID: Int64
  public let scopes: Set<Scope>
  public let hash: [UInt8]

  static func find(hash: [UInt8], _ pool: Pool) async throws -> APIKey? {
    try await pool.query(
      """
      select workspace_id, bot_id, scopes from api_keys
      where key_hash = \(hash) and revoked_at is null
      """
    ).first.map { row in
      APIKey(
        workspaceID: try row.get("workspace_id"), botID: try row.get("bot_id"),
        scopes: Set(try row.get("scopes", as: [String].self).compactMap(Scope.init(rawValue:))),
        hash: hash)
    }
  }

  /// Makes a key. The text is given out once and stored only as a hash.
  public static func issue(
    for bot: Bot, side: Workspace.Side, scopes: [Scope], at: Date, _ pool: Pool
  ) async throws -> String {
    let text = "esk_\(side.rawValue)_" + Bytes.base64URL(Bytes.random(30))
    try await pool.execute(
      """
      insert into api_keys (key_hash, workspace_id, bot_id, prefix, scopes, created_at)
      values (\(Bytes.sha256(text)), \(bot.workspaceID), \(bot.id), \(String(text.prefix(14))),
        \(scopes.map(\.rawValue)), \(at))
      """)
    return text
  }
}
