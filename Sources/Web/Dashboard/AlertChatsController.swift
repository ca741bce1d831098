import EStars
import Foundation
import HTTPTypes

/// Chats in which operators read alerts: linked by a code that is sent there.
enum AlertChatsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await visit.alertChatsView().render)
  }

  /// Makes a code. Its text stands in this answer and nowhere else.
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    var view = try await visit.alertChatsView()
    let chosen = try visit.inbound.form()["bot"].flatMap { Int64($0) }
    let bots = try await Bot.all(in: visit.scope, visit.platform.pool).filter(\.isConnected)
    guard let bot = bots.first(where: { $0.id == chosen }) else {
      view.problem = .bot
      return try await visit.page(view.render, .unprocessableContent)
    }
    guard view.rows.count < Limits.alertChats else {
      view.problem = .tooMany
      return try await visit.page(view.render, .unprocessableContent)
    }
    let code = try await AlertChat.makeCode(
      for: bot, by: visit.actor, in: visit.scope, visit.platform.pool)
    let page = AlertCodeView(
      botUsername: bot.username, code: code, minutes: Int(Limits.alertCodeSeconds / 60),
      isAtTelegram: bot.environment != BotEnvironment.sandbox.rawValue)
    return try await visit.page(page.render, .created)
  }
}

enum AlertChatTestController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (bot, chat) = try visit.alertChat()
    let key = try visit.inbound.form()["form_key"] ?? ""
    guard key.wholeMatch(of: /[A-Za-z0-9-]{1,64}/) != nil else {
      throw Refusal(
        .unprocessableContent, "form_key", "Open the page again and send it from there.")
    }
    let isLinked = try await AlertChat.test(
      botID: bot, chatID: chat, key: key, by: visit.actor, in: visit.scope, visit.platform)
    guard isLinked else { throw Refusal.notFound }
    return .seeOther(Links.alertChats(visit.workspace.slug))
  }
}

enum AlertChatRemovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (bot, chat) = try visit.alertChat()
    try await AlertChat.unlink(
      botID: bot, chatID: chat, by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(Links.alertChats(visit.workspace.slug))
  }
}

extension Visit {
  /// The chat in the path; a group's number is negative.
  fileprivate func alertChat() throws -> (bot: Int64, chat: Int64) {
    guard let chat = inbound.parameters["chat"].flatMap({ Int64($0) }) else {
      throw Refusal.notFound
    }
    return (try inbound.id("bot"), chat)
  }

  fileprivate func alertChatsView() async throws -> AlertChatsView {
    let bots = try await Bot.all(in: scope, platform.pool)
    let names = Dictionary(uniqueKeysWithValues: bots.map { ($0.id, $0.username) })
    return AlertChatsView(
      rows: try await AlertChat.all(in: scope, platform.pool).map {
        .init(
          botID: $0.botID, botUsername: names[$0.botID] ?? "", chatID: $0.chatID, title: $0.title,
          linkedBy: $0.linkedBy, linkedAt: $0.linkedAt, last: $0.lastMessage.map(MessageRow.init))
      },
      bots: bots.filter(\.isConnected).map { .init(id: $0.id, username: $0.username) },
      mayEdit: membership.role >= .manager, formKey: UUID().uuidString)
  }
}

extension MessageRow {
  init(_ message: OutgoingMessage) {
    self.init(
      state: MessageState(rawValue: message.state.rawValue) ?? .failed,
      problem: message.lastError.map {
        switch MessageProblem(stored: $0) {
        case .code(let code):
          Problem.Code(rawValue: code.rawValue).map(Problem.code) ?? .telegram($0)
        case .telegram(let words): .telegram(words)
        }
      }, at: message.closedAt ?? message.createdAt, askedBy: message.askedBy)
  }
}
