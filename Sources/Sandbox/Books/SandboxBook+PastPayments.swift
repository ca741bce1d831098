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
    // Telegram lists transactions by time, so both rows of a refund go to their own places.
    let order = payments.indices.sorted { payments[$0].date < payments[$1].date }
    return try write {
      var ids = Array(repeating: "", count: payments.count)
      var rows: [(botID: Int64, row: StarTransaction)] = []
      for index in order {
        ids[index] = payments[index].chargeID ?? newChargeID()
        rows += record(payments[index], chargeID: ids[index])
      }
      for (botID, row) in rows.sorted(by: { $0.row.date < $1.row.date }) {
        put(.transaction(botID: botID, row))
      }
      return ids
    }
  }

  private func record(
    _ payment: PastPayment, chargeID: String
  ) -> [(botID: Int64, row: StarTransaction)] {
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
    var message = Message(
      messageID: nextMessageID(of: bot.id), from: person.user, chat: person.chat,
      date: payment.date)
    message.successfulPayment = SuccessfulPayment(
      currency: starsCurrency, totalAmount: payment.stars, invoicePayload: payment.payload,
      telegramPaymentChargeID: chargeID, providerPaymentChargeID: "\(person.id)_0")
    put(
      .message(ChatKey(personID: person.id, botID: bot.id), StoredMessage(message: message)))
    let partner = TransactionPartner.invoicePayment(user: person.user, payload: payment.payload)
    let paid = StarTransaction(
      id: chargeID, amount: payment.stars, date: payment.date, source: partner)
    guard let refundedAt = payment.refundedAt else { return [(bot.id, paid)] }
    let refund = StarTransaction(
      id: chargeID, amount: payment.stars, date: refundedAt, receiver: partner)
    return [(bot.id, paid), (bot.id, refund)]
  }
}
