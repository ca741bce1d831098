import Foundation
import Ledger
import Postgres

/// Which payments a list shows; nil = any.
public struct PaymentFilter: Sendable, Equatable {
  /// What became of a payment, as people say it.
  public enum Standing: String, Sendable, CaseIterable { case paid, refunding, refunded, unmatched }

  public var paid: Range<Date>?
  public var standing: Standing?
  public var product: Checkout.Product?
  /// Key of a pack or plan.
  public var sku: String?
  public var botID: Int64?
  public var customerID: Int64?
  public var chargeID: String?

  public init(
    paid: Range<Date>? = nil, standing: Standing? = nil, product: Checkout.Product? = nil,
    sku: String? = nil, botID: Int64? = nil, customerID: Int64? = nil, chargeID: String? = nil
  ) {
    (self.paid, self.standing, self.product) = (paid, standing, product)
    (self.sku, self.botID, self.customerID, self.chargeID) = (sku, botID, customerID, chargeID)
  }

  /// Of `payments p`, each part beginning with `and`.
  fileprivate var condition: SQL {
    var sql: SQL = ""
    if let paid {
      sql = "and p.paid_at >= \(paid.lowerBound) and p.paid_at < \(paid.upperBound)"
    }
    let refund: SQL = """
      (select from refunds r where r.workspace_id = p.workspace_id and r.bot_id = p.bot_id
        and r.charge_id = p.charge_id and r.state in ('approved', 'sending', 'unknown'))
      """
    switch standing {
    case .paid: sql = "\(sql) and p.state = 'credited' and not exists \(refund)"
    case .refunding: sql = "\(sql) and p.state <> 'refunded' and exists \(refund)"
    case .refunded: sql = "\(sql) and p.state = 'refunded'"
    case .unmatched: sql = "\(sql) and p.state = 'unmatched' and not exists \(refund)"
    case nil: break
    }
    // What nobody sold here has no product.
    if let product {
      sql = "\(sql) and p.product = \(product.rawValue) and p.sku is not null"
    }
    if let sku { sql = "\(sql) and p.sku = \(sku)" }
    if let botID { sql = "\(sql) and p.bot_id = \(botID)" }
    if let customerID { sql = "\(sql) and p.customer_id = \(customerID)" }
    if let chargeID { sql = "\(sql) and p.charge_id = \(chargeID)" }
    return sql
  }
}

extension Payment {
  /// The workspace's payments, newest first, older than the cursor.
  public static func recent(
    _ filter: PaymentFilter = PaymentFilter(), before: Cursor?, limit: Int,
    in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Payment] {
    let older: SQL = before.map { "and (paid_at, payment_id) < (\($0.paidAt), \($0.id))" } ?? ""
    return try await pool.query(
      """
      select \(columns) from payments p
      where p.workspace_id = \(scope.workspaceID) \(filter.condition) \(older)
      order by paid_at desc, payment_id desc limit \(limit)
      """, in: scope
    ).map(Payment.init)
  }

  /// A place in the list of payments; it survives new ones arriving.
  public struct Cursor: Sendable, Equatable {
    public let paidAt: Date
    public let id: Int64

    public var text: String { "\(Int64((paidAt.timeIntervalSince1970 * 1e6).rounded()))-\(id)" }

    public init(_ payment: Payment) {
      paidAt = payment.paidAt
      id = payment.id
    }

    public init?(_ text: String) {
      let parts = text.split(separator: "-").compactMap { Int64($0) }
      guard parts.count == 2 else { return nil }
      paidAt = Date(timeIntervalSince1970: Double(parts[0]) / 1e6)
      id = parts[1]
    }
  }
}
