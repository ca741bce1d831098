import Foundation
import Ledger
import Postgres

/// A customer who stands on top of the last days, as a job counted it now and then.
public struct CustomerTop: Sendable, Equatable {
  public enum Measure: String, Sendable, CaseIterable {
    /// Stars paid less Stars refunded.
    case netStars = "net_stars"
    case creditsUsed = "credits_used"
    /// What their uses cost the operator beyond what was paid for the credits, in millionths of the
    /// workspace's currency.
    case loss
  }

  /// Days up to today that are counted; 0 = all time.
  public static let windows = [1, 7, 30, 90, 0]

  public let measure: Measure
  public let customerID: Int64
  public let amount: Int64
  public let countedAt: Date

  /// The highest first.
  ///
  /// - Parameter days: One of ``windows``.
  public static func all(
    days: Int, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Measure: [CustomerTop]] {
    let tops = try await pool.query(
      """
      select measure, customer_id, amount, counted_at from customer_tops
      where workspace_id = \(scope.workspaceID) and days = \(days) and rank <= \(limit)
      order by measure, rank
      """, in: scope
    ).compactMap { row -> CustomerTop? in
      guard let measure = Measure(rawValue: try row.get("measure")) else { return nil }
      return CustomerTop(
        measure: measure, customerID: try row.get("customer_id"), amount: try row.get("amount"),
        countedAt: try row.get("counted_at"))
    }
    return Dictionary(grouping: tops, by: \.measure)
  }
}
