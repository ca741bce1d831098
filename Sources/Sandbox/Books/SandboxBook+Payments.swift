import Foundation
import Telegram

/// How an attempt to pay ended.
public enum PaymentOutcome: Sendable, Hashable {
  case paid(chargeID: String)
  /// The bot refused before anything was charged.
  case refused(message: String)
  /// The bot did not answer within ten seconds; nothing was charged.
  case noAnswer
  /// The Stars were spent elsewhere meanwhile; nothing was charged.
  case balanceTooLow
}

extension SandboxBook {
  /// Pays an invoice as a person, asking the bot first as Telegram does.
  ///
  /// - Throws: `Refusal` when there is no such invoice, it is paid, or the balance is too low.
  public func pay(invoice slug: String, personID: Int64) async throws -> PaymentOutcome {
    let id = try ask(invoice: slug, personID: personID)
    let timer = Task {
      try await Task.sleep(for: pace.preCheckoutAnswer)
      try self.expireCheckout(id)
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { checkoutWaiters[id] = $0 }
  }

  /// The invoice of a message, or the one a link names.
  public func invoiceSlug(
    messageID: Int64, personID: Int64, botID: Int64
  ) throws -> String {
    let key = ChatKey(personID: personID, botID: botID)
    guard let slug = message(messageID, in: key)?.invoiceSlug else {
      throw Refusal.missing("invoice")
    }
    return slug
  }

  private func ask(invoice slug: String, personID: Int64) throws -> String {
    let person = try person(personID)
    guard let invoice = state.invoices[slug] else { throw Refusal.missing("invoice") }
    guard invoice.paidChargeID == nil else {
      throw Refusal(409, "already_paid", "This invoice is paid already.")
    }
    guard person.stars >= invoice.stars else {
      throw Refusal(
        409, "balance_too_low",
        "The balance of \(person.stars) Stars does not cover \(invoice.stars).")
    }
    return try write {
      let checkout = Checkout(
        id: String(Int64.random(in: 1 << 60...Int64.max)), botID: invoice.botID,
        personID: personID, slug: slug, askedAt: now)
      put(.checkout(checkout))
      let query = PreCheckoutQuery(
        id: checkout.id, from: person.user, currency: starsCurrency,
        totalAmount: invoice.stars, invoicePayload: invoice.payload)
      emit(
        .preCheckoutQuery, to: invoice.botID, queue: UpdateQueue.preCheckout(personID)
      ) { Update(updateID: $0, preCheckoutQuery: query) }
      return checkout.id
    }
  }

  /// Fails a payment whose bot took too long. Does nothing to one that is settled, or young.
  func expireCheckout(_ id: String) throws {
    guard let checkout = state.checkouts[id], isLate(checkout) else { return }
    try write { put(.checkoutClosed(id)) }
    settle(id, .noAnswer)
  }

  /// Carries out `answerPreCheckoutQuery`: the Stars move here.
  ///
  /// - Throws: `BotAPIError` when nobody waits for this answer any more.
  func answerCheckout(_ id: String, botID: Int64, refusal: String?) throws {
    guard let checkout = state.checkouts[id], checkout.botID == botID else {
      throw BotAPIError.queryTooOld
    }
    guard !isLate(checkout) else {
      try expireCheckout(id)
      throw BotAPIError.queryTooOld
    }
    if let refusal {
      try write { put(.checkoutClosed(id)) }
      settle(id, .refused(message: refusal))
      return
    }
    let outcome = try write {
      put(.checkoutClosed(id))
      return charge(for: checkout).map(PaymentOutcome.paid) ?? .balanceTooLow
    }
    settle(id, outcome)
  }

  private func isLate(_ checkout: Checkout) -> Bool {
    now - checkout.askedAt >= pace.preCheckoutAnswer / .seconds(1)
  }

  private func settle(_ id: String, _ outcome: PaymentOutcome) {
    checkoutWaiters.removeValue(forKey: id)?.resume(returning: outcome)
  }

  /// Takes the Stars of an accepted checkout. Nil when the balance no longer covers it.
  private func charge(for checkout: Checkout) -> String? {
    guard var invoice = state.invoices[checkout.slug],
      let person = state.people[checkout.personID], person.stars >= invoice.stars
    else { return nil }
    let chargeID = newChargeID()
    let date = nowSeconds
    var subscription: Subscription?
    if let period = invoice.subscriptionPeriodSeconds {
      subscription = Subscription(
        id: chargeID, botID: invoice.botID, personID: person.id, title: invoice.title,
        payload: invoice.payload, stars: invoice.stars, periodSeconds: period,
        expiresAt: date + Int64(period), status: .active)
    }
    let charge = Charge(
      id: chargeID, botID: invoice.botID, personID: person.id, stars: invoice.stars,
      payload: invoice.payload, title: invoice.title, date: date,
      subscriptionID: subscription?.id)
    if let subscription { put(.subscription(subscription)) }
    if invoice.isMessage {
      invoice.paidChargeID = chargeID
      put(.invoice(invoice))
    }
    book(charge, subscription: subscription)
    return chargeID
  }

  /// Moves the Stars of a charge, and tells the chat and the bot.
  func book(_ charge: Charge, subscription: Subscription?) {
    guard var person = state.people[charge.personID], var bot = state.bots[charge.botID] else {
      return
    }
    person.stars -= charge.stars
    bot.stars += charge.stars
    put(.person(person))
    put(.bot(bot))
    put(.charge(charge))
    put(
      .transaction(
        botID: bot.id,
        StarTransaction(
          id: charge.id, amount: charge.stars, date: charge.date,
          source: .invoicePayment(
            user: person.user, payload: charge.payload,
            subscriptionPeriod: subscription?.periodSeconds))))
    let message = paymentMessage(for: charge, subscription: subscription, person: person)
    put(
      .message(
        ChatKey(personID: person.id, botID: bot.id), StoredMessage(message: message)))
    emit(.message, to: bot.id, queue: UpdateQueue.chat(person.id)) {
      Update(updateID: $0, message: message)
    }
  }

  private func paymentMessage(
    for charge: Charge, subscription: Subscription?, person: Person
  ) -> Message {
    var message = Message(
      messageID: nextMessageID(of: charge.botID), from: person.user, chat: person.chat,
      date: charge.date)
    message.successfulPayment = SuccessfulPayment(
      currency: starsCurrency, totalAmount: charge.stars, invoicePayload: charge.payload,
      telegramPaymentChargeID: charge.id, providerPaymentChargeID: "\(person.id)_0",
      subscriptionExpirationDate: subscription?.expiresAt,
      isRecurring: subscription == nil ? nil : true,
      isFirstRecurring: subscription?.id == charge.id ? true : nil)
    return message
  }

  /// Real ids begin with `stx`; every fifth is longer than 128 characters, as some real ones are.
  func newChargeID() -> String {
    let length = (state.charges.count + 1) % 5 == 0 ? 137 : 61
    return "stx" + SandboxBook.randomWord(length: length)
  }

  static func randomWord(length: Int) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    return String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count)] })
  }
}
