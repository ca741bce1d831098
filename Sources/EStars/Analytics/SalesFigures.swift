import Foundation
import Ledger
import Postgres

/// What was paid and what went back. A refund counts on the day on which the Stars went back.
public struct SalesFigures: Sendable, Equatable {
  public var payments: Int64
  public var stars: Int64
  /// Of the payments, those that were a customer's first.
  public var firstPurchases: Int64
  public var refunds: Int64
  public var starsRefunded: Int64

  public var net: Int64 { stars - starsRefunded }

  public static let none = SalesFigures(
    payments: 0, stars: 0, firstPurchases: 0, refunds: 0, starsRefunded: 0)

  private static let sums: SQL = """
    coalesce(sum(payments), 0)::bigint as payments, coalesce(sum(stars), 0)::bigint as stars,
    coalesce(sum(first_purchases), 0)::bigint as first_purchases,
    coalesce(sum(refunds), 0)::bigint as refunds,
    coalesce(sum(stars_refunded), 0)::bigint as stars_refunded
    """

  private init(_ row: Row) throws {
    self.init(
      payments: try row.get("payments"), stars: try row.get("stars"),
      firstPurchases: try row.get("first_purchases"), refunds: try row.get("refunds"),
      starsRefunded: try row.get("stars_refunded"))
  }

  public init(
    payments: Int64, stars: Int64, firstPurchases: Int64, refunds: Int64, starsRefunded: Int64
  ) {
    (self.payments, self.stars, self.firstPurchases) = (payments, stars, firstPurchases)
    (self.refunds, self.starsRefunded) = (refunds, starsRefunded)
  }

  /// - Parameter days: nil = since the beginning.
  public static func total(
    _ days: ClosedRange<Day>?, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> SalesFigures {
    let narrowed: SQL = days.map { "and \($0.covers("day"))" } ?? ""
    return try SalesFigures(
      try await pool.query(
        "select \(sums) from sale_days where workspace_id = \(scope.workspaceID) \(narrowed)",
        in: scope)[0])
  }

  /// Days without any are left out.
  public static func byDay(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Day: SalesFigures] {
    let rows = try await pool.query(
      """
      select day::text as day, \(sums) from sale_days
      where workspace_id = \(scope.workspaceID) and \(days.covers("day")) group by day
      """, in: scope)
    return Dictionary(
      try rows.map { (try $0.day("day"), try SalesFigures($0)) }, uniquingKeysWith: { $1 })
  }

  /// By the bots that sold, their numbers as keys.
  public static func byBot(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64: SalesFigures] {
    let rows = try await pool.query(
      """
      select bot_id, \(sums) from sale_days
      where workspace_id = \(scope.workspaceID) and \(days.covers("day")) group by bot_id
      """, in: scope)
    return Dictionary(
      try rows.map { (try $0.get("bot_id"), try SalesFigures($0)) }, uniquingKeysWith: { $1 })
  }

  /// By where the buyers came from; empty = nobody said.
  public static func bySource(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [String: SalesFigures] {
    let rows = try await pool.query(
      """
      select traffic_source, \(sums) from sale_days
      where workspace_id = \(scope.workspaceID) and \(days.covers("day")) group by traffic_source
      """, in: scope)
    return Dictionary(
      try rows.map { (try $0.get("traffic_source"), try SalesFigures($0)) },
      uniquingKeysWith: { $1 })
  }

  /// One pack or plan.
  public struct OfProduct: Sendable, Equatable {
    /// nil: what nobody sold here.
    public let product: Checkout.Product?
    public let sku: String
    /// As it is called now.
    public let title: String?
    public let figures: SalesFigures
  }

  /// What brought most first.
  public static func byProduct(
    _ days: ClosedRange<Day>, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [OfProduct] {
    try await pool.query(
      """
      select s.*, case s.product
          when 'pack' then (select p.title from packs p
            where p.workspace_id = \(scope.workspaceID) and p.sku = s.sku)
          when 'plan' then (select p.title from plans p
            where p.workspace_id = \(scope.workspaceID) and p.plan = s.sku)
        end as title
      from (
        select product, sku, \(sums) from sale_days
        where workspace_id = \(scope.workspaceID) and \(days.covers("day"))
        group by product, sku) s
      order by s.stars - s.stars_refunded desc, s.sku limit \(limit)
      """, in: scope
    ).map { row in
      OfProduct(
        product: Checkout.Product(rawValue: try row.get("product")), sku: try row.get("sku"),
        title: try row.getIfPresent("title"), figures: try SalesFigures(row))
    }
  }
}
