import Foundation
import Telegram

/// The parts of a Telegram update that move money. Everything else in it is carried, not read, so
/// that a field Telegram adds or changes elsewhere never stops a payment.
struct IncomingUpdate: Sendable {
  let updateID: Int64
  /// The name of the update's own field: `message`, `pre_checkout_query`, …
  let kind: String
  let preCheckoutQuery: PreCheckoutQuery?
  let payment: ReportedCharge?
  let refund: ReportedRefund?

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
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    updateID = try fields.decode(Int64.self, forKey: Key("update_id"))
    let names = fields.allKeys.map(\.stringValue).filter { $0 != "update_id" }.sorted()
    kind = String((names.first ?? "empty").prefix(64))
    preCheckoutQuery = try fields.decodeIfPresent(
      PreCheckoutQuery.self, forKey: Key("pre_checkout_query"))
    guard let body = try? fields.nestedContainer(keyedBy: Key.self, forKey: Key("message")),
      body.contains(Key("successful_payment")) || body.contains(Key("refunded_payment"))
    else {
      payment = nil
      refund = nil
      return
    }
    let message = try fields.decode(PaymentMessage.self, forKey: Key("message"))
    let date = Date(timeIntervalSince1970: Double(message.date))
    payment = try message.successfulPayment.map { payment in
      guard let buyer = message.from else {
        throw DecodingError.keyNotFound(
          Key("from"),
          .init(codingPath: [Key("message")], debugDescription: "a payment has a payer"))
      }
      guard payment.totalAmount > 0, !payment.telegramPaymentChargeID.isEmpty else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: [Key("message"), Key("successful_payment")],
            debugDescription: "total_amount must be positive and the charge id must not be empty"))
      }
      return ReportedCharge(
        payment: payment, buyerTelegramID: buyer.id,
        buyerName: CustomerName(
          firstName: buyer.firstName, lastName: buyer.lastName, username: buyer.username,
          languageCode: buyer.languageCode), paidAt: date)
    }
    // A refund is the bot's own service message: the payer is the chat, not `from`.
    refund = message.refundedPayment.map {
      ReportedRefund(
        refund: $0, payerTelegramID: message.chat.id > 0 ? message.chat.id : nil, refundedAt: date)
    }
  }
}
