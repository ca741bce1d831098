/// An error a Bot API method answers with, in Telegram's words.
struct BotAPIError: Error, Sendable, Equatable {
  let code: Int
  let description: String
  var retryAfter: Int?

  init(_ code: Int, _ description: String, retryAfter: Int? = nil) {
    self.code = code
    self.description = description
    self.retryAfter = retryAfter
  }

  static func bad(_ reason: String) -> BotAPIError { BotAPIError(400, "Bad Request: \(reason)") }

  static func tooManyRequests(retryAfter seconds: Int) -> BotAPIError {
    BotAPIError(429, "Too Many Requests: retry after \(seconds)", retryAfter: seconds)
  }

  static let unauthorized = BotAPIError(401, "Unauthorized")
  static let notFound = BotAPIError(404, "Not Found")
  static let tooLarge = BotAPIError(413, "Request Entity Too Large")
  static let chatNotFound = bad("chat not found")
  static let blocked = BotAPIError(403, "Forbidden: bot was blocked by the user")
  static let queryTooOld = bad(
    "query is too old and response timeout expired or query ID is invalid")
  static let webhookIsActive = BotAPIError(
    409,
    "Conflict: can't use getUpdates method while webhook is active; "
      + "use deleteWebhook to delete the webhook first")
  static let otherPoll = BotAPIError(
    409,
    "Conflict: terminated by other getUpdates request; "
      + "make sure that only one bot instance is running")
  static let webhookWasSet = BotAPIError(
    409, "Conflict: terminated by setWebhook request")
}
