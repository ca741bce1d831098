import Telegram

/// A payment that happened before the sandbox was started, for a demonstration's history.
public struct PastPayment: Codable, Sendable, Hashable {
  public var botID: Int64
  public var personID: Int64
  public var stars: Int64
  public var title: String
  public var payload: String
  /// Unix time, not in the future.
  public var date: Int64
  /// Made when nil.
  public var chargeID: String?
  /// Unix time, when the payment was refunded.
  public var refundedAt: Int64?

  public init(
    botID: Int64, personID: Int64, stars: Int64, title: String, payload: String, date: Int64,
    chargeID: String? = nil, refundedAt: Int64? = nil
  ) {
    self.botID = botID
    self.personID = personID
    self.stars = stars
    self.title = title
    self.payload = payload
    self.date = date
    self.chargeID = chargeID
    self.refundedAt = refundedAt
  }

  enum CodingKeys: String, CodingKey {
    case stars, title, payload, date
    case botID = "bot_id"
    case personID = "person_id"
    case chargeID = "charge_id"
    case refundedAt = "refunded_at"
  }
}

extension SandboxBook {
  /// Records past payments: charges, star transactions, the bot's Stars and the chat's service
  /// messages. No update is sent and no person's balance changes. A charge id that exists is
  /// left as it is, so loading twice is harmless.
  ///
  /// - Returns: the charge ids, in order.
  /// - Throws: `Refusal` for an unknown bot or person, or a payment that cannot have happened.
  @discardableResult
  public func seed(_ payments: [PastPayment]) throws -> [String] {
    guard payments.count <= SandboxLimits.pastPayments else {
      throw Refusal.invalid("Load at most \(SandboxLimits.pastPayments) payments at once.")
    }
    let time = nowSeconds
    for payment in payments {
      _ = try bot(payment.botID)
      _ = try person(payment.personID)
      guard (1...SandboxLimits.invoiceStars).contains(payment.stars),
        Telegram.Limits.payloadBytes.contains(payment.payload.utf8.count),
        payment.date > 0, payment.date <= time,
        payment.refundedAt.map({ (payment.date...time).contains($0) }) ?? true
      else { throw Refusal.invalid("A past payment has an impossible price, payload or date.") }
    }
    return try write {
      var ids = Array(repeating: "", count: payments.count)
      var rows: [PastRow] = []
      for (index, payment) in payments.enumerated() {
        ids[index] = payment.chargeID ?? newChargeID()
        rows += record(payment, chargeID: ids[index])
      }
      // Telegram lists transactions by time, so both rows of a refund go to their own places, in
      // the chat as in the account. Rows of one second keep the order they were given in.
      let order = rows.indices.sorted { (rows[$0].date, $0) < (rows[$1].date, $1) }
      for row in order.map({ rows[$0] }) {
        put(.transaction(botID: row.botID, row.transaction))
        var message = row.message
        message.messageID = nextMessageID(of: row.botID)
        put(
          .message(
            ChatKey(personID: row.personID, botID: row.botID), StoredMessage(message: message)))
      }
      return ids
    }
  }

  /// Registers people who are not known yet, all at once.
  ///
  /// - Throws: `Refusal` for the first that cannot be one; then none is registered.
  public func seed(_ people: [PersonCard]) throws {
    let newcomers = people.filter { state.people[$0.id] == nil }
    for card in newcomers { try check(card) }
    guard state.people.count + newcomers.count <= SandboxLimits.people else {
      throw Refusal(409, "too_many", "The sandbox holds \(SandboxLimits.people) people.")
    }
    try write {
      for card in newcomers {
        put(
          .person(
            Person(
              id: card.id, firstName: card.firstName, lastName: card.lastName,
              username: card.username, languageCode: card.languageCode, stars: card.stars)))
      }
    }
  }

  /// A line of the bot's account and the service message that goes with it.
  private struct PastRow {
    let botID: Int64
    let personID: Int64
    let date: Int64
    let transaction: StarTransaction
    /// Without its number.
    let message: Message
  }

  private func record(_ payment: PastPayment, chargeID: String) -> [PastRow] {
    guard state.charges[chargeID] == nil, let person = state.people[payment.personID],
      var bot = state.bots[payment.botID]
    else { return [] }
    var charge = Charge(
      id: chargeID, botID: bot.id, personID: person.id, stars: payment.stars,
      payload: payment.payload, title: payment.title, date: payment.date, subscriptionID: nil)
    charge.refundedAt = payment.refundedAt
    put(.charge(charge))
    bot.stars += payment.refundedAt == nil ? payment.stars : 0
    put(.bot(bot))
    let partner = TransactionPartner.invoicePayment(user: person.user, payload: payment.payload)
    func row(_ date: Int64, _ transaction: StarTransaction, _ message: Message) -> PastRow {
      PastRow(
        botID: bot.id, personID: person.id, date: date, transaction: transaction, message: message)
    }
    var paid = Message(messageID: 0, from: person.user, chat: person.chat, date: payment.date)
    paid.successfulPayment = SuccessfulPayment(
      currency: starsCurrency, totalAmount: payment.stars, invoicePayload: payment.payload,
      telegramPaymentChargeID: chargeID, providerPaymentChargeID: "\(person.id)_0")
    let payments = [
      row(
        payment.date,
        StarTransaction(id: chargeID, amount: payment.stars, date: payment.date, source: partner),
        paid)
    ]
    guard let refundedAt = payment.refundedAt else { return payments }
    var refunded = Message(messageID: 0, from: bot.user, chat: person.chat, date: refundedAt)
    refunded.refundedPayment = RefundedPayment(
      currency: starsCurrency, totalAmount: payment.stars, invoicePayload: payment.payload,
      telegramPaymentChargeID: chargeID)
    return payments + [
      row(
        refundedAt,
        StarTransaction(id: chargeID, amount: payment.stars, date: refundedAt, receiver: partner),
        refunded)
    ]
  }
}
