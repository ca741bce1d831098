import Telegram

extension SandboxBook {
  /// How a refund came about.
  public enum RefundOrigin: Sendable {
    /// The bot called `refundStarPayment`.
    case bot
    /// Telegram gave the Stars back by itself; the bot is told by `refunded_payment`.
    case telegram
    /// The same, and the bot is never told: only the star transactions show it.
    case silent
    /// A chargeback at the store: only a star transaction of the kind `other` shows it.
    case chargeback
  }

  /// Gives a charge back in full, from outside the bot.
  ///
  /// - Throws: `Refusal` when there is no such charge or it was given back before.
  public func refund(chargeID: String, origin: RefundOrigin) throws {
    guard let charge = state.charges[chargeID] else { throw Refusal.missing("payment") }
    guard charge.refundedAt == nil else {
      throw Refusal(409, "already_refunded", "This payment is refunded already.")
    }
    try write { giveBack(charge, origin: origin) }
  }

  /// Carries out `refundStarPayment`. The bot's balance may become negative.
  func refundStarPayment(botID: Int64, personID: Int64, chargeID: String) throws {
    guard !chargeID.isEmpty else { throw BotAPIError.bad("CHARGE_ID_EMPTY") }
    guard state.people[personID] != nil else { throw BotAPIError.bad("USER_ID_INVALID") }
    guard let charge = state.charges[chargeID], charge.botID == botID,
      charge.personID == personID
    else { throw BotAPIError.bad("CHARGE_ID_INVALID") }
    guard charge.refundedAt == nil else { throw BotAPIError.bad("CHARGE_ALREADY_REFUNDED") }
    try write { giveBack(charge, origin: .bot) }
  }

  /// Asks the bot for a refund in a person's words: the complaint arrives as `/paysupport` text.
  ///
  /// - Throws: `Refusal`.
  @discardableResult
  public func complain(chargeID: String, reason: String) throws -> Int64 {
    guard let charge = state.charges[chargeID] else { throw Refusal.missing("payment") }
    let words = reason.isEmpty ? "" : " \(reason)"
    return try sendText(
      "/paysupport \(chargeID)\(words)", from: charge.personID, to: charge.botID)
  }

  private func giveBack(_ charge: Charge, origin: RefundOrigin) {
    guard var person = state.people[charge.personID], var bot = state.bots[charge.botID] else {
      return
    }
    var charge = charge
    charge.refundedAt = nowSeconds
    person.stars += charge.stars
    bot.stars -= charge.stars
    put(.charge(charge))
    put(.person(person))
    put(.bot(bot))
    // The refund has the id of its payment; only the direction differs.
    var row = StarTransaction(id: charge.id, amount: charge.stars, date: nowSeconds)
    switch origin {
    case .bot, .telegram, .silent:
      row.receiver = .invoicePayment(user: person.user, payload: charge.payload)
    case .chargeback:
      row.receiver = TransactionPartner(type: "other")
    }
    put(.transaction(botID: bot.id, row))
    guard origin != .chargeback else { return }
    var message = Message(
      messageID: nextMessageID(of: bot.id), from: bot.user, chat: person.chat, date: nowSeconds)
    message.refundedPayment = RefundedPayment(
      currency: starsCurrency, totalAmount: charge.stars, invoicePayload: charge.payload,
      telegramPaymentChargeID: charge.id)
    put(
      .message(
        ChatKey(personID: person.id, botID: bot.id), StoredMessage(message: message)))
    guard origin != .silent else { return }
    emit(.message, to: bot.id, queue: UpdateQueue.chat(person.id)) {
      Update(updateID: $0, message: message)
    }
  }
}
