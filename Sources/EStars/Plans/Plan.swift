import Foundation
import Ledger
import Postgres

/// What a customer subscribes to: credits for each cycle, a tier with its rules, and features.
public struct Plan: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Of everybody who has no subscription.
    case free
    /// Paid in Stars for each cycle.
    case recurring
    /// Given to a customer by an operator.
    case custom
  }

  public let key: String
  public let title: String
  public let description: String
  public let kind: Kind
  /// Its quotas and free units are those of this tier.
  public let tier: String
  /// The feature that puts a customer into the tier; nil for the base tier.
  public let tierEntitlement: String?
  /// Price of a cycle; nil where nothing is paid.
  public let stars: Int64?
  public let creditUnit: Int16
  /// nil = as many as they like.
  public let creditsPerCycle: Int64?
  /// Of what is left of a cycle's credits, so many are carried into the next one.
  public let rolloverCapCredits: Int64
  /// 0 = it is not tried.
  public let trialDays: Int
  public let trialCredits: Int64
  /// Access goes on for so long after a paid period.
  public let graceDays: Int
  /// Not listed; sold to whoever is given its key.
  public let isHidden: Bool
  public let position: Int
  public let createdAt: Date
  public let withdrawnAt: Date?
  /// Features beside the one of its tier, in the operator's order.
  public let entitlements: [String]
  public let names: [ProductName]

  public var isUnlimited: Bool { creditsPerCycle == nil }
  public var isWithdrawn: Bool { withdrawnAt != nil }
  public var hasTrial: Bool { kind == .recurring && trialDays > 0 }

  /// Every feature that comes with it, the one of its tier first.
  public var allEntitlements: [String] {
    guard let tierEntitlement else { return entitlements }
    return [tierEntitlement] + entitlements.filter { $0 != tierEntitlement }
  }

  init(_ row: Row) throws {
    key = try row.get("plan")
    title = try row.get("title")
    description = try row.get("description")
    kind = Kind(rawValue: try row.get("kind")) ?? .custom
    tier = try row.get("tier")
    tierEntitlement = try row.getIfPresent("tier_entitlement")
    stars = try row.getIfPresent("stars")
    creditUnit = try row.get("credit_unit")
    creditsPerCycle = try row.getIfPresent("credits_per_cycle")
    rolloverCapCredits = try row.get("rollover_cap_credits")
    trialDays = try row.get("trial_days")
    trialCredits = try row.get("trial_credits")
    graceDays = try row.get("grace_days")
    isHidden = try row.get("is_hidden")
    position = try row.get("position")
    createdAt = try row.get("created_at")
    withdrawnAt = try row.getIfPresent("withdrawn_at")
    entitlements = try row.get("entitlements")
    let languages: [String] = try row.get("name_languages")
    let titles: [String] = try row.get("name_titles")
    let descriptions: [String] = try row.get("name_descriptions")
    names = zip(languages, zip(titles, descriptions)).map {
      ProductName(language: $0, title: $1.0, description: $1.1)
    }
  }

  /// All plans, withdrawn ones too, in the operator's order.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Plan] {
    try await pool.query(
      "\(select(in: scope)) order by p.withdrawn_at is not null, p.position, p.plan", in: scope
    ).map(Plan.init)
  }

  public static func find(
    _ key: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> Plan? {
    guard !key.contains("\0") else { return nil }
    return try await pool.query("\(select(in: scope)) and p.plan = \(key)", in: scope).first
      .map(Plan.init)
  }

  /// Of `plans p`, to be narrowed with `and`.
  static func select(in scope: WorkspaceScope) -> SQL {
    """
    select p.*, t.entitlement as tier_entitlement,
      array(select e.entitlement from plan_entitlements e
        join entitlements n using (workspace_id, entitlement)
        where e.workspace_id = p.workspace_id and e.plan = p.plan
        order by n.position, e.entitlement) as entitlements,
      array(\(names("language"))) as name_languages, array(\(names("title"))) as name_titles,
      array(\(names("description"))) as name_descriptions
    from plans p join tiers t using (workspace_id, tier)
    where p.workspace_id = \(scope.workspaceID)
    """
  }

  private static func names(_ column: SQL) -> SQL {
    """
    select \(column) from plan_names n
    where n.workspace_id = p.workspace_id and n.plan = p.plan order by n.language
    """
  }

  /// - Parameter language: As Telegram or a browser writes it; nil = as the plan was written.
  public func title(_ language: String?) -> String { names.name(in: language)?.title ?? title }

  public func description(_ language: String?) -> String {
    names.name(in: language)?.description ?? description
  }
}

extension Transaction {
  func plan(_ key: String, in scope: WorkspaceScope) async throws -> Plan? {
    try await query("\(Plan.select(in: scope)) and p.plan = \(key)").first.map(Plan.init)
  }
}
