import Foundation
import Ledger
import Postgres

/// A customer as the list shows one.
public struct CustomerSummary: Sendable, Equatable {
  public let customer: Customer
  public let balance: Int64
}

extension Customer {
  /// Finds customers by a part of the name or username, by Telegram id or by charge id; without a
  /// text, all of them. Newest first, older than `before` (a customer id).
  public static func search(
    _ text: String, before: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [CustomerSummary] {
    let text = String(
      text.trimmingCharacters(in: .whitespacesAndNewlines).prefix(512)
    ).replacing("\0", with: "")
    let exact = before == nil ? try await exactly(text, in: scope, pool) : []
    if !exact.isEmpty { return try await summaries(exact, in: scope, pool) }
    let older: SQL = before.map { "and customer_id < \($0)" } ?? ""
    let rows =
      text.isEmpty
      ? try await pool.query(
        """
        select * from customers where workspace_id = \(scope.workspaceID) \(older)
        order by customer_id desc limit \(limit)
        """, in: scope)
      : try await pool.query(
        "select * from customer_search(\(pattern(text)), \(before), \(limit))", in: scope)
    return try await summaries(rows.map(Customer.init), in: scope, pool)
  }

  /// The customer with this Telegram id, and those who paid a charge of this id.
  private static func exactly(
    _ text: String, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Customer] {
    guard !text.isEmpty else { return [] }
    let telegramID = Int64(text) ?? 0
    return try await pool.query(
      """
      select * from customers c where c.workspace_id = \(scope.workspaceID)
        and (c.telegram_id = \(telegramID) or c.customer_id in (
          select p.customer_id from payments p where p.workspace_id = \(scope.workspaceID)
            and p.charge_id = \(text)))
      order by c.customer_id desc limit 50
      """, in: scope
    ).map(Customer.init)
  }

  /// What a person types, as a LIKE pattern in which nothing but the text itself counts.
  static func pattern(_ text: String) -> String {
    let folded = fold(String(text.prefix(Limits.searchTextCharacters)))
    let escaped = folded.replacing("\\", with: "\\\\").replacing("%", with: "\\%")
      .replacing("_", with: "\\_")
    return "%\(escaped)%"
  }

  private static func summaries(
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
