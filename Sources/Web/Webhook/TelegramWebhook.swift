import EStars
import Foundation

/// `POST /telegram/{bot}`: Telegram delivers an update. A pre-checkout is answered in the response
/// body, which saves a round trip of the ten seconds there are.
enum TelegramWebhook {
  private struct PreCheckoutAnswer: Encodable {
    let method = "answerPreCheckoutQuery"
    let preCheckoutQueryId: String
    let ok: Bool
    let errorMessage: String?
  }

  private struct Message: Encodable {
    let method = "sendMessage"
    let chatId: Int64
    let text: String
  }

  @Sendable static func create(_ call: WebhookCall) async throws -> Reply {
    let text = try call.inbound.jsonText()
    let handled: UpdateIntake.Handled
    do {
      handled = try await call.platform.updates.receive(
        text, for: call.bot, in: call.workspace, scope: call.scope,
        relaying: call.bot.mode == .relay)
    } catch UpdateIntake.Refusal.malformed(let words) {
      throw Refusal(.badRequest, "invalid_update", "\(words.capitalizedFirst).")
    }
    switch handled {
    case .preCheckout(let queryID, .accept, _):
      return try .json(
        PreCheckoutAnswer(preCheckoutQueryId: queryID, ok: true, errorMessage: nil))
    case .preCheckout(let queryID, .refuse(let reason), let language):
      return try .json(
        PreCheckoutAnswer(
          preCheckoutQueryId: queryID, ok: false,
          errorMessage: reason.message(language)))
    case .preCheckout(let queryID, .notOurs, let language):
      if call.bot.mode == .relay {
        switch await call.platform.relay.preCheckout(text, queryID: queryID, for: call.bot) {
        case .answer(let ok, let errorMessage):
          return try .json(
            PreCheckoutAnswer(preCheckoutQueryId: queryID, ok: ok, errorMessage: errorMessage))
        case .leftToHandler: return accepted
        case .notTaken:
          throw Refusal(
            .serviceUnavailable, "handler_unavailable",
            "The bot's handler did not take the update. Deliver it again.")
        case .unheard: break
        }
      }
      // Nobody else heard of it, so nobody else could answer.
      return try .json(
        PreCheckoutAnswer(
          preCheckoutQueryId: queryID, ok: false,
          errorMessage: PreCheckout.Reason.unknownInvoice.message(language)))
    case .stored:
      if let message = await reply(to: text, call) { return try .json(message) }
      return accepted
    }
  }

  private static let accepted = Reply(
    .ok, headers: [.contentType: "application/json"], body: Array("{}".utf8))

  /// What we answer to a command, in the response: Telegram carries it out. It is sent again when
  /// Telegram delivers the update again, since then the first answer did not arrive. The update is
  /// stored by now, so a database that fails here costs the answer alone.
  private static func reply(to body: String, _ call: WebhookCall) async -> Message? {
    do {
      return try await BotReply.to(
        body, for: call.bot, in: call.workspace, scope: call.scope, call.platform.pool
      ).map { Message(chatId: $0.chatID, text: $0.text) }
    } catch {
      call.server.logger.warning(
        "a command was not answered",
        metadata: ["bot": "\(call.bot.id)", "error": "\(error.withoutValues)"])
      return nil
    }
  }
}
