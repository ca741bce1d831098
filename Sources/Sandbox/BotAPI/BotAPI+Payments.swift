import Foundation
import Telegram

extension BotAPI {
  func sendInvoice(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let chatID = try chatID(parameters)
    let draft = try InvoiceDraft(parameters, periods: nil)
    let keyboard = try Keyboard.parse(parameters, isInvoice: true)
    return try Outcome(
      try await book.sendInvoice(draft, keyboard: keyboard, botID: bot.id, chatID: chatID))
  }

  func createInvoiceLink(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let draft = try InvoiceDraft(
      parameters, periods: environment.subscriptionPeriods)
    return try Outcome(try await book.makeInvoice(draft, botID: bot.id).link)
  }

  func answerPreCheckoutQuery(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let id = parameters.text("pre_checkout_query_id") ?? ""
    let refusal =
      parameters.flag("ok") ? nil : try parameters.requiredText("error_message")
    try await book.answerCheckout(id, botID: bot.id, refusal: refusal)
    return try Outcome(true)
  }

  func refundStarPayment(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    try await book.refundStarPayment(
      botID: bot.id, personID: try userID(parameters),
      chargeID: parameters.text("telegram_payment_charge_id") ?? "")
    return try Outcome(true)
  }

  func editUserStarSubscription(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let personID = try userID(parameters)
    guard parameters.has("is_canceled") else {
      throw BotAPIError.bad("parameter \"is_canceled\" is required")
    }
    try await book.editSubscription(
      parameters.text("telegram_payment_charge_id") ?? "", botID: bot.id, personID: personID,
      isCanceled: parameters.flag("is_canceled"))
    return try Outcome(true)
  }

  func getStarTransactions(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    let limit = parameters.integer("limit") ?? 100
    let offset = parameters.integer("offset") ?? 0
    let range = Telegram.Limits.pageSize
    guard (Int64(range.lowerBound)...Int64(range.upperBound)).contains(limit), offset >= 0 else {
      throw BotAPIError.bad(offset < 0 ? "OFFSET_INVALID" : "LIMIT_INVALID")
    }
    return try Outcome(
      StarTransactions(
        transactions: await book.transactions(
          of: bot.id, offset: Int(clamping: offset), limit: Int(limit))))
  }

  func getMyStarBalance(_ bot: Bot, _ parameters: Parameters) async throws -> Outcome {
    try Outcome(StarAmount(amount: bot.stars))
  }

  private func userID(_ parameters: Parameters) throws -> Int64 {
    guard let id = parameters.integer("user_id"), id > 0 else {
      throw BotAPIError.bad("invalid user_id specified")
    }
    return id
  }
}

/// An invoice as asked for, checked.
struct InvoiceDraft: Sendable {
  let title: String
  let description: String
  let payload: String
  let label: String
  let stars: Int64
  let subscriptionPeriodSeconds: Int?
  let startParameter: String

  private struct Price: Decodable {
    let label: String
    let amount: Int64

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      label = try container.decode(String.self, forKey: .label)
      // Some libraries send the amount as text.
      if let text = try? container.decode(String.self, forKey: .amount) {
        guard let number = Int64(text) else {
          throw DecodingError.dataCorruptedError(
            forKey: .amount, in: container, debugDescription: "not a whole number")
        }
        amount = number
      } else {
        amount = try container.decode(Int64.self, forKey: .amount)
      }
    }

    enum CodingKeys: String, CodingKey { case label, amount }
  }

  /// - Parameter periods: Those of a subscription, in seconds; nil = it may be none.
  /// - Throws: `BotAPIError` with the name or the words Telegram uses.
  init(_ parameters: Parameters, periods: [Int]?) throws {
    title = try parameters.requiredText("title")
    description = try parameters.requiredText("description")
    guard let payload = parameters.text("payload"),
      Telegram.Limits.payloadBytes.contains(payload.utf8.count)
    else { throw BotAPIError.bad("INVOICE_PAYLOAD_INVALID") }
    self.payload = payload
    guard Telegram.Limits.titleLength.contains(title.count),
      Telegram.Limits.descriptionLength.contains(description.count)
    else { throw BotAPIError.bad("STARS_INVOICE_INVALID") }
    guard try parameters.requiredText("currency") == starsCurrency,
      parameters.text("provider_token") == nil
    else { throw BotAPIError.bad("PAYMENT_PROVIDER_INVALID") }
    let tips = parameters.text("suggested_tip_amounts").map { $0 != "[]" } ?? false
    guard
      let prices = try parameters.json(
        "prices", as: [Price].self, failure: "can't parse prices JSON object")
    else { throw BotAPIError.bad("parameter \"prices\" is required") }
    guard prices.count == 1, !tips, parameters.integer("max_tip_amount") ?? 0 == 0 else {
      throw BotAPIError.bad("STARS_INVOICE_INVALID")
    }
    guard !prices[0].label.isEmpty else {
      throw BotAPIError.bad("labeledPrice label must be non-empty")
    }
    label = prices[0].label
    stars = prices[0].amount
    if let periods, let period = parameters.text("subscription_period"), period != "0" {
      guard let seconds = Int(period), periods.contains(seconds) else {
        throw BotAPIError.bad("SUBSCRIPTION_PERIOD_INVALID")
      }
      guard (1...Int64(Telegram.Limits.subscriptionStars)).contains(stars) else {
        throw BotAPIError.bad("SUBSCRIPTION_AMOUNT_INVALID")
      }
      subscriptionPeriodSeconds = seconds
    } else {
      guard (1...SandboxLimits.invoiceStars).contains(stars) else {
        throw BotAPIError.bad("CURRENCY_TOTAL_AMOUNT_INVALID")
      }
      subscriptionPeriodSeconds = nil
    }
    startParameter = parameters.text("start_parameter") ?? ""
  }
}

extension SandboxBook {
  func makeInvoice(_ draft: InvoiceDraft, botID: Int64) throws -> StarInvoice {
    try write { record(draft, botID: botID, isMessage: false) }
  }

  func sendInvoice(
    _ draft: InvoiceDraft, keyboard: InlineKeyboard?, botID: Int64, chatID: Int64
  ) throws -> Message {
    let (bot, person, key) = try openChat(botID: botID, chatID: chatID)
    return try write {
      let invoice = record(draft, botID: botID, isMessage: true)
      var message = Message(
        messageID: nextMessageID(of: botID), from: bot.user, chat: person.chat,
        date: nowSeconds)
      message.invoice = Invoice(
        title: draft.title, description: draft.description,
        startParameter: draft.startParameter, currency: starsCurrency,
        totalAmount: draft.stars)
      message.replyMarkup = keyboard
      put(.message(key, StoredMessage(message: message, invoiceSlug: invoice.slug)))
      return message
    }
  }

  func transactions(of botID: Int64, offset: Int, limit: Int) -> [StarTransaction] {
    Array((state.transactions[botID] ?? []).dropFirst(offset).prefix(limit))
  }

  private func record(_ draft: InvoiceDraft, botID: Int64, isMessage: Bool) -> StarInvoice {
    let invoice = StarInvoice(
      slug: SandboxBook.randomWord(length: 20), botID: botID, title: draft.title,
      description: draft.description, payload: draft.payload, label: draft.label,
      stars: draft.stars, subscriptionPeriodSeconds: draft.subscriptionPeriodSeconds,
      startParameter: draft.startParameter, isMessage: isMessage)
    put(.invoice(invoice))
    return invoice
  }
}
