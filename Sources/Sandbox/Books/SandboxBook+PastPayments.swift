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
  /// nil: it was for something that is not renewed.
  public var month: PastMonth?

  public init(
    botID: Int64, personID: Int64, stars: Int64, title: String, payload: String, date: Int64,
    chargeID: String? = nil, refundedAt: Int64? = nil, month: PastMonth? = nil
  ) {
    self.botID = botID
    self.personID = personID
    self.stars = stars
    self.title = title
    self.payload = payload
    self.date = date
    self.chargeID = chargeID
    self.refundedAt = refundedAt
    self.month = month
  }

  enum CodingKeys: String, CodingKey {
    case stars, title, payload, date, month
    case botID = "bot_id"
    case personID = "person_id"
    case chargeID = "charge_id"
    case refundedAt = "refunded_at"
  }
}

/// A month of a subscription that a past payment paid.
public struct PastMonth: Codable, Sendable, Hashable {
  public enum Renewal: String, Codable, Sendable { case active, canceled, failed }

  public static let seconds: Int64 = 2_592_000

  /// By which Telegram knows the subscription.
  public var firstChargeID: String
  /// Unix time.
  public var endsAt: Int64
  /// How the subscription's renewal stands today.
  public var renewal: Renewal

  public init(firstChargeID: String, endsAt: Int64, renewal: Renewal) {
    self.firstChargeID = firstChargeID
    self.endsAt = endsAt
    self.renewal = renewal
  }

  enum CodingKeys: String, CodingKey {
    case renewal
    case firstChargeID = "first_charge_id"
    case endsAt = "ends_at"
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

  /// The subscription that a past payment belongs to, paid to the end of its last month.
  private func recordMonth(_ month: PastMonth, of payment: PastPayment) {
    let known = state.subscriptions[month.firstChargeID]
    let status: Subscription.Status =
      switch month.renewal {
      case .active: .active
      case .canceled: .canceled
      case .failed: .failed
      }
    put(
      .subscription(
        Subscription(
          id: month.firstChargeID, botID: payment.botID, personID: payment.personID,
          title: payment.title, payload: payment.payload, stars: payment.stars,
          periodSeconds: Int(PastMonth.seconds),
          expiresAt: max(month.endsAt, known?.expiresAt ?? 0), status: status)))
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
      payload: payment.payload, title: payment.title, date: payment.date,
      subscriptionID: payment.month?.firstChargeID)
    charge.refundedAt = payment.refundedAt
    put(.charge(charge))
    if let month = payment.month { recordMonth(month, of: payment) }
    bot.stars += payment.refundedAt == nil ? payment.stars : 0
    put(.bot(bot))
    let partner = TransactionPartner.invoicePayment(
      user: person.user, payload: payment.payload,
      subscriptionPeriod: payment.month.map { _ in Int(PastMonth.seconds) })
    func row(_ date: Int64, _ transaction: StarTransaction, _ message: Message) -> PastRow {
      PastRow(
        botID: bot.id, personID: person.id, date: date, transaction: transaction, message: message)
    }
    var paid = Message(messageID: 0, from: person.user, chat: person.chat, date: payment.date)
    paid.successfulPayment = SuccessfulPayment(
      currency: starsCurrency, totalAmount: payment.stars, invoicePayload: payment.payload,
      telegramPaymentChargeID: chargeID, providerPaymentChargeID: "\(person.id)_0",
      subscriptionExpirationDate: payment.month?.endsAt,
      isRecurring: payment.month.map { _ in true },
      isFirstRecurring: payment.month?.firstChargeID == chargeID ? true : nil)
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
