import Foundation
import Ledger
import Postgres

/// When an unpaid checkout counts as an abandoned cart, and what is done about it.
public struct CartSettings: Sendable, Equatable {
  /// Open for longer than this.
  public var minutes: Int
  /// Whether the buyer is reminded, once.
  public var reminds: Bool
  /// The hidden discount that the reminder offers; 0 = the same price.
  public var discountPercent: Int
  /// Whether the alert chats are told.
  public var alerts: Bool

  public init(minutes: Int, reminds: Bool, discountPercent: Int, alerts: Bool) {
    self.minutes = minutes
    self.reminds = reminds
    self.discountPercent = discountPercent
    self.alerts = alerts
  }

  private init(_ row: Row) throws {
    self.init(
      minutes: try row.get("cart_minutes"), reminds: try row.get("cart_reminds"),
      discountPercent: try row.get("cart_discount_percent"), alerts: try row.get("cart_alerts"))
  }

  private static let columns: SQL = """
    cart_minutes, cart_reminds, cart_discount_percent, cart_alerts
    """

  public static func load(in scope: WorkspaceScope, _ pool: Pool) async throws -> CartSettings {
    let row = try await pool.query(
      "select \(columns) from workspaces where workspace_id = \(scope.workspaceID)"
    )[0]
    return try CartSettings(row)
  }

  /// Puts these in the place of what there is.
  public func keep(by actor: Actor, in scope: WorkspaceScope, _ pool: Pool) async throws {
    try await pool.transaction(in: scope) { tx in
      let known = try await tx.query(
        """
        select \(Self.columns) from workspaces where workspace_id = \(scope.workspaceID)
        for no key update
        """)[0]
      let (before, after) = (try CartSettings(known).facts, facts)
      guard before != after else { return }
      try await tx.execute(
        """
        update workspaces set cart_minutes = \(minutes), cart_reminds = \(reminds),
          cart_discount_percent = \(discountPercent), cart_alerts = \(alerts)
        where workspace_id = \(scope.workspaceID)
        """)
      func changed(_ facts: [String: String]) -> [String: String] {
        facts.filter { before[$0.key] != after[$0.key] }
      }
      try await tx.audit(
        actor, "carts.edited", "carts", "", before: changed(before), after: changed(after),
        in: scope, at: scope.now)
    }
  }

  private var facts: [String: String] {
    [
      "minutes": String(minutes), "reminds": String(reminds),
      "discount_percent": String(discountPercent), "alerts": String(alerts),
    ]
  }

  /// The discounts that packs on sale have, smallest first.
  public static func discounts(in scope: WorkspaceScope, _ pool: Pool) async throws -> [Int] {
    try await pool.query(
      """
      select distinct discount_percent::int as percent from packs
      where workspace_id = \(scope.workspaceID) and base_sku is not null and withdrawn_at is null
        and discount_percent between 1 and 90
      order by 1
      """, in: scope
    ).map { try $0.get("percent") }
  }
}
