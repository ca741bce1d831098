import Foundation
import Ledger
import Postgres
import Telegram

extension Bot {
  public enum RegistrationProblem: Error, Equatable, CustomStringConvertible {
    /// The text has not the form of a token.
    case token
    /// Telegram knows no such bot.
    case unknown
    /// The token is another bot's.
    case otherBot
    case elsewhere
    /// Live bots belong to a live side, all others to a test side.
    case environment
    /// A pilot has one live bot.
    case stage
    /// Telegram gave no answer.
    case noAnswer
    public var description: String {
      switch self {
      case .token: "this is no bot token"
      case .unknown: "Telegram knows no bot with this token"
      case .otherBot: "this token is another bot's"
      case .elsewhere: "this bot belongs to another workspace"
      case .environment:
        "live bots belong to a live side, test and sandbox bots to a test side"
      case .stage: "a pilot has one live bot"
      case .noAnswer: "Telegram did not answer"
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
    let facts = BotFacts(
      id: parsed.botID, username: username, name: name, segment: segment, endpoint: endpoint,
      sealedToken: try platform.secrets.seal(token))
    let row = try await sideChecked {
      try await platform.pool.query(facts.upsert(in: workspace.id, at: at)).first
    }
    guard let row else { throw RegistrationProblem.elsewhere }
    return try Bot(row)
  }

  /// Postgres itself keeps the two sides apart and counts a pilot's bots; what it refuses gets a name
  /// here.
  private static func sideChecked<T: Sendable>(_ work: () async throws -> T) async throws -> T {
    do { return try await work() } catch let error as PostgresError {
      switch error.constraint {
      case "bots_environment_fits": throw RegistrationProblem.environment
      case "bots_within_stage": throw RegistrationProblem.stage
      default: throw error
      }
    }
  }

  /// Adds a bot by its token, after Telegram has said whose it is. Its webhook and what waits there
  /// stay as they are. A bot that is here already gets the token anew.
  ///
  /// - Throws: ``RegistrationProblem``
  public static func add(
    token: String, segment: Segment, endpoint: BotAPIEndpoint, by actor: Actor,
    in scope: WorkspaceScope, _ platform: Platform
  ) async throws -> Bot {
    let facts = try await facts(of: token, segment: segment, endpoint: endpoint, platform)
    let bot = try await sideChecked {
      try await platform.pool.transaction(in: scope) { tx in
        let known = try await tx.query(
          """
          select \(columns) from bots b where b.bot_id = \(facts.id)
            and b.workspace_id = \(scope.workspaceID) for update
          """
        ).first.map(Bot.init)
        guard
          let row = try await tx.query(facts.upsert(in: scope.workspaceID, at: Date())).first
        else { throw RegistrationProblem.elsewhere }
        let isAdded = known.map { !$0.isConnected } ?? true
        try await tx.audit(
          actor, isAdded ? "bot.added" : "bot.token_renewed", "bot", String(facts.id),
          after: ["username": facts.username, "environment": endpoint.environment.rawValue],
          in: scope, at: scope.now)
        return try Bot(row)
      }
    }
    platform.directory.remember(bot)
    return bot
  }

  /// Puts a new token in the place of one that was revoked.
  ///
  /// - Throws: ``RegistrationProblem``
  public func renew(
    token: String, by actor: Actor, in scope: WorkspaceScope, _ platform: Platform
  ) async throws {
    guard let parsed = BotToken(token) else { throw RegistrationProblem.token }
    guard parsed.botID == id else { throw RegistrationProblem.otherBot }
    _ = try await Self.add(
      token: token, segment: segment, endpoint: endpoint, by: actor, in: scope, platform)
  }

  private static func facts(
    of token: String, segment: Segment, endpoint: BotAPIEndpoint, _ platform: Platform
  ) async throws -> BotFacts {
    guard let parsed = BotToken(token) else { throw RegistrationProblem.token }
    var client = TelegramClient(token: parsed, endpoint: endpoint, logger: platform.logger)
    client.options.timeout = .seconds(Limits.botCallSeconds)
    do {
      let me = try await client.getMe()
      guard me.id == parsed.botID else { throw RegistrationProblem.unknown }
      return BotFacts(
        id: me.id, username: me.username ?? "", name: me.firstName, segment: segment,
        endpoint: endpoint, sealedToken: try platform.secrets.seal(token))
    } catch let error as TelegramError {
      if case .api(let code, _, _) = error, code != 429 { throw RegistrationProblem.unknown }
      throw RegistrationProblem.noAnswer
    }
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

  /// The bots of a workspace, those that are connected first.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Bot] {
    try await pool.query(
      """
      select \(columns) from bots b where b.workspace_id = \(scope.workspaceID)
      order by b.disconnected_at is not null, b.created_at, b.bot_id limit 500
      """
    ).map(Bot.init)
  }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Bot? {
    try await pool.query(
      """
      select \(columns) from bots b where b.workspace_id = \(scope.workspaceID)
        and b.bot_id = \(id)
      """
    ).first.map(Bot.init)
  }
}

/// What is stored of a bot when it is added.
private struct BotFacts: Sendable {
  let id: Int64
  let username: String
  let name: String
  let segment: Bot.Segment
  let endpoint: BotAPIEndpoint
  let sealedToken: [UInt8]

  /// Gives no row when the bot belongs to another workspace.
  func upsert(in workspaceID: Int64, at: Date) -> SQL {
    """
    insert into bots as b (bot_id, workspace_id, username, name, segment, environment,
      api_base_url, sealed_token, created_at)
    values (\(id), \(workspaceID), \(username), \(name), \(segment.rawValue),
      \(endpoint.environment.rawValue), \(endpoint.baseURL.absoluteString), \(sealedToken), \(at))
    on conflict (bot_id) do update set sealed_token = excluded.sealed_token,
      environment = excluded.environment, api_base_url = excluded.api_base_url,
      username = excluded.username, name = excluded.name, disconnected_at = null
    where b.workspace_id = excluded.workspace_id
    returning \(Bot.columns)
    """
  }
}
