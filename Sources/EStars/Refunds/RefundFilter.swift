import Foundation
import Ledger
import Postgres

/// Which refund cases a list shows.
public struct RefundFilter: Sendable, Equatable {
  public enum Show: String, Sendable, CaseIterable {
    /// Those that a person is to decide or that do not get on; the longest waiting first.
    case waiting
    /// Decided, and not yet with the buyer.
    case underWay = "under_way"
    case closed, all
  }

  public var show: Show
  public var reason: Refund.Reason?
  public var source: Refund.Source?
  public var botID: Int64?
  public var customerID: Int64?

  public init(
    _ show: Show, reason: Refund.Reason? = nil, source: Refund.Source? = nil,
    botID: Int64? = nil, customerID: Int64? = nil
  ) {
    self.show = show
    self.reason = reason
    self.source = source
    self.botID = botID
    self.customerID = customerID
  }

  public var isOldestFirst: Bool { show == .waiting }

  fileprivate func condition(at: Date) -> SQL {
    let state: SQL =
      switch show {
      case .waiting: "and \(Refund.needsPerson(at: at))"
      case .underWay: "and state in ('approved', 'sending', 'unknown')"
      case .closed: "and state in ('confirmed', 'declined', 'goodwill')"
      case .all: ""
      }
    let reason: SQL = reason.map { "and reason = \($0.rawValue)" } ?? ""
    let source: SQL = source.map { "and source = \($0.rawValue)" } ?? ""
    let bot: SQL = botID.map { "and bot_id = \($0)" } ?? ""
    let customer: SQL = customerID.map { "and customer_id = \($0)" } ?? ""
    return "\(state) \(reason) \(source) \(bot) \(customer)"
  }
}

extension Refund {
  /// Cases that a person is to decide, and those that have been under way for too long.
  static func needsPerson(at: Date) -> SQL {
    let since = at.addingTimeInterval(-Limits.refundStuckSeconds)
    return """
      (state in ('requested', 'failed')
        or state in ('approved', 'sending', 'unknown') and state_at < \(since)
        or state in ('declined', 'goodwill') and proposed_by is not null)
      """
  }

  /// The workspace's cases, newest first; those that wait, oldest first.
  ///
  /// - Parameter id: A case's number; only those that come after it.
  public static func list(
    _ filter: RefundFilter, after id: Int64?, limit: Int, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Refund] {
    let isUp = filter.isOldestFirst
    let after: SQL = id.map { isUp ? "and refund_id > \($0)" : "and refund_id < \($0)" } ?? ""
    let order: SQL = isUp ? "asc" : "desc"
    return try await pool.query(
      """
      select * from refunds where workspace_id = \(scope.workspaceID)
        \(filter.condition(at: scope.now)) \(after)
      order by refund_id \(order) limit \(limit)
      """, in: scope
    ).map(Refund.init)
  }

  /// The payments of these cases, by charge.
  public static func payments(
    of refunds: [Refund], in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Charge: Payment] {
    let payments = try await pool.query(
      """
      select \(Payment.columns) from payments p where p.workspace_id = \(scope.workspaceID)
        and p.charge_id = any(\(refunds.map(\.chargeID)))
      """, in: scope
    ).map(Payment.init)
    return Dictionary(payments.map { ($0.charge, $0) }) { first, _ in first }
  }

  /// What the workspace's rule says about the refund of each of these payments now, by their numbers.
  public static func verdicts(
    on payments: [Payment], in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> [Int64: RefundVerdict] {
    guard !payments.isEmpty else { return [:] }
    let policy = try await RefundPolicy.load(in: scope, pool)
    let rows = try await pool.query(
      """
      select p.payment_id, p.paid_at, p.state <> 'unmatched' as is_credited,
        charge.granted, charge.used,
        \(RefundFacts.hasOther) as has_other
      from payments p
      cross join lateral (
        select coalesce(sum(c.amount), 0)::bigint as granted,
          coalesce(sum(c.used + c.held), 0)::bigint as used
        from ledger_charge(p.workspace_id, p.bot_id, p.charge_id) c) charge
      where p.workspace_id = \(scope.workspaceID)
        and p.payment_id = any(\(payments.map(\.id)))
      """, in: scope)
    return try Dictionary(
      uniqueKeysWithValues: rows.map { row in
        let facts = RefundFacts(
          paidAt: try row.get("paid_at"), isCredited: try row.get("is_credited"),
          granted: try row.get("granted"), used: try row.get("used"),
          hasOther: try row.get("has_other"))
        return (try row.get("payment_id"), policy.verdict(on: facts, at: scope.now))
      })
  }
}
