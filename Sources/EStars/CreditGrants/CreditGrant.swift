import Foundation
import Ledger
import Postgres

/// Credits that a person of the team gave a customer. The ledger knows the amount; who gave it and
/// why stands here alone, so that it can be erased with its customer.
public struct CreditGrant: Sendable, Equatable {
  public enum Source: String, Sendable, CaseIterable {
    case goodwill, promo
    /// An opening balance.
    case adjustment

    /// Who may give it, or a higher role.
    public var neededRole: Role { self == .goodwill ? .support : .manager }
    var lotSource: LotSource {
      switch self {
      case .goodwill: .goodwill
      case .promo: .promo
      case .adjustment: .adjustment
      }
    }
  }

  public let id: Int64
  public let customerID: Int64
  public let unit: Int16
  public let source: Source
  public let credits: Int64
  public let reason: String
  let formKey: String
  /// An operator's e-mail address.
  public let grantedBy: String
  public let grantedAt: Date

  init(_ row: Row) throws {
    id = try row.get("credit_grant_id")
    customerID = try row.get("customer_id")
    unit = try row.get("credit_unit")
    source = Source(rawValue: try row.get("source")) ?? .adjustment
    credits = try row.get("credits")
    reason = try row.get("reason")
    formKey = try row.get("form_key")
    grantedBy = try row.get("granted_by")
    grantedAt = try row.get("created_at")
  }

  /// The ledger's key of a grant.
  static func postingKey(_ formKey: String) -> String { "grant:" + formKey }

  public static func find(
    id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CreditGrant? {
    try await pool.query(
      """
      select * from credit_grants
      where workspace_id = \(scope.workspaceID) and credit_grant_id = \(id)
      """, in: scope
    ).first.map(CreditGrant.init)
  }

  /// The grants behind postings with these keys, by the posting's key; other keys have none.
  public static func byPosting(
    _ keys: [String], in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [String: CreditGrant] {
    let prefix = postingKey("")
    let formKeys = keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    if formKeys.isEmpty { return [:] }
    let grants = try await pool.query(
      """
      select * from credit_grants
      where workspace_id = \(scope.workspaceID) and form_key = any(\(formKeys))
      """, in: scope
    ).map(CreditGrant.init)
    return Dictionary(grants.map { (postingKey($0.formKey), $0) }) { first, _ in first }
  }
}

/// How much goodwill a customer may still get from the role `support`.
public struct GoodwillRoom: Sendable, Equatable {
  /// For one customer, in credits.
  public let cap: Int64
  /// What the customer got as goodwill in the last ``Limits/goodwillCapSeconds``, from anybody, in
  /// grants and in refund cases.
  public let given: Int64
  public var left: Int64 { max(0, cap - given) }

  public static func of(
    customer id: Int64, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> GoodwillRoom {
    try await pool.transaction(in: scope) { tx in
      try await tx.goodwillRoom(of: id, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  func goodwillRoom(
    of customer: Int64, in scope: WorkspaceScope, at: Date
  ) async throws -> GoodwillRoom {
    let since = at.addingTimeInterval(-Double(Limits.goodwillCapSeconds))
    let row = try await query(
      """
      select w.goodwill_cap_credits as cap, (
          select coalesce(sum(l.amount), 0)::bigint from lots l
          join entries e on e.workspace_id = l.workspace_id and e.account_id = l.account_id
            and e.unit = l.unit and e.version = l.lot_id
          where l.workspace_id = \(scope.workspaceID) and l.account_id = \(customer)
            and l.source = 'goodwill' and e.created_at > \(since)) as given
      from workspaces w where w.workspace_id = \(scope.workspaceID)
      """)[0]
    return GoodwillRoom(cap: try row.get("cap"), given: try row.get("given"))
  }
}
