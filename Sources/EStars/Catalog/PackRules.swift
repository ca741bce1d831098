import Foundation
import Ledger
import Postgres

/// Everything that an operator has settled about a pack and its discounts.
public struct PackRules: Sendable, Equatable {
  /// A cheaper copy, sold to whoever is offered the discount.
  public struct Discount: Sendable, Equatable {
    public let sku: String
    public let percent: Int
    public let stars: Int64
    public let withdrawnAt: Date?
  }

  public var sku: String
  /// The words that everybody reads for whose language there are none.
  public var title: String
  public var description: String
  public var emoji: String
  /// Chosen once: what was sold before is in it.
  public var creditUnit: Int16
  public var credits: Int64
  public var bonusCredits: Int64
  public var stars: Int64
  public var audience: Pack.Audience
  /// nil = credits never expire.
  public var creditsValidDays: Int?
  public var isHidden: Bool
  public var terms: [Pack.Term]
  public var names: [ProductName]
  /// Smallest first.
  public internal(set) var discounts: [Discount] = []
  public internal(set) var withdrawnAt: Date?

  public init(
    sku: String, title: String, description: String, emoji: String = "", creditUnit: Int16 = 1,
    credits: Int64, bonusCredits: Int64 = 0, stars: Int64, audience: Pack.Audience = .everyone,
    creditsValidDays: Int? = nil, isHidden: Bool = false, terms: [Pack.Term] = [],
    names: [ProductName] = []
  ) {
    self.sku = sku
    self.title = title
    self.description = description
    self.emoji = emoji
    self.creditUnit = creditUnit
    self.credits = credits
    self.bonusCredits = bonusCredits
    self.stars = stars
    self.audience = audience
    self.creditsValidDays = creditsValidDays
    self.isHidden = isHidden
    self.terms = terms
    self.names = names.sorted { $0.language < $1.language }
  }

  private init(_ pack: Pack, withdrawnAt: Date?) {
    self.init(
      sku: pack.sku, title: pack.title, description: pack.description, emoji: pack.emoji,
      creditUnit: pack.creditUnit, credits: pack.credits, bonusCredits: pack.bonusCredits,
      stars: pack.stars, audience: pack.audience, creditsValidDays: pack.creditsValidDays,
      isHidden: pack.isHidden, terms: pack.entitlements, names: pack.names)
    self.withdrawnAt = withdrawnAt
  }

  /// Whether margin says something about it: what staff buy is a try.
  public var isJudged: Bool { audience != .admins }

  /// Takes over the discounts that a pack has, to compute their prices with these rules.
  public mutating func follow(_ present: PackRules?) { discounts = present?.discounts ?? [] }

  /// All packs, those on sale first, in the operator's order.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [PackRules] {
    try await pool.transaction(in: scope) { tx in try await tx.packRules(nil, in: scope) }
  }

  public static func find(
    _ sku: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> PackRules? {
    try await pool.transaction(in: scope) { tx in try await tx.packRules(sku, in: scope).first }
  }

  static func read(_ rows: [Row]) throws -> [PackRules] {
    var discounts: [String: [Discount]] = [:]
    var rules: [PackRules] = []
    for row in rows {
      let pack = try Pack(row)
      let withdrawnAt: Date? = try row.getIfPresent("withdrawn_at")
      if let base = pack.baseSKU {
        discounts[base, default: []].append(
          Discount(
            sku: pack.sku, percent: pack.discountPercent, stars: pack.stars,
            withdrawnAt: withdrawnAt))
      } else {
        rules.append(PackRules(pack, withdrawnAt: withdrawnAt))
      }
    }
    return rules.map { rules in
      var rules = rules
      rules.discounts = (discounts[rules.sku] ?? []).sorted { $0.percent < $1.percent }
      return rules
    }
  }

  /// The rules as plain facts, for the audit log. What is not set is not there.
  var facts: [String: String] {
    var facts = [
      "title": title, "description": description, "credits": String(credits),
      "bonus_credits": String(bonusCredits), "price_stars": String(stars),
      "available_to": audience.rawValue, "listing": isHidden ? "hidden" : "listed",
    ]
    if !emoji.isEmpty { facts["emoji"] = emoji }
    facts["credits_valid_days"] = creditsValidDays.map(String.init)
    for term in terms {
      facts["entitlement_days:\(term.entitlement)"] = term.days.map(String.init) ?? "good"
    }
    for name in names {
      facts["title:\(name.language)"] = name.title
      facts["description:\(name.language)"] = name.description
    }
    return facts
  }
}

extension Transaction {
  /// The rules of one pack, or of all; a discounted pack is no pack of its own here.
  func packRules(_ sku: String?, in scope: WorkspaceScope) async throws -> [PackRules] {
    try PackRules.read(
      try await query(
        """
        \(Pack.select(in: scope))
          and (\(sku)::text is null or coalesce(p.base_sku, p.sku) = \(sku)::text)
        order by p.withdrawn_at is not null, p.position, p.sku
        """))
  }
}
