import EStars
import Foundation
import HTTPTypes

/// `POST /v1/checkouts`: a signed invoice link for a pack.
enum CheckoutEndpoint {
  private struct Request: Decodable {
    let user: Int64
    let sku: String
    let discount: Int?
    let resume: String?
  }

  private struct Body: Encodable {
    let checkout: Opened

    struct Opened: Encodable {
      let id: Int64
      let user: Int64
      let sku: String
      let title: String
      let stars: Int64
      let credits: Int64
      let bonusCredits: Int64
      /// For `sendInvoice`, where a message is wanted instead of the link.
      let payload: String
      let description: String
      let invoiceLink: String
      let expiresAt: Date
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let sent = try call.inbound.json(Request.self)
    let user = try UserID.check(sent.user)
    guard (sent.resume?.utf8.count ?? 0) <= Limits.resumeBytes,
      !(sent.resume ?? "").contains("\0"), !sent.sku.contains("\0")
    else {
      throw Refusal(
        .badRequest, "invalid_resume", "“resume” is at most \(Limits.resumeBytes) bytes of text.")
    }
    guard (0...90).contains(sent.discount ?? 0) else {
      throw Refusal(
        .badRequest, "invalid_discount", "“discount” is a percentage that the catalogue has.")
    }
    try await Newcomers.admit(user, call)
    let opened: OpenedCheckout
    do {
      opened = try await Checkout.open(
        CheckoutRequest(
          telegramID: user, sku: sent.sku, discountPercent: sent.discount ?? 0,
          resume: sent.resume, idempotencyKey: key), with: call.bot, in: call.scope, call.platform)
    } catch let refusal as Checkout.Refusal { throw Refusal.of(refusal) }
    let checkout = opened.checkout
    var reply = try Reply.json(
      Body(
        checkout: .init(
          id: checkout.id, user: user, sku: checkout.sku, title: checkout.title,
          stars: checkout.stars, credits: checkout.credits, bonusCredits: checkout.bonusCredits,
          payload: checkout.payload ?? "", description: checkout.description,
          invoiceLink: opened.link, expiresAt: checkout.expiresAt)),
      status: opened.isReplay ? .ok : .created)
    if opened.isReplay { reply.headers[.idempotencyReplayed] = "true" }
    return reply
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
    case .notAvailable:
      Refusal(.forbidden, "pack_not_available", "This pack is not for this user.")
    case .keyReused: keyReused
    case .telegramRefused(let reason):
      Refusal(
        .badGateway, "telegram_refused",
        "Telegram will not make the link: \(reason). Check the bot's token.")
    case .telegram(let reason):
      Refusal(
        .serviceUnavailable, "telegram_unavailable",
        "Telegram did not make the link (\(reason)). Send the same request again.",
        retryAfterSeconds: 2)
    }
  }
}

extension HTTPField.Name {
  static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed") ?? .via
}
