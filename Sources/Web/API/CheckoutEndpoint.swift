import EStars
import Foundation
import HTTPTypes

/// `POST /v1/checkouts`: a signed invoice for a pack or a plan, as a link or in the chat.
enum CheckoutEndpoint {
  private struct Request: Decodable {
    let user: Int64
    let sku: String?
    let plan: String?
    let discount: Int?
    let resume: String?
    let delivery: String?
    let language: String?
  }

  private struct Body: Encodable {
    let checkout: Opened

    struct Opened: Encodable {
      let id: Int64
      let user: Int64
      /// As it was opened: a replay answers with the first body.
      let state: String
      let sku: String?
      let plan: String?
      let title: String
      let stars: Int64
      let credits: Int64
      let bonusCredits: Int64
      let periodSeconds: Int?
      /// For `sendInvoice`, where the bot wants to send the message itself.
      let payload: String
      let description: String
      let delivery: String
      /// Of a link.
      let invoiceLink: String?
      /// Of an invoice in the chat, once Telegram has said that it is there.
      let messageId: Int64?
      let expiresAt: Date
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let request = try checked(call.inbound.json(Request.self), key: key)
    try await Newcomers.admit(request.telegramID, call)
    let opened: OpenedCheckout
    do {
      opened = try await Checkout.open(
        request, with: call.bot, in: call.scope, call.platform)
    } catch let refusal as Checkout.Refusal { throw Refusal.of(refusal) }
    let checkout = opened.checkout
    let isPack = checkout.product == .pack
    var reply = try Reply.json(
      Body(
        checkout: .init(
          id: checkout.id, user: request.telegramID, state: Checkout.State.pending.rawValue,
          sku: isPack ? checkout.sku : nil, plan: isPack ? nil : checkout.sku,
          title: checkout.title, stars: checkout.stars, credits: checkout.credits,
          bonusCredits: checkout.bonusCredits, periodSeconds: checkout.periodSeconds,
          payload: checkout.payload ?? "", description: checkout.description,
          delivery: checkout.delivery.rawValue, invoiceLink: opened.link,
          messageId: checkout.messageID, expiresAt: checkout.expiresAt)),
      status: opened.isReplay ? .ok : .created)
    if opened.isReplay { reply.headers[.idempotencyReplayed] = "true" }
    return reply
  }

  private static func checked(_ sent: Request, key: String) throws -> CheckoutRequest {
    let user = try UserID.check(sent.user)
    guard (sent.resume?.utf8.count ?? 0) <= Limits.resumeBytes,
      !(sent.resume ?? "").contains("\0")
    else {
      throw Refusal(
        .badRequest, "invalid_resume", "“resume” is at most \(Limits.resumeBytes) bytes of text.")
    }
    guard (0...90).contains(sent.discount ?? 0) else {
      throw Refusal(
        .badRequest, "invalid_discount", "“discount” is a percentage that the catalogue has.")
    }
    guard let delivery = Checkout.Delivery(rawValue: sent.delivery ?? "link") else {
      throw Refusal(.badRequest, "invalid_delivery", "“delivery” is `link` or `chat`.")
    }
    if let language = sent.language, PaywallText.tag(language) == nil {
      throw Refusal(
        .badRequest, "invalid_language", "“language” is one such as `en` or `pt-br`.")
    }
    return CheckoutRequest(
      telegramID: user, item: try item(sent), delivery: delivery, language: sent.language,
      resume: sent.resume, idempotencyKey: key)
  }

  private static func item(_ sent: Request) throws -> CheckoutRequest.Item {
    switch (sent.sku, sent.plan) {
    case (let sku?, nil) where !sku.contains("\0"):
      return .pack(sku: sku, discountPercent: sent.discount ?? 0)
    case (nil, let plan?) where !plan.contains("\0") && (sent.discount ?? 0) == 0:
      return .plan(plan)
    default:
      throw Refusal(
        .badRequest, "invalid_item",
        "Send either “sku”, with or without “discount”, or “plan”.")
    }
  }
}

extension Refusal {
  static let keyReused = Refusal(
    .conflict, "idempotency_key_reused",
    "This Idempotency-Key belongs to another request. Use a new one for each write.")

  fileprivate static func of(_ refusal: Checkout.Refusal) -> Refusal {
    switch refusal {
    case .unknownPack:
      Refusal(.unprocessableContent, "unknown_pack", "No pack of that sku and discount is on sale.")
    case .unknownPlan:
      Refusal(.unprocessableContent, "unknown_plan", "No plan of that key is sold.")
    case .notAvailable:
      Refusal(.forbidden, "pack_not_available", "This pack is not for this user.")
    case .alreadySubscribed:
      Refusal(
        .conflict, "already_subscribed", "This user has the plan, and it renews by itself.")
    case .tooManyPurchases(let seconds):
      Refusal(
        .tooManyRequests, "too_many_purchases",
        "This user bought \(EStars.Limits.purchasesPerHour) times within the hour.",
        retryAfterSeconds: seconds)
    case .planNeedsLink:
      Refusal(
        .unprocessableContent, "plan_needs_link",
        "Telegram takes subscriptions by link alone. Leave “delivery” out.")
    case .unreachable(let reason):
      Refusal(
        .conflict, "user_unreachable",
        "The invoice cannot be put into this user's chat: \(reason). A link can be passed on.")
    case .beingSent:
      Refusal(
        .serviceUnavailable, "telegram_unavailable",
        "The invoice is being sent just now. Send the same request again.", retryAfterSeconds: 2)
    case .keyReused: keyReused
    case .telegramRefused(let reason):
      Refusal(
        .badGateway, "telegram_refused",
        "Telegram will not do it: \(reason). Check the bot's token.")
    case .telegram(let reason):
      Refusal(
        .serviceUnavailable, "telegram_unavailable",
        "Telegram did not do it (\(reason)). Send the same request again.",
        retryAfterSeconds: 2)
    }
  }
}

extension HTTPField.Name {
  static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed") ?? .via
}
