import Ledger
import Postgres

/// What the demo workspace sells and charges for: six packs, the discounted copies of five of them,
/// four actions, three tiers.
enum DemoCatalog {
  private struct Offer {
    let sku: String
    let title: String
    let emoji: String
    let credits: Int64
    let bonus: Int64
    let stars: Int64
    let audience: Pack.Audience
    /// As it is called in Portuguese.
    let portuguese: String
    var terms: [Term] = []
  }

  private struct Term {
    let entitlement: String
    /// nil = for good.
    var days: Int32? = 30
  }

  /// In percent; what staff try has none.
  private static let discounts: [Int16] = [10, 15, 25]

  private static let entitlements = [
    ("pro", "Pro"), ("premium", "Premium"), ("priority_queue", "Priority queue"),
    ("hd_quality", "HD quality"),
    ("commercial_use", "Commercial use"), ("api_access", "API access"),
    ("stem_separation", "Stem separation"),
  ]

  private static let offers = [
    Offer(
      sku: "test", title: "Test", emoji: "🔧", credits: 1, bonus: 0, stars: 1, audience: .admins,
      portuguese: "Teste"),
    Offer(
      sku: "try", title: "Try", emoji: "🎁", credits: 5, bonus: 4, stars: 49,
      audience: .firstPurchase, portuguese: "Experimente"),
    Offer(
      sku: "start", title: "Start", emoji: "⭐", credits: 10, bonus: 0, stars: 75,
      audience: .everyone, portuguese: "Início"),
    Offer(
      sku: "pop", title: "Pop", emoji: "💎", credits: 30, bonus: 0, stars: 175,
      audience: .everyone, portuguese: "Pop",
      terms: [Term(entitlement: "priority_queue")]),
    Offer(
      sku: "pro", title: "Pro", emoji: "👑", credits: 100, bonus: 0, stars: 500,
      audience: .everyone, portuguese: "Pro",
      terms: [
        Term(entitlement: "pro"), Term(entitlement: "priority_queue"),
        Term(entitlement: "hd_quality"),
      ]),
    Offer(
      sku: "max", title: "Max", emoji: "🚀", credits: 250, bonus: 0, stars: 1125,
      audience: .everyone, portuguese: "Max",
      terms: [
        Term(entitlement: "premium"), Term(entitlement: "priority_queue"),
        Term(entitlement: "hd_quality"), Term(entitlement: "api_access"),
        Term(entitlement: "stem_separation"), Term(entitlement: "commercial_use", days: nil),
      ]),
  ]

  /// Once: what an operator has changed since stays changed.
  static func write(in scope: WorkspaceScope, _ tx: Transaction) async throws {
    let workspace = scope.workspaceID
    let isWritten = try await !tx.query(
      """
      select from actions where workspace_id = \(workspace) and action = 'stem_separation'
      """
    ).isEmpty
    guard !isWritten else { return }
    for (position, (key, title)) in entitlements.enumerated() {
      try await tx.execute(
        """
        insert into entitlements (workspace_id, entitlement, title, position)
        values (\(workspace), \(key), \(title), \(position)) on conflict do nothing
        """)
    }
    for (position, offer) in offers.enumerated() {
      try await insert(offer, discount: nil, position, in: scope, tx)
      for percent in discounts where offer.audience != .admins {
        try await insert(offer, discount: percent, position, in: scope, tx)
      }
      try await describe(offer, in: scope, tx)
    }
    try await writeRates(workspace, tx)
    try await writeRules(workspace, tx)
  }

  /// A studio in Brazil: what 100 Stars bring, the dollar in reais, 15 centavos for a credit.
  private static func writeRates(_ workspace: Int64, _ tx: Transaction) async throws {
    try await tx.execute(
      """
      update workspaces set currency = 'BRL', usd_micros_per_100_stars = 1300000,
        currency_micros_per_usd = 5400000, credit_cost_micros = 150000
      where workspace_id = \(workspace)
      """)
  }

  /// Stems: three a month for everybody, twenty with Pro and the first five of them for nothing, as
  /// many as she likes with Premium; whoever has bought the feature itself pays nothing at all.
  private static func writeRules(_ workspace: Int64, _ tx: Transaction) async throws {
    try await tx.execute(
      """
      insert into actions (workspace_id, action, title, price_credits, unit_cost_micros,
        required_entitlement, unmetered_entitlement, position)
      values (\(workspace), 'sticker', 'Sticker', 1, 100000, null, null, 0),
        (\(workspace), 'company_lookup', 'Company lookup', 2, 180000, null, null, 1),
        (\(workspace), 'stem_separation', 'Stem separation', 2, 450000, null, 'stem_separation', 2),
        (\(workspace), 'hd_export', 'HD export', 0, 20000, 'hd_quality', null, 3)
      on conflict do nothing
      """)
    try await tx.execute(
      """
      insert into tiers (workspace_id, tier, title, entitlement, position)
      values (\(workspace), 'pro', 'Pro', 'pro', 1),
        (\(workspace), 'premium', 'Premium', 'premium', 2)
      on conflict do nothing
      """)
    try await tx.execute(
      """
      insert into action_tiers (workspace_id, action, tier, units_per_month, free_units)
      values (\(workspace), 'stem_separation', 'free', 3, 0),
        (\(workspace), 'stem_separation', 'pro', 20, 5)
      on conflict do nothing
      """)
  }

  /// A discounted pack is its base but for sku and percentage: Postgres copies the rest.
  private static func insert(
    _ offer: Offer, discount: Int16?, _ position: Int, in scope: WorkspaceScope, _ tx: Transaction
  ) async throws {
    let sku = discount.map { "\(offer.sku)-\($0)" } ?? offer.sku
    try await tx.execute(
      """
      insert into packs (workspace_id, sku, title, description, emoji, credits, bonus_credits,
        stars, available_to, base_sku, discount_percent, position)
      values (\(scope.workspaceID), \(sku), \(offer.title), \(description(of: offer)), \(offer.emoji),
        \(offer.credits), \(offer.bonus), \(offer.stars), \(offer.audience.rawValue),
        \(discount == nil ? nil : offer.sku), \(discount ?? 0), \(position))
      on conflict do nothing
      """)
  }

  /// The features of a pack and its words in Portuguese.
  private static func describe(
    _ offer: Offer, in scope: WorkspaceScope, _ tx: Transaction
  ) async throws {
    for term in offer.terms {
      try await tx.execute(
        """
        insert into pack_entitlements (workspace_id, sku, entitlement, days)
        values (\(scope.workspaceID), \(offer.sku), \(term.entitlement), \(term.days))
        on conflict do nothing
        """)
    }
    try await tx.execute(
      """
      insert into pack_names (workspace_id, sku, language, title, description)
      values (\(scope.workspaceID), \(offer.sku), 'pt-br', \(offer.portuguese),
        \(portugueseDescription(of: offer)))
      on conflict do nothing
      """)
  }

  private static let portugueseFeatures = [
    "pro": "Pro", "premium": "Premium", "priority_queue": "prioridade na fila",
    "hd_quality": "qualidade HD", "commercial_use": "uso comercial", "api_access": "acesso à API",
    "stem_separation": "separação de stems",
  ]

  private static func description(of offer: Offer) -> String {
    if offer.bonus > 0 {
      let total = offer.credits + offer.bonus
      return "\(offer.credits) credits and \(offer.bonus) more as a bonus: \(total) in all."
    }
    let credits = offer.credits == 1 ? "1 credit" : "\(offer.credits) credits"
    let titles = Dictionary(uniqueKeysWithValues: entitlements)
    return words(
      credits, offer, titles, timed: "For 30 days", endless: "For good")
  }

  private static func portugueseDescription(of offer: Offer) -> String {
    if offer.bonus > 0 {
      let total = offer.credits + offer.bonus
      return "\(offer.credits) créditos e mais \(offer.bonus) de bônus: \(total) ao todo."
    }
    let credits = offer.credits == 1 ? "1 crédito" : "\(offer.credits) créditos"
    return words(
      credits, offer, portugueseFeatures, timed: "Por 30 dias", endless: "Para sempre")
  }

  private static func words(
    _ credits: String, _ offer: Offer, _ titles: [String: String], timed: String, endless: String
  ) -> String {
    func part(_ lead: String, _ terms: [Term]) -> String {
      let names = terms.compactMap { titles[$0.entitlement] }.joined(separator: ", ")
      return names.isEmpty ? "" : ". \(lead): \(names)"
    }
    return credits + part(timed, offer.terms.filter { $0.days != nil })
      + part(endless, offer.terms.filter { $0.days == nil }) + "."
  }
}
