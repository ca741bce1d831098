/// What an invoice asks for. Always in Stars, always one price.
public struct InvoiceRequest: Sendable, Hashable {
  /// 1–32 characters.
  public var title: String
  /// 1–255 characters.
  public var description: String
  /// 1–128 bytes of UTF-8, handed back with the payment; the payer never sees it.
  public var payload: String
  public var price: LabeledPrice
  public var photoURL: String?
  /// Messages only. With it, forwarded copies lead to the bot; without it, anybody can pay them.
  public var startParameter: String?
  /// Links only: makes a subscription of at most 10000 Stars a period. One of the environment's
  /// ``BotAPIEndpoint/Environment/subscriptionPeriods``.
  public var subscriptionPeriodSeconds: Int?

  public init(
    title: String, description: String, payload: String, price: LabeledPrice,
    photoURL: String? = nil, startParameter: String? = nil, subscriptionPeriodSeconds: Int? = nil
  ) {
    self.title = title
    self.description = description
    self.payload = payload
    self.price = price
    self.photoURL = photoURL
    self.startParameter = startParameter
    self.subscriptionPeriodSeconds = subscriptionPeriodSeconds
  }
}

extension TelegramClient {
  /// Sends an invoice into a chat. Forwarded copies of one without a start parameter can be paid
  /// too, by anybody and repeatedly.
  ///
  /// - Parameter timeout: Of this call; nil = as every other.
  /// - Throws: `TelegramError`, as every call here.
  @discardableResult
  public func sendInvoice(
    to chatID: Int64, _ invoice: InvoiceRequest, replyMarkup: InlineKeyboard? = nil,
    timeout: Duration? = nil
  ) async throws -> Message {
    let parameters = InvoiceParameters(invoice, chatID: chatID, replyMarkup: replyMarkup)
    return try await call(
      "sendInvoice", parameters, chat: chatID, isPaced: true, timeout: timeout)
  }

  /// Makes a link that anybody can pay, repeatedly. The only way to sell a subscription.
  public func createInvoiceLink(_ invoice: InvoiceRequest) async throws -> String {
    try await call("createInvoiceLink", InvoiceParameters(invoice))
  }

  /// Lets a payment go on. Telegram waits ten seconds for this.
  public func acceptPreCheckoutQuery(_ id: String) async throws {
    let _: Bool = try await call(
      "answerPreCheckoutQuery",
      PreCheckoutAnswer(preCheckoutQueryID: id, ok: true, errorMessage: nil))
  }

  /// Stops a payment before anything is charged; the payer reads `errorMessage`.
  public func refusePreCheckoutQuery(_ id: String, errorMessage: String) async throws {
    let _: Bool = try await call(
      "answerPreCheckoutQuery",
      PreCheckoutAnswer(preCheckoutQueryID: id, ok: false, errorMessage: errorMessage))
  }

  /// Gives a payment back in full. It has no idempotency key: after an unknown outcome the call
  /// may be repeated, and `TelegramError.isAlreadyRefunded` then means success.
  public func refundStarPayment(userID: Int64, chargeID: String) async throws {
    let _: Bool = try await call(
      "refundStarPayment", ChargeParameters(userID: userID, chargeID: chargeID))
  }

  /// Stops (`isCanceled`) a subscription's renewal, or allows the person to switch it on again.
  ///
  /// - Parameter chargeID: the charge of the subscription's first payment.
  public func editUserStarSubscription(
    userID: Int64, chargeID: String, isCanceled: Bool
  ) async throws {
    let _: Bool = try await call(
      "editUserStarSubscription",
      ChargeParameters(userID: userID, chargeID: chargeID, isCanceled: isCanceled))
  }

  /// Movements of the bot's Stars, oldest first.
  /// - Parameters:
  ///   - offset: how many to skip.
  ///   - limit: 1–100.
  public func getStarTransactions(
    offset: Int = 0, limit: Int = 100
  ) async throws -> [StarTransaction] {
    let page: StarTransactions = try await call(
      "getStarTransactions", PageParameters(offset: offset, limit: limit))
    return page.transactions
  }

  /// The bot's Stars, held ones included; negative after chargebacks.
  public func getMyStarBalance() async throws -> StarAmount {
    try await call("getMyStarBalance")
  }
}

private struct InvoiceParameters: Encodable, Sendable {
  let chatID: Int64?
  let title: String
  let description: String
  let payload: String
  let providerToken = ""
  let currency = starsCurrency
  let prices: [LabeledPrice]
  let photoURL: String?
  let startParameter: String?
  let subscriptionPeriod: Int?
  let replyMarkup: InlineKeyboard?

  init(_ invoice: InvoiceRequest, chatID: Int64? = nil, replyMarkup: InlineKeyboard? = nil) {
    self.chatID = chatID
    title = invoice.title
    description = invoice.description
    payload = invoice.payload
    prices = [invoice.price]
    photoURL = invoice.photoURL
    // Those of a link mean nothing, and the other way round.
    startParameter = chatID == nil ? nil : invoice.startParameter
    subscriptionPeriod = invoice.subscriptionPeriodSeconds
    self.replyMarkup = replyMarkup
  }

  enum CodingKeys: String, CodingKey {
    case title, description, payload, currency, prices
    case chatID = "chat_id"
    case providerToken = "provider_token"
    case photoURL = "photo_url"
    case startParameter = "start_parameter"
    case subscriptionPeriod = "subscription_period"
    case replyMarkup = "reply_markup"
  }
}

private struct PreCheckoutAnswer: Encodable, Sendable {
  let preCheckoutQueryID: String
  let ok: Bool
  let errorMessage: String?

  enum CodingKeys: String, CodingKey {
    case ok
    case preCheckoutQueryID = "pre_checkout_query_id"
    case errorMessage = "error_message"
  }
}

private struct ChargeParameters: Encodable, Sendable {
  let userID: Int64
  let chargeID: String
  var isCanceled: Bool?

  enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case chargeID = "telegram_payment_charge_id"
    case isCanceled = "is_canceled"
  }
}

private struct PageParameters: Encodable, Sendable {
  let offset: Int
  let limit: Int
}
