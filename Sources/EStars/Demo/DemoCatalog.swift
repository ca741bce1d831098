import Ledger
import Postgres

/// What the demo workspace sells: six packs, the discounted copies of five of them, two actions.
enum DemoCatalog {
  private struct Offer {
    let sku: String
    let title: String
    let emoji: String
    let credits: Int64
    let bonus: Int64
    let stars: Int64
    let audience: Pack.Audience
    /// Prices at 10, 15 and 25 percent off.
    let discounted: [Int64]
    /// For 30 days.
    var entitlements: [String] = []
  }

  private static let discounts: [Int16] = [10, 15, 25]

  private static let entitlements = [
    ("priority_queue", "Priority queue"), ("hd_quality", "HD quality"),
    ("commercial_use", "Commercial use"), ("api_access", "API access"),
    ("stem_separation", "Stem separation"),
  ]

  private static let offers = [
    Offer(
      sku: "test", title: "Test", emoji: "🔧", credits: 1, bonus: 0, stars: 1, audience: .admins,
      discounted: []),
    Offer(
      sku: "try", title: "Try", emoji: "🎁", credits: 5, bonus: 4, stars: 49,
      audience: .firstPurchase, discounted: [44, 42, 37]),
    Offer(
      sku: "start", title: "Start", emoji: "⭐", credits: 10, bonus: 0, stars: 75,
      audience: .everyone, discounted: [68, 64, 56]),
    Offer(
      sku: "pop", title: "Pop", emoji: "💎", credits: 30, bonus: 0, stars: 175,
      audience: .everyone, discounted: [158, 149, 131]),
    Offer(
      sku: "pro", title: "Pro", emoji: "👑", credits: 100, bonus: 0, stars: 500,
      audience: .everyone, discounted: [450, 425, 375],
      entitlements: ["hd_quality"]),
    Offer(
      sku: "max", title: "Max", emoji: "🚀", credits: 250, bonus: 0, stars: 1125,
      audience: .everyone, discounted: [1013, 956, 844]),
  ]

  static func write(in scope: WorkspaceScope, _ tx: Transaction) async throws {
    for (position, (key, title)) in entitlements.enumerated() {
      try await tx.execute(
        """
        insert into entitlements (workspace_id, entitlement, title, position)
        values (\(scope.workspaceID), \(key), \(title), \(position)) on conflict do nothing
        """)
    }
    for (position, offer) in offers.enumerated() {
      try await insert(offer, stars: offer.stars, discount: nil, position, in: scope, tx)
      for (percent, stars) in zip(discounts, offer.discounted) {
        try await insert(offer, stars: stars, discount: percent, position, in: scope, tx)
      }
    }
    try await tx.execute(
      """
      insert into actions (workspace_id, action, title, price_credits, unit_cost_micros, position)
      values (\(scope.workspaceID), 'sticker', 'Sticker', 1, 100000, 0),
        (\(scope.workspaceID), 'company_lookup', 'Company lookup', 2, 180000, 1)
      on conflict do nothing
      """)
  }

  private static func insert(
    _ offer: Offer, stars: Int64, discount: Int16?, _ position: Int, in scope: WorkspaceScope,
    _ tx: Transaction
  ) async throws {
    let sku = discount.map { "\(offer.sku)-\($0)" } ?? offer.sku
    let total = offer.credits + offer.bonus
    let description =
      offer.bonus > 0
      ? "\(offer.credits) credits and \(offer.bonus) more as a bonus: \(total) in all."
      : !offer.entitlements.isEmpty
        ? "\(offer.credits) credits and HD quality for 30 days."
        : offer.credits == 1 ? "1 credit." : "\(offer.credits) credits."
    try await tx.execute(
      """
      insert into packs (workspace_id, sku, title, description, emoji, credits, bonus_credits,
        stars, available_to, base_sku, discount_percent, position)
      values (\(scope.workspaceID), \(sku), \(offer.title), \(description), \(offer.emoji),
        \(offer.credits), \(offer.bonus), \(stars), \(offer.audience.rawValue),
        \(discount == nil ? nil : offer.sku), \(discount ?? 0), \(position))
      on conflict do nothing
      """)
    for entitlement in offer.entitlements {
      try await tx.execute(
        """
        insert into pack_entitlements (workspace_id, sku, entitlement, days)
        values (\(scope.workspaceID), \(sku), \(entitlement), 30) on conflict do nothing
        """)
    }
  }
}
