import Foundation
import Postgres
import Telegram

extension Bot {
  public enum RegistrationProblem: Error, CustomStringConvertible {
    case token, elsewhere
    public var description: String {
      switch self {
      case .token: "this is no bot token"
      case .elsewhere: "this bot belongs to another workspace"
      }
    }
  }

  /// Adds a bot to a workspace, or renews its token and address.
  ///
  /// - Throws: ``RegistrationProblem``
  public static func register(
    token: String, username: String, name: String, segment: Segment,
    endpoint: BotAPIEndpoint, in workspace: Workspace, at: Date, _ platform: Platform
  ) async throws -> Bot {
    guard let parsed = BotToken(token) else { throw RegistrationProblem.token }
    let row = try await platform.pool.query(
      """
      insert into bots as b (bot_id, workspace_id, username, name, segment, environment,
        api_base_url, sealed_token, created_at)
      values (\(parsed.botID), \(workspace.id), \(username), \(name), \(segment.rawValue),
        \(endpoint.environment.rawValue), \(endpoint.baseURL.absoluteString),
        \(try platform.secrets.seal(token)), \(at))
      on conflict (bot_id) do update set sealed_token = excluded.sealed_token,
        api_base_url = excluded.api_base_url, username = excluded.username, name = excluded.name
      where b.workspace_id = excluded.workspace_id
      returning \(columns)
      """
    ).first
    guard let row else { throw RegistrationProblem.elsewhere }
    return try Bot(row)
  }

  /// Makes a new webhook secret. The text is for Telegram; only its hash is kept.
  public func renewWebhookSecret(_ pool: Pool) async throws -> String {
    let secret = Bytes.base64URL(Bytes.random(32))
    try await pool.execute(
      """
      update bots set webhook_secret_hash = \(Bytes.sha256(secret))
      where workspace_id = \(workspaceID) and bot_id = \(id)
      """)
    return secret
  }
}
