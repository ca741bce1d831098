import Foundation
import Ledger
import Postgres

/// How checkouts ended, by the day of each step.
public struct CheckoutFigures: Sendable, Equatable {
  public struct Reason: Sendable, Equatable {
    public let state: Checkout.State
    /// A code.
    public let reason: String
    public let checkouts: Int64

    public init(state: Checkout.State, reason: String, checkouts: Int64) {
      (self.state, self.reason, self.checkouts) = (state, reason, checkouts)
    }
  }

  public let opened: Int64
  /// Paid and booked.
  public let completed: Int64
  /// Refused before the payment, and payments that could not be booked; the most frequent first.
  public let failures: [Reason]
  /// Over without a payment.
  public let unpaid: Int64

  public var failed: Int64 { failures.reduce(0) { $0 + $1.checkouts } }
  /// Tries to pay: those that Telegram asked about and that came to an end.
  public var tries: Int64 { completed + failed }

  public init(opened: Int64, completed: Int64, failures: [Reason], unpaid: Int64) {
    (self.opened, self.completed) = (opened, completed)
    (self.failures, self.unpaid) = (failures, unpaid)
  }

  public static func load(
    _ days: ClosedRange<Day>, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> CheckoutFigures {
    let steps = try await pool.query(
      """
      select state, reason, sum(checkouts)::bigint as checkouts from checkout_days
      where workspace_id = \(scope.workspaceID) and \(days.covers("day"))
      group by state, reason order by sum(checkouts) desc, state, reason
      """, in: scope
    ).compactMap { row -> Reason? in
      guard let state = Checkout.State(rawValue: try row.get("state")) else { return nil }
      return Reason(
        state: state, reason: try row.get("reason"), checkouts: try row.get("checkouts"))
    }
    func sum(_ states: Checkout.State...) -> Int64 {
      steps.filter { states.contains($0.state) }.reduce(0) { $0 + $1.checkouts }
    }
    return CheckoutFigures(
      opened: sum(.pending), completed: sum(.completed),
      failures: steps.filter { [.rejected, .failed].contains($0.state) },
      unpaid: sum(.expired, .cancelled))
  }
}
