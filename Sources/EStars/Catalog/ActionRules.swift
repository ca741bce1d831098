import Foundation
import Ledger
import Postgres

/// Everything that an operator has settled about an action: price, cost, access, limits.
public struct ActionRules: Sendable, Equatable {
  public enum OutagePolicy: String, Sendable, CaseIterable { case closed, open }

  /// What one tier may do with the action.
  public struct Allowance: Sendable, Equatable {
    public enum Period: String, Sendable, CaseIterable { case day, month, lifetime }

    /// Units; nil = no limit.
    public var perDay: Int?
    public var perMonth: Int?
    public var lifetime: Int?
    /// Units at the beginning of each period that cost nothing.
    public var freeUnits: Int
    public var freePeriod: Period

    public init(
      perDay: Int? = nil, perMonth: Int? = nil, lifetime: Int? = nil, freeUnits: Int = 0,
      freePeriod: Period = .month
    ) {
      self.perDay = perDay
      self.perMonth = perMonth
      self.lifetime = lifetime
      self.freeUnits = freeUnits
      self.freePeriod = freePeriod
    }

    /// Whether it says nothing that no rule would not say.
    public var isPlain: Bool {
      perDay == nil && perMonth == nil && lifetime == nil && freeUnits == 0
    }
  }

  public var key: String
  public var title: String
  /// Credits per unit; 0 = the entitlement alone pays.
  public var priceCredits: Int64
  /// What a unit costs the operator, in millionths of the currency.
  public var unitCostMicros: Int64
  /// ISO 4217.
  public var costCurrency: String
  /// Units of one request.
  public var maxUnits: Int
  public var requiredEntitlement: String?
  public var unmeteredEntitlement: String?
  public var outagePolicy: OutagePolicy
  /// Units that are let through while the ledger cannot be asked, for all customers together.
  public var outageCapUnits: Int64
  /// By the key of the tier; none = no limit.
  public var allowances: [String: Allowance]
  public internal(set) var withdrawnAt: Date?

  public init(
    key: String, title: String, priceCredits: Int64, unitCostMicros: Int64 = 0,
    costCurrency: String = "BRL", maxUnits: Int = 1000, requiredEntitlement: String? = nil,
    unmeteredEntitlement: String? = nil, outagePolicy: OutagePolicy = .closed,
    outageCapUnits: Int64 = 0, allowances: [String: Allowance] = [:]
  ) {
    self.key = key
    self.title = title
    self.priceCredits = priceCredits
    self.unitCostMicros = unitCostMicros
    self.costCurrency = costCurrency
    self.maxUnits = maxUnits
    self.requiredEntitlement = requiredEntitlement
    self.unmeteredEntitlement = unmeteredEntitlement
    self.outagePolicy = outagePolicy
    self.outageCapUnits = outageCapUnits
    self.allowances = allowances.filter { !$0.value.isPlain }
  }

  private init(_ row: Row) throws {
    self.init(
      key: try row.get("action"), title: try row.get("title"),
      priceCredits: try row.get("price_credits"), unitCostMicros: try row.get("unit_cost_micros"),
      costCurrency: try row.get("cost_currency"), maxUnits: try row.get("max_units"),
      requiredEntitlement: try row.getIfPresent("required_entitlement"),
      unmeteredEntitlement: try row.getIfPresent("unmetered_entitlement"),
      outagePolicy: OutagePolicy(rawValue: try row.get("outage_policy")) ?? .closed,
      outageCapUnits: try row.get("outage_cap_units"))
    withdrawnAt = try row.getIfPresent("withdrawn_at")
  }

  /// All actions, those in force first, in the operator's order.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [ActionRules] {
    try await pool.transaction(in: scope) { tx in try await tx.actionRules(nil, in: scope) }
  }

  public static func find(
    _ key: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> ActionRules? {
    try await pool.transaction(in: scope) { tx in try await tx.actionRules(key, in: scope).first }
  }

  static func read(_ actions: [Row], _ tiers: [Row]) throws -> [ActionRules] {
    var allowances: [String: [String: Allowance]] = [:]
    for row in tiers {
      allowances[try row.get("action"), default: [:]][try row.get("tier")] = Allowance(
        perDay: try row.getIfPresent("units_per_day"),
        perMonth: try row.getIfPresent("units_per_month"),
        lifetime: try row.getIfPresent("units_lifetime"), freeUnits: try row.get("free_units"),
        freePeriod: Allowance.Period(rawValue: try row.get("free_period")) ?? .month)
    }
    return try actions.map { row in
      var rules = try ActionRules(row)
      rules.allowances = allowances[rules.key] ?? [:]
      return rules
    }
  }
}

extension Transaction {
  /// The rules of one action, or of all.
  func actionRules(
    _ key: String?, isLocking: Bool = false, in scope: WorkspaceScope
  ) async throws -> [ActionRules] {
    let lock: SQL = isLocking ? "for no key update" : ""
    let actions = try await query(
      """
      select * from actions where workspace_id = \(scope.workspaceID)
        and (\(key)::text is null or action = \(key)::text)
      order by withdrawn_at is not null, position, action \(lock)
      """)
    let tiers = try await query(
      """
      select * from action_tiers where workspace_id = \(scope.workspaceID)
        and (\(key)::text is null or action = \(key)::text)
      """)
    return try ActionRules.read(actions, tiers)
  }
}

extension ActionRules {
  /// The rules as plain facts, for the audit log. What is not set is not there.
  var facts: [String: String] {
    var facts = [
      "title": title, "price_credits": String(priceCredits),
      "unit_cost": "\(Self.decimal(micros: unitCostMicros)) \(costCurrency)",
      "max_units": String(maxUnits), "outage_policy": outagePolicy.rawValue,
    ]
    if outagePolicy == .open { facts["outage_cap_units"] = String(outageCapUnits) }
    facts["required_entitlement"] = requiredEntitlement
    facts["unmetered_entitlement"] = unmeteredEntitlement
    for (tier, allowance) in allowances {
      facts["units_per_day:\(tier)"] = allowance.perDay.map(String.init)
      facts["units_per_month:\(tier)"] = allowance.perMonth.map(String.init)
      facts["units_lifetime:\(tier)"] = allowance.lifetime.map(String.init)
      if allowance.freeUnits > 0 {
        facts["free_units:\(tier)"] = String(allowance.freeUnits)
        facts["free_period:\(tier)"] = allowance.freePeriod.rawValue
      }
    }
    return facts
  }

  /// `0.45` for 450 000.
  public static func decimal(micros: Int64) -> String {
    let (whole, rest) = micros.quotientAndRemainder(dividingBy: 1_000_000)
    var digits = String(1_000_000 + rest).dropFirst()
    while digits.count > 2, digits.last == "0" { digits.removeLast() }
    return "\(whole).\(digits)"
  }
}
