import Foundation
import Ledger
import Postgres

/// A pack of credits that a customer buys with Stars.
public struct Pack: Sendable, Equatable {
  public enum Audience: String, Sendable, CaseIterable {
    case everyone
    case firstPurchase = "first_purchase"
    /// The workspace's staff.
    case admins
  }

  /// A feature for a time.
  public struct Term: Sendable, Equatable {
    public var entitlement: String
    /// nil = for good.
    public var days: Int?

    public init(entitlement: String, days: Int?) {
      self.entitlement = entitlement
      self.days = days
    }
  }

  public let sku: String
  public let title: String
  public let description: String
  public let emoji: String
  public let creditUnit: Int16
  public let credits: Int64
  public let bonusCredits: Int64
  public let stars: Int64
  public let audience: Audience
  /// The pack that this one discounts; such a pack is never listed.
  public let baseSKU: String?
  public let discountPercent: Int
  public let creditsValidDays: Int?
  /// Not listed; sold to whoever is given its sku.
  public let isHidden: Bool
  /// The features that come with it; a discounted pack has those of its base.
  public let entitlements: [Term]
  public let names: [ProductName]

  init(_ row: Row) throws {
    sku = try row.get("sku")
    title = try row.get("title")
    description = try row.get("description")
    emoji = try row.get("emoji")
    creditUnit = try row.get("credit_unit")
    credits = try row.get("credits")
    bonusCredits = try row.get("bonus_credits")
    stars = try row.get("stars")
    audience = Audience(rawValue: try row.get("available_to")) ?? .admins
    baseSKU = try row.getIfPresent("base_sku")
    discountPercent = try row.get("discount_percent")
    creditsValidDays = try row.getIfPresent("credits_valid_days")
    isHidden = try row.get("is_hidden")
    let days = try row.get("entitlement_days", as: [Int32].self)
    entitlements = try zip(row.get("entitlements", as: [String].self), days).map {
      Term(entitlement: $0, days: $1 == 0 ? nil : Int($1))
    }
    let titles: [String] = try row.get("name_titles")
    let descriptions: [String] = try row.get("name_descriptions")
    names = try zip(row.get("name_languages", as: [String].self), zip(titles, descriptions)).map {
      ProductName(language: $0, title: $1.0, description: $1.1)
    }
  }

  /// Of `packs p`, to be narrowed with `and`.
  static func select(in scope: WorkspaceScope) -> SQL {
    """
    select p.*, array(\(terms("e.entitlement"))) as entitlements,
      array(\(terms("coalesce(e.days, 0)"))) as entitlement_days,
      array(\(names("n.language"))) as name_languages, array(\(names("n.title"))) as name_titles,
      array(\(names("n.description"))) as name_descriptions
    from packs p where p.workspace_id = \(scope.workspaceID)
    """
  }

  private static func terms(_ value: SQL) -> SQL {
    """
    select \(value) from pack_entitlements e where e.workspace_id = p.workspace_id
      and e.sku = coalesce(p.base_sku, p.sku) order by e.entitlement
    """
  }

  private static func names(_ value: SQL) -> SQL {
    """
    select \(value) from pack_names n where n.workspace_id = p.workspace_id
      and n.sku = coalesce(p.base_sku, p.sku) order by n.language
    """
  }

  /// Whether this customer may buy the pack.
  ///
  /// - Parameter isStaff: of somebody nobody has seen yet.
  public func isAvailable(to customer: Customer?, isStaff: Bool = false) -> Bool {
    switch audience {
    case .everyone: true
    case .firstPurchase: !(customer?.hasPurchased ?? false)
    case .admins: customer?.isAdmin ?? isStaff
    }
  }

  /// - Parameter language: As Telegram or a browser writes it; nil = as the pack was written.
  public func title(_ language: String?) -> String { names.name(in: language)?.title ?? title }

  public func description(_ language: String?) -> String {
    names.name(in: language)?.description ?? description
  }

  /// What a pack of this price costs after a discount: half a Star counts as one, and nothing costs
  /// less than one. Postgres does the same for the packs it keeps.
  public static func discounted(stars: Int64, percent: Int) -> Int64 {
    max(1, (stars * Int64(100 - percent) + 50) / 100)
  }
}
