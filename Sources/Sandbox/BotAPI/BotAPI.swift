import Foundation
import Logging
import Telegram

/// The Bot API as a function from a call to a reply. Knows nothing of HTTP servers.
struct BotAPI: Sendable {
  let book: SandboxBook
  let logger: Logger
  /// As whose environment it answers: addresses with `/test/` are the test environment's.
  var environment = BotAPIEndpoint.Environment.live

  struct Reply: Sendable {
    var status: Int
    var retryAfter: Int?
    var json: Data
    /// The connection is to be closed without this reply.
    var isDropped = false
  }

  /// A method's result, as JSON, with the description some methods add.
  struct Outcome: Sendable {
    let json: Data
    var note: String?

    init(_ value: some Encodable, note: String? = nil) throws {
      json = try JSONEncoder().encode(value)
      self.note = note
    }
  }

  typealias Method = @Sendable (BotAPI, Bot, Parameters) async throws -> Outcome

  static let methods: [String: Method] = [
    "getme": { try await $0.getMe($1, $2) },
    "setwebhook": { try await $0.setWebhook($1, $2) },
    "getwebhookinfo": { try await $0.getWebhookInfo($1, $2) },
    "deletewebhook": { try await $0.deleteWebhook($1, $2) },
    "getupdates": { try await $0.getUpdates($1, $2) },
    "setmycommands": { try await $0.setMyCommands($1, $2) },
    "getmycommands": { try await $0.getMyCommands($1, $2) },
    "deletemycommands": { try await $0.deleteMyCommands($1, $2) },
    "sendmessage": { try await $0.sendMessage($1, $2) },
    "editmessagetext": { try await $0.editMessageText($1, $2) },
    "editmessagereplymarkup": { try await $0.editMessageReplyMarkup($1, $2) },
    "answercallbackquery": { try await $0.answerCallbackQuery($1, $2) },
    "sendinvoice": { try await $0.sendInvoice($1, $2) },
    "createinvoicelink": { try await $0.createInvoiceLink($1, $2) },
    "answerprecheckoutquery": { try await $0.answerPreCheckoutQuery($1, $2) },
    "refundstarpayment": { try await $0.refundStarPayment($1, $2) },
    "getstartransactions": { try await $0.getStarTransactions($1, $2) },
    "getmystarbalance": { try await $0.getMyStarBalance($1, $2) },
    "edituserstarsubscription": { try await $0.editUserStarSubscription($1, $2) },
  ]

  /// Answers a call that came over HTTP, with whatever trouble was ordered for it.
  func reply(token: String, method name: String, parameters: Parameters) async -> Reply {
    guard let bot = await book.bot(token: token) else { return failure(.unauthorized) }
    let name = name.lowercased()
    guard BotAPI.methods[name] != nil else { return failure(.notFound) }
    switch await book.takeFault(botID: bot.id, method: name) {
    case .tooManyRequests(let seconds)?:
      return failure(.tooManyRequests(retryAfter: seconds))
    case .internalError?:
      return failure(BotAPIError(500, "Internal Server Error"))
    case .dropConnection?:
      var reply = await carryOut(name, parameters, as: bot)
      reply.isDropped = true
      return reply
    case .delay(let seconds)?:
      let reply = await carryOut(name, parameters, as: bot)
      try? await Task.sleep(for: .seconds(seconds))
      return reply
    case .stall(let seconds)?:
      // A task of its own: the caller's hanging up cancels the request, and Telegram would go on.
      return await Task {
        try? await Task.sleep(for: .seconds(seconds))
        return await carryOut(name, parameters, as: bot)
      }.value
    case nil:
      return await carryOut(name, parameters, as: bot)
    }
  }

  /// Carries out a method that stood in a webhook's reply. Nobody learns whether it worked.
  func carryOutFromWebhook(_ name: String, _ parameters: Parameters, botID: Int64) async {
    let name = name.lowercased()
    let isRefused =
      name.hasPrefix("get") || ["setwebhook", "deletewebhook", "close", "logout"].contains(name)
    guard !isRefused, let bot = try? await book.bot(botID) else { return }
    let reply = await carryOut(name, parameters, as: bot)
    guard reply.status != 200 else { return }
    logger.info(
      "A method in a webhook's reply failed",
      metadata: ["bot": "\(botID)", "method": "\(name)", "status": "\(reply.status)"])
  }

  private func carryOut(_ name: String, _ parameters: Parameters, as bot: Bot) async -> Reply {
    guard let method = BotAPI.methods[name] else { return failure(.notFound) }
    do {
      return success(try await method(self, bot, parameters))
    } catch let error as BotAPIError {
      return failure(error)
    } catch let error as Refusal {
      return failure(.bad(error.message))
    } catch {
      logger.error(
        "The sandbox failed", metadata: ["method": "\(name)", "error": "\(error)"])
      return failure(BotAPIError(500, "Internal Server Error"))
    }
  }

  private func success(_ outcome: Outcome) -> Reply {
    var json = Data(#"{"ok":true,"result":"#.utf8)
    json.append(outcome.json)
    if let note = outcome.note { json.append(Data(#","description":"\#(note)""#.utf8)) }
    json.append(UInt8(ascii: "}"))
    return Reply(status: 200, json: json)
  }

  func failure(_ error: BotAPIError) -> Reply {
    let envelope = ErrorEnvelope(
      errorCode: error.code, description: error.description,
      parameters: error.retryAfter.map(ErrorEnvelope.Parameters.init))
    let fallback = Data(#"{"ok":false,"error_code":500}"#.utf8)
    return Reply(
      status: error.code, retryAfter: error.retryAfter,
      json: (try? JSONEncoder().encode(envelope)) ?? fallback)
  }
}

private struct ErrorEnvelope: Encodable {
  var ok = false
  let errorCode: Int
  let description: String
  let parameters: Parameters?

  struct Parameters: Encodable {
    let retryAfter: Int
    enum CodingKeys: String, CodingKey { case retryAfter = "retry_after" }
  }

  enum CodingKeys: String, CodingKey {
    case ok, description, parameters
    case errorCode = "error_code"
  }
}

extension SandboxBook {
  func bot(token: String) -> Bot? {
    guard let parsed = BotToken(token), let bot = state.bots[parsed.botID], bot.token == token
    else { return nil }
    return bot
  }

  func takeFault(botID: Int64, method: String) -> Faults.MethodFault? {
    faults.takeFault(botID: botID, method: method)
  }
}
