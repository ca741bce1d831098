import Foundation
import Ledger

/// A wish to sell a pack or a plan to a customer.
public struct CheckoutRequest: Sendable, Equatable {
  public enum Item: Sendable, Equatable {
    /// - Parameter discountPercent: One that the catalogue has for the pack; 0 = none.
    case pack(sku: String, discountPercent: Int)
    case plan(String)
  }

  public let telegramID: Int64
  public let item: Item
  public let delivery: Checkout.Delivery
  /// Of the invoice's words, as Telegram writes it; nil = the buyer's.
  public let language: String?
  /// The bot's own note, handed back after the payment.
  public let resume: String?
  /// Who asks; nil = the bot.
  public let openedBy: Actor?
  public let idempotencyKey: String
  /// How long it may be paid.
  public var validSeconds = Limits.checkoutSeconds

  public init(
    telegramID: Int64, item: Item, delivery: Checkout.Delivery = .link, language: String? = nil,
    resume: String? = nil, openedBy: Actor? = nil, idempotencyKey: String
  ) {
    self.telegramID = telegramID
    self.item = item
    self.delivery = delivery
    self.language = language
    self.resume = resume
    self.openedBy = openedBy
    self.idempotencyKey = idempotencyKey
  }

  public init(
    telegramID: Int64, sku: String, discountPercent: Int, resume: String?, idempotencyKey: String
  ) {
    self.init(
      telegramID: telegramID, item: .pack(sku: sku, discountPercent: discountPercent),
      resume: resume, idempotencyKey: idempotencyKey)
  }

  /// With its bot: what one bot asked for, another one of the workspace never did.
  func fingerprint(of bot: Bot) -> Int64 {
    var parts = ["checkout", String(bot.id), String(telegramID)]
    switch item {
    case .pack(let sku, let discountPercent): parts += [sku, String(discountPercent)]
    case .plan(let plan): parts += [InvoicePayload.planPrefix + plan, "0"]
    }
    parts.append(resume ?? "\0none")
    // A request that says nothing of these is what it was before they could be said.
    if delivery != .link { parts.append("delivery:\(delivery.rawValue)") }
    if let language { parts.append("language:\(language)") }
    return Bytes.fingerprint(parts)
  }
}

/// What a checkout keeps of a pack or a plan: a later change of price never alters it.
struct CheckoutItem: Sendable {
  let product: Checkout.Product
  let sku: String
  let title: String
  let description: String
  let creditUnit: Int16
  let credits: Int64
  let bonusCredits: Int64
  let stars: Int64
  let creditsValidDays: Int?
  let discountPercent: Int
  /// Of a plan: it renews every so many seconds.
  let periodSeconds: Int?
  /// Features that the payment itself grants; those of a plan come with its subscription.
  let entitlements: [Pack.Term]

  init(_ pack: Pack, in language: String?) {
    product = .pack
    sku = pack.sku
    title = pack.title(language)
    description = pack.description(language)
    creditUnit = pack.creditUnit
    credits = pack.credits
    bonusCredits = pack.bonusCredits
    stars = pack.stars
    creditsValidDays = pack.creditsValidDays
    discountPercent = pack.discountPercent
    periodSeconds = nil
    entitlements = pack.entitlements
  }

  /// nil for a plan that nobody pays for.
  init?(_ plan: Plan, periodSeconds: Int, in language: String?) {
    guard plan.kind == .recurring, let stars = plan.stars else { return nil }
    product = .plan
    sku = plan.key
    title = plan.title(language)
    description = plan.description(language)
    creditUnit = plan.creditUnit
    credits = plan.creditsPerCycle ?? 0
    bonusCredits = 0
    self.stars = stars
    creditsValidDays = nil
    discountPercent = 0
    self.periodSeconds = periodSeconds
    entitlements = []
  }

  /// As the invoice's payload names it.
  var payloadSKU: String { product == .plan ? InvoicePayload.planPrefix + sku : sku }
}
