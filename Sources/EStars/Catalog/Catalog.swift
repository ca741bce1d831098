import Foundation
import Ledger
import Postgres

/// A pack of credits that a customer buys with Stars.
public struct Pack: Sendable, Equatable {
  public enum Audience: String, Sendable {
    case everyone
    case firstPurchase = "first_purchase"
    case admins
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
  /// The features that come with it.
  public let entitlements: [Term]

  /// A feature for a time.
  public struct Term: Sendable, Equatable {
    public let entitlement: String
    /// nil = for good.
    public let days: Int?
  }

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
    let days = try row.get("entitlement_days", as: [Int32].self)
    entitlements = try zip(row.get("entitlements", as: [String].self), days).map {
      Term(entitlement: $0, days: $1 == 0 ? nil : Int($1))
    }
  }

  /// Whether this customer may buy the pack.
  public func isAvailable(to customer: Customer?) -> Bool {
    switch audience {
    case .everyone: true
    case .firstPurchase: !(customer?.hasPurchased ?? false)
    case .admins: customer?.isAdmin ?? false
    }
  }
}

/// What a bot may charge for. See ``Pack`` for what is sold.
public struct Action: Sendable, Equatable {
  public let key: String
  public let title: String
  /// Credits per unit.
  public let priceCredits: Int64
  public let requiredEntitlement: String?
  /// Units of one request.
  let maxUnits: Int64
  /// Units that may go on while the database is away, for all customers together, until they are
  /// booked; 0 = none.
  let outageUnits: Int64

  init(_ row: Row) throws {
    key = try row.get("action")
    title = try row.get("title")
    priceCredits = try row.get("price_credits")
    requiredEntitlement = try row.getIfPresent("required_entitlement")
    maxUnits = try row.get("max_units")
    let policy = ActionRules.OutagePolicy(rawValue: try row.get("outage_policy"))
    outageUnits = policy == .open ? try row.get("outage_cap_units") : 0
  }
}

/// Everything on sale in a workspace and everything it charges for.
public struct Catalog: Sendable, Equatable {
  public let packs: [Pack]
  public let actions: [Action]

  init(packs: [Pack], actions: [Action]) {
    self.packs = packs
    self.actions = actions
  }

  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> Catalog {
    async let packs = pool.query(
      """
      select p.*, array(\(terms("e.entitlement"))) as entitlements,
        array(\(terms("coalesce(e.days, 0)"))) as entitlement_days
      from packs p where p.workspace_id = \(scope.workspaceID) and p.withdrawn_at is null
      order by p.position, p.sku
      """, in: scope)
    async let actions = pool.query(
      """
      select * from actions where workspace_id = \(scope.workspaceID) and withdrawn_at is null
      order by position, action
      """, in: scope)
    return Catalog(
      packs: try await packs.map(Pack.init), actions: try await actions.map(Action.init))
  }

  private static func terms(_ value: SQL) -> SQL {
    """
    select \(value) from pack_entitlements e
    where e.workspace_id = p.workspace_id and e.sku = p.sku order by e.entitlement
    """
  }

  /// Packs that this customer sees, in the operator's order: no discounts, no packs of others.
  public func packs(for customer: Customer?) -> [Pack] {
    packs.filter { $0.baseSKU == nil && $0.isAvailable(to: customer) }
  }

  public func pack(sku: String) -> Pack? { packs.first { $0.sku == sku } }

  public func pack(sku: String, discountPercent: Int) -> Pack? {
    if discountPercent == 0 { return packs.first { $0.sku == sku && $0.baseSKU == nil } }
    return packs.first { $0.baseSKU == sku && $0.discountPercent == discountPercent }
  }

  public func action(_ key: String) -> Action? { actions.first { $0.key == key } }
}
