import Telegram

/// A person's chat with a bot, for lists.
public struct ChatCard: Codable, Sendable, Hashable {
  public let bot: BotCard
  public let isBlocked: Bool
  public let lastText: String?
  /// Unix time of the last message.
  public let lastDate: Int64?

  enum CodingKeys: String, CodingKey {
    case bot
    case isBlocked = "is_blocked"
    case lastText = "last_text"
    case lastDate = "last_date"
  }
}

/// A message together with what the phone knows about it.
public struct TranscriptLine: Codable, Sendable, Hashable {
  public let message: Message
  public let isFromPerson: Bool
  /// The invoice it shows; pays by this name.
  public let invoice: String?
  public let isPaid: Bool

  enum CodingKeys: String, CodingKey {
    case message, invoice
    case isFromPerson = "is_from_person"
    case isPaid = "is_paid"
  }
}

/// A payment of a person.
public struct ChargeCard: Codable, Sendable, Hashable {
  public let id: String
  public let botID: Int64
  public let title: String
  public let stars: Int64
  public let date: Int64
  public let refundedAt: Int64?
  public let subscriptionID: String?

  enum CodingKeys: String, CodingKey {
    case id, title, stars, date
    case botID = "bot_id"
    case refundedAt = "refunded_at"
    case subscriptionID = "subscription_id"
  }
}

/// A subscription of a person, named by the charge id of its first payment.
public struct SubscriptionCard: Codable, Sendable, Hashable {
  public let id: String
  public let botID: Int64
  public let title: String
  public let stars: Int64
  /// Unix time up to which it is paid.
  public let expiresAt: Int64
  /// `active`, `canceled` or `failed`.
  public let state: String
  public let isStoppedByBot: Bool

  enum CodingKeys: String, CodingKey {
    case id, title, stars, state
    case botID = "bot_id"
    case expiresAt = "expires_at"
    case isStoppedByBot = "is_stopped_by_bot"
  }
}

extension SandboxBook {
  /// A person's chats, the liveliest first, and the bots they have not written to yet.
  public func chats(of personID: Int64) throws -> [ChatCard] {
    _ = try person(personID)
    return state.bots.values.map { bot in
      let chat = state.chats[ChatKey(personID: personID, botID: bot.id)]
      let last = chat?.messages.last?.message
      return ChatCard(
        bot: bot.card, isBlocked: chat?.isBlocked ?? false, lastText: last.map(\.summary),
        lastDate: last?.date)
    }
    .sorted { ($0.lastDate ?? 0, $1.bot.id) > ($1.lastDate ?? 0, $0.bot.id) }
  }

  /// The latest messages of a chat, oldest first.
  public func transcript(
    personID: Int64, botID: Int64, last count: Int = 100
  ) throws -> [TranscriptLine] {
    _ = try person(personID)
    _ = try bot(botID)
    let key = ChatKey(personID: personID, botID: botID)
    return messages(in: key, last: count).map { stored in
      TranscriptLine(
        message: stored.message, isFromPerson: stored.message.from?.id == personID,
        invoice: stored.invoiceSlug,
        isPaid: stored.invoiceSlug.flatMap { state.invoices[$0]?.paidChargeID } != nil)
    }
  }

  /// A person's payments, newest first.
  public func charges(of personID: Int64) throws -> [ChargeCard] {
    _ = try person(personID)
    return state.charges.values.filter { $0.personID == personID }
      .sorted { ($0.date, $0.id) > ($1.date, $1.id) }
      .map(\.card)
  }

  /// A person's subscriptions, the next to run out first.
  public func subscriptions(of personID: Int64) throws -> [SubscriptionCard] {
    _ = try person(personID)
    return state.subscriptions.values.filter { $0.personID == personID }
      .sorted { ($0.expiresAt, $0.id) < ($1.expiresAt, $1.id) }
      .map(\.card)
  }

  public func order(
    _ fault: Faults.MethodFault, botID: Int64?, method: String?, times: Int = 1
  ) {
    faults.add(fault, botID: botID, method: method, times: times)
  }

  /// Has the next update delivered several times.
  public func duplicateNext(botID: Int64, kind: UpdateKind? = nil, copies: Int = 2) {
    faults.duplicateNext(botID: botID, kind: kind, copies: copies)
  }

  /// Has the next updates never come.
  public func loseUpdates(botID: Int64, what: String? = nil, times: Int = 1) {
    faults.loseUpdates(botID: botID, what: what, times: times)
  }

  public func delayDeliveries(botID: Int64, seconds: Double, times: Int = 1) {
    faults.delayDeliveries(botID: botID, seconds: seconds, times: times)
  }

  public func clearFaults() { faults = Faults() }

  func buttonPlace(
    _ form: PressForm, personID: Int64, botID: Int64
  ) throws -> (row: Int, column: Int) {
    if let row = form.row { return (row, form.column ?? 0) }
    let key = ChatKey(personID: personID, botID: botID)
    let rows = message(form.messageID, in: key)?.message.replyMarkup?.rows ?? []
    for (row, buttons) in rows.enumerated() {
      for (column, button) in buttons.enumerated() {
        if form.data.map({ $0 == button.callbackData }) ?? (form.text == button.text) {
          return (row, column)
        }
      }
    }
    throw Refusal.missing("button")
  }
}

extension Charge {
  var card: ChargeCard {
    ChargeCard(
      id: id, botID: botID, title: title, stars: stars, date: date, refundedAt: refundedAt,
      subscriptionID: subscriptionID)
  }
}

extension Subscription {
  var card: SubscriptionCard {
    SubscriptionCard(
      id: id, botID: botID, title: title, stars: stars, expiresAt: expiresAt,
      state: status.rawValue, isStoppedByBot: isStoppedByBot)
  }
}

extension Message {
  /// One line for lists.
  var summary: String {
    if let invoice { return "Invoice: \(invoice.title)" }
    if let successfulPayment { return "Paid \(successfulPayment.totalAmount) ★" }
    if let refundedPayment { return "Refunded \(refundedPayment.totalAmount) ★" }
    return text ?? ""
  }
}
