import Foundation
import Ledger
import Postgres

/// A customer as the list shows one.
public struct CustomerSummary: Sendable, Equatable {
  public let customer: Customer
  public let balance: Int64
}

/// What one box finds: a Telegram id, an @username, a charge id, the number of a checkout or of a
/// customer, or what somebody typed of a name.
public struct CustomerLookup: Sendable, Equatable {
  /// What has exactly this id or @username.
  public enum Match: Sendable, Equatable {
    case customer(Customer)
    case payment(Payment)
    case checkout(Checkout)
  }

  public let matches: [Match]
  /// By name, the likeliest first.
  public let people: [CustomerSummary]
  /// Whether more people match than are here: a little more of the name narrows it.
  public let hasMore: Bool
  /// Nobody matches what was typed; `people` match when one letter is put right.
  public let isCorrected: Bool

  /// - Parameters:
  ///   - text: As it was typed; only its first ``Limits/searchTextCharacters`` count for names.
  ///   - limit: of people.
  public static func find(
    _ text: String, limit: Int = Limits.pageSize, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CustomerLookup {
    let text = text.replacing("\0", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    let names = CustomerNames(scope: scope, pool: pool, limit: limit)
    let query = NameQuery(text)
    let matches = try await matches(text, query, names, in: scope, pool)
    guard matches.isEmpty, !query.isEmpty else {
      return CustomerLookup(matches: matches, people: [], hasMore: false, isCorrected: false)
    }
    var found = try await names.matching(query)
    let isCorrected = found.isEmpty
    if isCorrected { found = try await names.spelledLike(query) }
    let people = try await Customer.summaries(Array(found.prefix(limit)), in: scope, pool)
    return CustomerLookup(
      matches: [], people: people, hasMore: found.count > limit,
      isCorrected: isCorrected && !found.isEmpty)
  }

  private static func matches(
    _ text: String, _ query: NameQuery, _ names: CustomerNames, in scope: WorkspaceScope,
    _ pool: Pool
  ) async throws -> [Match] {
    if let username = query.username {
      return try await names.named(username).map(Match.customer)
    }
    var matches = try await Payment.withCharge(text, in: scope, pool).map(Match.payment)
    guard let number = Int64(text), number > 0 else { return matches }
    let people = try await pool.query(
      """
      select * from customers where workspace_id = \(scope.workspaceID)
        and (telegram_id = \(number) or customer_id = \(number))
      order by telegram_id <> \(number)
      """, in: scope
    ).map(Customer.init)
    matches += people.map(Match.customer)
    if let checkout = try await Checkout.find(id: number, in: scope, pool) {
      matches.append(.checkout(checkout))
    }
    return matches
  }
}

extension Payment {
  /// The payments with this charge id: one a bot.
  static func withCharge(
    _ chargeID: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Payment] {
    guard (1...2048).contains(chargeID.utf8.count) else { return [] }
    return try await pool.query(
      """
      select \(columns) from payments p
      where p.workspace_id = \(scope.workspaceID) and p.charge_id = \(chargeID)
      order by p.payment_id limit 20
      """, in: scope
    ).map(Payment.init)
  }
}

extension Customer {
  /// All customers, newest first, older than `before` (a customer's number).
  public static func list(
    before: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [CustomerSummary] {
    try await summaries(
      pool.query(
        """
        select * from customers where workspace_id = \(scope.workspaceID)
          and customer_id < \(before ?? .max)
        order by customer_id desc limit \(limit)
        """, in: scope
      ).map(Customer.init), in: scope, pool)
  }

  static func summaries(
    _ customers: [Customer], in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [CustomerSummary] {
    let balances = try await pool.query(
      """
      select account_id, balance from accounts where workspace_id = \(scope.workspaceID)
        and account_id = any(\(customers.map(\.id))) and unit = 1
      """, in: scope
    ).map { (try $0.get("account_id", as: Int64.self), try $0.get("balance", as: Int64.self)) }
    let byAccount = Dictionary(balances) { first, _ in first }
    return customers.map { CustomerSummary(customer: $0, balance: byAccount[$0.id] ?? 0) }
  }

  /// The customers of these numbers, by number.
  public static func named(
    _ ids: [Int64], in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64: Customer] {
    let rows = try await pool.query(
      """
      select * from customers where workspace_id = \(scope.workspaceID)
        and customer_id = any(\(Array(Set(ids))))
      """, in: scope
    ).map(Customer.init)
    return Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
  }
}
