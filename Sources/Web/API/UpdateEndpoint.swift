import EStars
import Foundation
import Telegram

/// `POST /v1/updates`: a bot that keeps its own webhook or polls forwards what it gets. The update's
/// own id makes the call repeatable, so it needs no key.
enum UpdateEndpoint {
  struct Body: Encodable {
    /// `payment.credited`, `refund.recorded`, `pre_checkout.accepted`, `stored`, …
    let handled: String
    let duplicate: Bool
    var reason: String?
    var payment: PaymentBody?
  }

  struct PaymentBody: Encodable {
    let id: Int64
    let user: Int64
    let stars: Int64
    let sku: String?
    let credits: Int64
    let bonusCredits: Int64
    /// Credits the user has now.
    let balance: Int64
    /// The note that the bot left with the checkout.
    let resume: String?
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let text = try call.inbound.jsonText()
    let handled: UpdateIntake.Handled
    do {
      handled = try await call.platform.updates.receive(
        text, for: call.bot, in: call.workspace, scope: call.scope)
    } catch UpdateIntake.Refusal.malformed(let words) {
      throw Refusal(.badRequest, "invalid_update", "\(words.capitalizedFirst).")
    }
    switch handled {
    case .preCheckout(let queryID, let verdict, let language):
      return try await answer(queryID, verdict, language, call)
    case .stored(let outcome, let paymentID, let isDuplicate):
      var body = Body(handled: outcome, duplicate: isDuplicate)
      if let paymentID { body.payment = try await payment(paymentID, call) }
      return try .json(body)
    }
  }

  /// The bot keeps its webhook, so the verdict goes out as a call of the Bot API.
  private static func answer(
    _ queryID: String, _ verdict: PreCheckout.Verdict, _ language: BuyerLanguage, _ call: BotCall
  ) async throws -> Reply {
    let client = try call.platform.telegram(for: call.bot)
    do {
      switch verdict {
      case .notOurs: return try .json(Body(handled: "pre_checkout.not_ours", duplicate: false))
      case .accept:
        try await client.acceptPreCheckoutQuery(queryID)
        return try .json(Body(handled: "pre_checkout.accepted", duplicate: false))
      case .refuse(let reason):
        try await client.refusePreCheckoutQuery(
          queryID, errorMessage: reason.message(language))
        return try .json(
          Body(handled: "pre_checkout.refused", duplicate: false, reason: reason.rawValue))
      }
    } catch let error as TelegramError {
      throw Refusal(
        .serviceUnavailable, "telegram_unavailable",
        "Telegram did not take the answer (\(error)).", retryAfterSeconds: 1)
    }
  }

  private static func payment(_ id: Int64, _ call: BotCall) async throws -> PaymentBody? {
    let pool = call.platform.pool
    guard let payment = try await Payment.find(id: id, in: call.scope, pool),
      let customer = try await Customer.find(id: payment.customerID, in: call.scope, pool)
    else { return nil }
    let checkout = try await payment.checkout(in: call.scope, pool)
    let balance = try await Balance.of(customer: customer.id, in: call.scope, pool)
    return PaymentBody(
      id: payment.id, user: customer.telegramID, stars: payment.stars, sku: payment.sku,
      credits: payment.credits, bonusCredits: payment.bonusCredits, balance: balance.available,
      resume: checkout?.resume)
  }
}
