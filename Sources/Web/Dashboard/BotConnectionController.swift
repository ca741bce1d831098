import EStars
import Foundation
import HTTPTypes

/// How a bot's updates reach us: what Telegram does now, and a choice of three ways.
enum BotConnectionController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.connectionPage(try await visit.connectedBot())
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.connectedBot()
    let form = try visit.inbound.form()
    guard let mode = form["mode"].flatMap(BotMode.init), let seen = form["seen"] else {
      throw Refusal(.unprocessableContent, "mode", "Choose one of the three ways.")
    }
    let url = visit.inbound.words(form["url"])
    let secret = visit.inbound.words(form["secret"])
    var draft = BotConnectionView.Draft(mode: mode, url: url)
    let choice: BotConnection.Choice
    switch mode {
    case .forwarding: choice = .forwarding
    case .webhook: choice = .webhook
    case .relay:
      if try await !visit.mayRelay(to: url, of: bot) { draft.problems.append(.url) }
      if secret.wholeMatch(of: /[A-Za-z0-9_\-]{0,256}/) == nil { draft.problems.append(.secret) }
      choice = .relay(url: url, secret: secret.isEmpty ? nil : secret)
    }
    if mode != .relay, form["give_up"] != "1", try await visit.countWaiting(for: bot) > 0 {
      draft.problems.append(.waiting)
    }
    guard draft.problems.isEmpty else {
      return try await visit.connectionPage(bot, draft: draft, status: .unprocessableContent)
    }
    do {
      let made = try await visit.connections.connect(
        bot, as: choice, seen: seen, by: visit.actor, in: visit.scope)
      guard let made else { return .seeOther(Links.bot(visit.workspace.slug, bot.id)) }
      let view = SecretView(kind: .relaySecret(botID: bot.id, name: bot.name), text: made)
      return try await visit.livePage(view.render)
    } catch let problem as BotConnection.Problem {
      return try await visit.connectionPage(
        try await visit.bot(), trouble: TelegramTrouble(problem), draft: draft, status: .conflict)
    }
  }
}

extension Visit {
  /// Relaying to ourselves would go round for ever.
  fileprivate func mayRelay(to url: String, of bot: Bot) async throws -> Bool {
    guard url != connections.webhookURL(of: bot),
      url.hostAlone != server.configuration.publicURL.absoluteString.hostAlone
    else { return false }
    do {
      try await platform.targets.check(url)
      return true
    } catch is Target.Refusal { return false }
  }

  fileprivate func connectionPage(
    _ bot: Bot, trouble: TelegramTrouble? = nil, draft: BotConnectionView.Draft? = nil,
    status: HTTPResponse.Status = .ok
  ) async throws -> Reply {
    let (webhook, failure) = try await webhookFacts(of: bot)
    let view = BotConnectionView(
      botID: bot.id, name: bot.name, mode: BotMode(rawValue: bot.mode.rawValue),
      ourURL: connections.webhookURL(of: bot), previousHost: bot.previousWebhookURL?.hostAlone,
      relayURL: bot.relayURL, waiting: try await countWaiting(for: bot),
      isSetByUs: webhook.map { connections.isOurs($0.url, of: bot) } ?? false, webhook: webhook,
      trouble: trouble ?? failure, draft: draft)
    return try await livePage(view.render, status)
  }
}

/// What the bot answers to Telegram's commands while its webhook is ours.
enum BotRepliesController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.bot()
    let language = visit.inbound.query["language"].flatMap(ReplyLanguage.init) ?? .en
    var view = visit.repliesView(bot, language)
    let texts = try await BotReply.texts(of: bot, in: visit.scope, visit.platform.pool)
    view.texts = ReplyCommand.worded.map { command in
      .init(
        command: command.rawValue, text: texts[.init(command: command, language: language)] ?? "",
        standard: BotReply.standard(command, language, bot: bot))
    }
    view.isSaved = visit.inbound.query["saved"] != nil
    return try await visit.livePage(view.render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let bot = try await visit.bot()
    let form = try visit.inbound.form()
    guard let language = form["language"].flatMap(ReplyLanguage.init) else {
      throw Refusal(.unprocessableContent, "language", "Choose one of the languages listed.")
    }
    var view = visit.repliesView(bot, language)
    view.answersCommands = form["enabled"] == "1"
    var written: [ReplyCommand: String] = [:]
    for command in ReplyCommand.worded {
      let text = visit.inbound.words(form[command.rawValue])
      written[command] = text
      view.texts.append(
        .init(
          command: command.rawValue, text: text,
          standard: BotReply.standard(command, language, bot: bot),
          isTooLong: text.unicodeScalars.count > Limits.botReplyCharacters))
    }
    guard !view.texts.contains(where: \.isTooLong) else {
      return try await visit.livePage(view.render, .unprocessableContent)
    }
    try await BotReply.write(
      written, language: language, answersCommands: view.answersCommands, of: bot,
      by: visit.actor, in: visit.scope, visit.platform)
    return .seeOther(
      Links.with(
        Links.bot(visit.workspace.slug, bot.id) + "/replies",
        [("language", language.rawValue), ("saved", "1")]))
  }
}

extension Visit {
  fileprivate func repliesView(_ bot: Bot, _ language: ReplyLanguage) -> BotRepliesView {
    BotRepliesView(
      botID: bot.id, name: bot.name, language: language.rawValue,
      answersCommands: bot.answersCommands,
      isWebhookOurs: bot.isConnected && bot.mode == .webhook,
      mayChange: membership.role >= .manager, texts: [])
  }
}
