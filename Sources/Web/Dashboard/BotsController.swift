import EStars
import Foundation
import HTTPTypes
import Telegram

/// Bots: the list, one bot, and adding one by its token.
enum BotsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let bots = try await Bot.all(in: visit.scope, visit.platform.pool)
    let view = BotsView(rows: bots.map(BotRow.init), mayChange: visit.membership.role >= .owner)
    return try await visit.livePage(view.render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.botPage(try await visit.bot())
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    try await visit.livePage(BotFormView(environments: visit.botEnvironments).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var view = BotFormView(
      environments: visit.botEnvironments,
      environment: form["environment"].flatMap(BotEnvironment.init),
      segment: form["segment"].flatMap(BotSegment.init) ?? .aiBot)
    guard let environment = view.environment ?? view.environments.first,
      let endpoint = visit.botEndpoint(environment),
      let segment = Bot.Segment(rawValue: view.segment.rawValue)
    else {
      view.problem = .environment
      return try await visit.livePage(view.render, .unprocessableContent)
    }
    do {
      let bot = try await Bot.add(
        token: visit.inbound.words(form["token"]), segment: segment, endpoint: endpoint,
        by: visit.actor, in: visit.scope, visit.platform)
      return .seeOther(Links.bot(visit.workspace.slug, bot.id) + "/connection")
    } catch let problem as Bot.RegistrationProblem {
      view.problem = .init(problem)
      return try await visit.livePage(view.render, .unprocessableContent)
    }
  }
}

/// A new token in the place of one that @BotFather revoked.
enum BotTokenController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.connectedBot()
    do {
      try await bot.renew(
        token: visit.inbound.words(try visit.inbound.form()["token"]), by: visit.actor,
        in: visit.scope, visit.platform)
      return .seeOther(Links.bot(visit.workspace.slug, bot.id))
    } catch let problem as Bot.RegistrationProblem {
      let words: BotView.Problem =
        switch problem {
        case .token: .token
        case .unknown: .unknown
        case .otherBot, .elsewhere, .environment, .stage: .otherBot
        case .noAnswer: .noAnswer
        }
      return try await visit.botPage(
        bot, draft: .token, problem: words, status: .unprocessableContent)
    }
  }
}

enum BotDisconnectionController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.bot()
    let form = try visit.inbound.form()
    var problem: BotView.Problem?
    if form["confirmed"] != "1" {
      problem = .unconfirmed
    } else if form["give_up"] != "1", try await visit.countWaiting(for: bot) > 0 {
      problem = .waiting
    }
    if let problem {
      return try await visit.botPage(
        bot, draft: .disconnection, problem: problem, status: .unprocessableContent)
    }
    do {
      try await visit.connections.disconnect(bot, by: visit.actor, in: visit.scope)
    } catch BotConnection.Problem.disconnected {
      // The same form sent twice: what it says is done.
    } catch let problem as BotConnection.Problem {
      return try await visit.botPage(
        try await visit.bot(), trouble: TelegramTrouble(problem), draft: .disconnection,
        status: .conflict)
    }
    return .seeOther(Links.bot(visit.workspace.slug, bot.id))
  }
}

extension Visit {
  var connections: BotConnection {
    let configuration = server.configuration
    return BotConnection(
      platform: platform, publicURL: configuration.publicURL, localURL: configuration.localURL)
  }

  /// Updates that a bot's handler would never get if the bot were not relayed to any more.
  func countWaiting(for bot: Bot) async throws -> Int {
    try await bot.countWaiting(in: scope, platform.pool)
  }

  func bot() async throws -> Bot {
    guard let bot = try await Bot.find(id: inbound.id("bot"), in: scope, platform.pool) else {
      throw Refusal.notFound
    }
    return bot
  }

  func connectedBot() async throws -> Bot {
    let bot = try await bot()
    guard bot.isConnected else {
      throw Refusal(.conflict, "bot_disconnected", "This bot is disconnected. Add it again first.")
    }
    return bot
  }

  /// Live bots belong to a live side; those of Telegram's test environment and of the sandbox to a
  /// test side.
  fileprivate var botEnvironments: [BotEnvironment] {
    if workspace.side == .live { return [.live] }
    return server.configuration.sandboxURL == nil ? [.test] : [.test, .sandbox]
  }

  fileprivate func botEndpoint(_ environment: BotEnvironment) -> BotAPIEndpoint? {
    guard botEnvironments.contains(environment) else { return nil }
    switch environment {
    case .live: return .live
    case .test: return .test
    case .sandbox: return server.configuration.sandboxURL.map { .sandbox($0) }
    }
  }

  func botPage(
    _ bot: Bot, trouble: TelegramTrouble? = nil, draft: BotView.Draft? = nil,
    problem: BotView.Problem? = nil, status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    var (webhook, trouble) = (WebhookFacts?.none, trouble)
    var compliance: ComplianceCard?
    if bot.isConnected {
      async let missing = try? connections.compliance(of: bot).missing.map { "/\($0.rawValue)" }
      let (found, failure) = try await webhookFacts(of: bot)
      (webhook, trouble) = (found, trouble ?? failure)
      compliance = ComplianceCard(
        missingCommands: await missing, webhook: found,
        mode: BotMode(rawValue: bot.mode.rawValue) ?? .forwarding,
        answersCommands: bot.answersCommands, pendingLimit: Limits.pendingUpdates,
        errorSeconds: Limits.webhookErrorSeconds)
    }
    let audit = try await AuditEntry.about("bot", String(bot.id), in: scope, platform.pool)
    let view = BotView(
      bot: BotRow(bot), segment: BotSegment(rawValue: bot.segment.rawValue) ?? .serviceBot,
      relayHost: bot.relayURL?.hostAlone, previousHost: bot.previousWebhookURL?.hostAlone,
      waiting: bot.isConnected ? try await countWaiting(for: bot) : 0,
      isElsewhere: webhook.map { !connections.isOurs($0.url, of: bot) } ?? false,
      isRestorationMissing: bot.isRestorationMissing,
      answersCommands: bot.answersCommands, sendsReceipts: bot.sendsReceipts,
      compliance: compliance, webhook: webhook, trouble: trouble,
      mayManage: membership.role >= .manager, mayChange: membership.role >= .owner, draft: draft,
      problem: problem,
      audit: audit.map(PaymentView.AuditLine.init))
    return try await livePage(view.render, status)
  }

  /// What Telegram says now, or why it does not say it.
  func webhookFacts(of bot: Bot) async throws -> (WebhookFacts?, TelegramTrouble?) {
    do {
      let info = try await connections.webhookInfo(of: bot)
      return (WebhookFacts(info, bot, ours: connections.webhookURL(of: bot)), nil)
    } catch let problem as BotConnection.Problem {
      return (nil, TelegramTrouble(problem))
    }
  }
}

extension BotFormView.Problem {
  fileprivate init(_ problem: Bot.RegistrationProblem) {
    self =
      switch problem {
      case .token: .token
      case .unknown, .otherBot: .unknown
      case .elsewhere: .elsewhere
      case .environment: .environment
      case .stage: .stage
      case .noAnswer: .noAnswer
      }
  }
}

extension BotRow {
  init(_ bot: Bot) {
    self.init(
      id: bot.id, name: bot.name, username: bot.username,
      environment: BotEnvironment(rawValue: bot.environment) ?? .live,
      mode: BotMode(rawValue: bot.mode.rawValue) ?? .forwarding, isConnected: bot.isConnected,
      createdAt: bot.createdAt)
  }
}

extension TelegramTrouble {
  init(_ problem: BotConnection.Problem) {
    self =
      switch problem {
      case .refused(let words): .refused(words)
      case .token: .code(.token)
      case .notReached: .code(.notReached)
      case .noAnswer: .code(.noAnswer)
      case .moved: .code(.moved)
      case .busy, .disconnected: .code(.busy)
      }
  }
}

extension WebhookFacts {
  init(_ info: WebhookInfo, _ bot: Bot, ours: String) {
    let isOurs = info.url == ours
    var differences: [Difference] = []
    switch bot.mode {
    case .forwarding: if isOurs { differences.append(.uninvited) }
    case .webhook, .relay:
      if !isOurs { differences.append(info.url.isEmpty ? .nobody : .elsewhere) }
    }
    if bot.isChangeUnfinished { differences.append(.unfinished) }
    let missing = info.allowedUpdates.map { allowed in
      UpdateKind.needed.filter { !allowed.contains($0) }
    }
    let lacks = missing ?? [.chatMember]
    if isOurs, !lacks.isEmpty { differences.append(.kinds) }
    self.init(
      url: info.url, host: info.url.hostAlone, isOurs: isOurs, pending: info.pendingUpdateCount,
      lastErrorAt: info.lastErrorDate.map { Date(timeIntervalSince1970: Double($0)) },
      lastError: info.lastErrorMessage, allowedUpdates: info.allowedUpdates?.map(\.rawValue),
      hasCertificate: info.hasCustomCertificate, differences: differences,
      missing: lacks.map(\.rawValue))
  }
}
