import Foundation
import Telegram

/// The parts of a Telegram update that move money, and words that support may hear. Everything else
/// in it is carried, not read, so that a field Telegram adds or changes elsewhere never stops a
/// payment.
struct IncomingUpdate: Sendable {
  let updateID: Int64
  /// The name of the update's own field: `message`, `pre_checkout_query`, …
  let kind: String
  /// Updates with the same number keep their order: the chat's id, else the user's, else 0.
  let queue: Int64
  /// When its message was sent, by Telegram's clock; nil where it has no time of its own.
  let sentAt: Date?
  let preCheckoutQuery: PreCheckoutQuery?
  let payment: ReportedCharge?
  let refund: ReportedRefund?
  let renewal: ReportedRenewal?
  /// What a person wrote in the bot's own chat, where support may have to do with it.
  let spoken: SpokenWords?

  struct ReportedRefund: Sendable {
    let refund: RefundedPayment
    let payerTelegramID: Int64?
    let refundedAt: Date
  }
}

extension IncomingUpdate: Decodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    updateID = try fields.decode(Int64.self, forKey: Key("update_id"))
    let names = fields.allKeys.map(\.stringValue).filter { $0 != "update_id" }.sorted()
    kind = String((names.first ?? "empty").replacing("\0", with: "").prefix(64))
    queue = names.first.map { Self.queue(of: fields, Key($0)) } ?? 0
    preCheckoutQuery = try fields.decodeIfPresent(
      PreCheckoutQuery.self, forKey: Key("pre_checkout_query"))
    let body = try? fields.nestedContainer(keyedBy: Key.self, forKey: Key("message"))
    sentAt = (try? body?.decode(Int64.self, forKey: Key("date")))
      .map { Date(timeIntervalSince1970: Double($0)) }
    guard let body,
      body.contains(Key("successful_payment")) || body.contains(Key("refunded_payment"))
    else {
      payment = nil
      refund = nil
      let word = try? fields.decodeIfPresent(
        BotSubscriptionUpdated.self, forKey: Key("subscription"))
      renewal = word.map {
        ReportedRenewal(telegramID: $0.user.id, payload: $0.invoicePayload, state: $0.state)
      }
      spoken = (try? fields.decodeIfPresent(SpokenWords.Message.self, forKey: Key("message")))
        .flatMap { $0 }.flatMap(SpokenWords.init)
      return
    }
    let message = try fields.decode(PaymentMessage.self, forKey: Key("message"))
    var charge = try message.charge()
    charge?.updateID = updateID
    payment = charge
    refund = try message.refund()
    renewal = nil
    spoken = nil
  }

  private static func queue(of fields: KeyedDecodingContainer<Key>, _ kind: Key) -> Int64 {
    guard let body = try? fields.nestedContainer(keyedBy: Key.self, forKey: kind) else { return 0 }
    for name in ["chat", "from", "user"] where body.contains(Key(name)) {
      guard let part = try? body.nestedContainer(keyedBy: Key.self, forKey: Key(name)),
        let id = try? part.decode(Int64.self, forKey: Key("id"))
      else { continue }
      return id
    }
    return 0
  }
}

private struct PaymentMessage: Decodable {
  let from: User?
  let chat: Chat
  let date: Int64
  let successfulPayment: SuccessfulPayment?
  let refundedPayment: RefundedPayment?

  enum CodingKeys: String, CodingKey {
    case from, chat, date
    case successfulPayment = "successful_payment"
    case refundedPayment = "refunded_payment"
  }

  /// nil for a payment in another currency: it is the bot's own business.
  func charge() throws -> ReportedCharge? {
    guard let payment = successfulPayment, payment.currency == starsCurrency else { return nil }
    try check(.successfulPayment, payment.totalAmount, payment.telegramPaymentChargeID)
    guard let buyer = from, (1..<Limits.telegramID).contains(buyer.id) else {
      throw wrong(.from, "a payment has a payer with a positive id")
    }
    return ReportedCharge(
      payment: payment, buyerTelegramID: buyer.id,
      buyerName: CustomerName(
        firstName: buyer.firstName, lastName: buyer.lastName, username: buyer.username,
        languageCode: buyer.languageCode), paidAt: Date(timeIntervalSince1970: Double(date)))
  }

  /// A refund is the bot's own service message: the payer is the chat, not `from`.
  func refund() throws -> IncomingUpdate.ReportedRefund? {
    guard let refund = refundedPayment, refund.currency == starsCurrency else { return nil }
    try check(.refundedPayment, refund.totalAmount, refund.telegramPaymentChargeID)
    let isPerson = (1..<Limits.telegramID).contains(chat.id)
    return IncomingUpdate.ReportedRefund(
      refund: refund, payerTelegramID: isPerson ? chat.id : nil,
      refundedAt: Date(timeIntervalSince1970: Double(date)))
  }

  private func check(_ key: CodingKeys, _ stars: Int64, _ chargeID: String) throws {
    guard (1...Limits.stars).contains(stars) else {
      throw wrong(key, "total_amount is not a number of Stars")
    }
    guard !chargeID.isEmpty, chargeID.count <= 512, !chargeID.contains("\0") else {
      throw wrong(key, "telegram_payment_charge_id is empty or too long")
    }
    // Between the first Bot API and the year 2100.
    guard (1_400_000_000..<4_102_444_800).contains(date) else {
      throw wrong(.date, "date is not a time of a payment")
    }
  }

  private func wrong(_ key: CodingKeys, _ words: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: [key], debugDescription: words))
  }
}
