import Foundation
import Ledger
import Postgres

/// A rank of customers, with rules of its own. A customer is in the highest tier whose entitlement
/// runs; the base tier needs none.
public struct Tier: Sendable, Equatable {
  public let key: String
  public let title: String
  /// nil: the base tier.
  public let entitlement: String?
  /// 0 is the base tier; a higher one comes before a lower one.
  public let position: Int

  public var isBase: Bool { entitlement == nil }

  init(_ row: Row) throws {
    key = try row.get("tier")
    title = try row.get("title")
    entitlement = try row.getIfPresent("entitlement")
    position = try row.get("position")
  }

  /// Lowest first.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Tier] {
    try await pool.query(select(in: scope), in: scope).map(Tier.init)
  }

  static func select(in scope: WorkspaceScope) -> SQL {
    """
    select tier, title, entitlement, position from tiers
    where workspace_id = \(scope.workspaceID) order by position, tier
    """
  }
}

/// A feature that packs grant and rules ask for.
public struct Entitlement: Sendable, Equatable {
  public let key: String
  public let title: String
  public let position: Int
  /// Titles of the packs on sale that grant it.
  public let packs: [String]

  init(_ row: Row) throws {
    key = try row.get("entitlement")
    title = try row.get("title")
    position = try row.get("position")
    packs = try row.get("packs")
  }

  /// In the operator's order.
  public static func all(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Entitlement] {
    try await pool.query(
      """
      select e.entitlement, e.title, e.position, array(
          select p.title from pack_entitlements t join packs p using (workspace_id, sku)
          where t.workspace_id = e.workspace_id and t.entitlement = e.entitlement
            and p.base_sku is null and p.withdrawn_at is null
          order by p.position, p.sku) as packs
      from entitlements e where e.workspace_id = \(scope.workspaceID)
      order by e.position, e.entitlement
      """, in: scope
    ).map(Entitlement.init)
  }
}
