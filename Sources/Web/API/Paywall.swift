import EStars
import Foundation

/// What a bot shows instead of the action when the credits do not reach.
struct Paywall: Encodable {
  /// `wait_first_purchase` before the first purchase, `wait_buy_credit` after it.
  let state: String
  /// What to say, in the language of the request, else the user's, else the workspace's.
  let text: String
  let packs: [PackBody]

  /// - Parameter language: of the request, as the bot sent it; what is no language counts for none.
  /// - Throws: ``Refusal`` when the key asks about too many people whom nobody has seen.
  static func load(
    for telegramID: Int64, language: String? = nil, _ call: BotCall
  ) async throws -> Paywall {
    async let customer = Customer.find(
      telegramID: telegramID, in: call.scope, call.platform.pool)
    async let catalog = Catalog.load(in: call.scope, call.platform.pool)
    async let own = PaywallText.all(in: call.scope, call.platform.pool)
    let buyer = try await customer
    if buyer == nil { try call.server.strangers.count(telegramID, by: call.key) }
    let state = PaywallState(hasPurchased: buyer?.hasPurchased ?? false)
    let languages = [language, buyer?.languageCode, call.workspace.locale]
    let packs = try await catalog.packs(
      for: buyer, telegramID, in: call.scope, call.platform.pool)
    return Paywall(
      state: state.rawValue,
      text: PaywallText.text(for: state, in: languages, own: try await own).body,
      packs: packs.map {
        PackBody($0, language: PackBody.language(language, of: buyer, in: call.workspace))
      })
  }
}

/// A pack as the bot sells it.
struct PackBody: Encodable {
  let sku: String
  let title: String
  let description: String
  let emoji: String
  let credits: Int64
  let bonusCredits: Int64
  let stars: Int64
  let firstPurchaseOnly: Bool
  let entitlements: [Term]

  struct Term: Encodable {
    let entitlement: String
    /// Absent when it is for good.
    let days: Int?
  }

  enum CodingKeys: String, CodingKey {
    case sku, title, description, emoji, credits, stars, entitlements
    case bonusCredits = "bonus_credits"
    case firstPurchaseOnly = "first_purchase_only"
  }

  /// In whose words: of the request's language, else the user's, else the workspace's.
  static func language(
    _ asked: String?, of buyer: Customer?, in workspace: Workspace
  ) -> String? {
    [asked, buyer?.languageCode, workspace.locale].lazy.compactMap { $0.flatMap(PaywallText.tag) }
      .first
  }

  init(_ pack: Pack, language: String?) {
    sku = pack.sku
    title = pack.title(language)
    description = pack.description(language)
    emoji = pack.emoji
    credits = pack.credits
    bonusCredits = pack.bonusCredits
    stars = pack.stars
    firstPurchaseOnly = pack.audience == .firstPurchase
    entitlements = pack.entitlements.map { Term(entitlement: $0.entitlement, days: $0.days) }
  }
}
