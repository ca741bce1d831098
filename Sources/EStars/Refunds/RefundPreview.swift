import Foundation
import Ledger
import Postgres

/// What refunding a payment would do, read from the ledger at this moment.
public struct RefundPreview: Sendable, Equatable {
  /// A lot of the charge and what becomes of its credits.
  public struct Lot: Sendable, Equatable {
    public let id: Int64
    public let source: LotSource
    public let granted: Int64
    /// Goes back to the workspace: what is left, or held for this refund already.
    public let taken: Int64
    public let used: Int64
    /// In open holds for work that runs.
    public let held: Int64
    public let expired: Int64
  }

  /// Stars that the buyer gets back: always the whole payment, Telegram knows no part of it.
  public let stars: Int64
  public let lots: [Lot]
  public let policy: DebtPolicy
  /// Credits free to spend, now and afterwards; negative is debt.
  public let balanceBefore: Int64
  public let balanceAfter: Int64
  /// Entitlements that end with it.
  public let endingAccess: [AccessGrant]
  public let verdict: RefundVerdict

  public var taken: Int64 { lots.reduce(0) { $0 + $1.taken } }
  public var used: Int64 { lots.reduce(0) { $0 + $1.used } }
  public var held: Int64 { lots.reduce(0) { $0 + $1.held } }
  public var expired: Int64 { lots.reduce(0) { $0 + $1.expired } }
  /// Used credits that nobody gives back.
  public var forgiven: Int64 { policy == .forgive ? used : 0 }
  /// Used credits that the customer loses from elsewhere, or owes.
  public var owed: Int64 { policy == .debt ? used + held : 0 }

  /// What the reader of this preview agreed to. It changes with every figure of the charge, not
  /// with what the customer does elsewhere.
  public var fingerprint: String {
    "\(stars)-\(taken)-\(used)-\(held)-\(expired)-\(policy.rawValue)-\(endingAccess.count)"
  }

  public static func of(
    _ payment: Payment, in scope: WorkspaceScope, _ pool: Pool
  ) async throws -> RefundPreview {
    try await pool.transaction(in: scope) { tx in
      try await tx.refundPreview(of: payment, in: scope, at: scope.now)
    }
  }
}

extension Transaction {
  func refundPreview(
    of payment: Payment, in scope: WorkspaceScope, at: Date
  ) async throws -> RefundPreview {
    let rows = try await query(
      """
      select * from ledger_charge(\(scope.workspaceID), \(payment.botID), \(payment.chargeID))
      """)
    let lots = try rows.map { try RefundPreview.Lot($0, at: at) }
    let unit = try rows.first?.get("unit", as: Int16.self) ?? 1
    let before =
      try await query(
        "select balance from ledger_balance(\(scope.workspaceID), \(payment.customerID), \(unit), \(at))"
      ).first?.get("balance", as: Int64.self) ?? 0
    let rule = try await refundPolicy(in: scope)
    let policy = rule.debtPolicy
    let access = try await query(
      """
      select g.*, e.title from access_grants g join entitlements e using (workspace_id, entitlement)
      where g.workspace_id = \(scope.workspaceID) and g.ended_at is null and g.ends_at > \(at)
        and (g.bot_id = \(payment.botID) and g.charge_id = \(payment.chargeID)
          or g.customer_id = \(payment.customerID) and g.subscription_id = \(payment.subscriptionID)
            and not exists (select from subscription_cycles c
              where c.workspace_id = g.workspace_id and c.subscription_id = g.subscription_id
                and c.cycle <> \(payment.chargeID) and c.refunded_at is null
                and c.ends_at > \(at)))
      order by g.access_grant_id
      """
    ).map(AccessGrant.init)
    let used = lots.reduce(0) { $0 + $1.used }
    let held = lots.reduce(0) { $0 + $1.held }
    let hasOther = try await query(
      """
      select \(RefundFacts.hasOther) as has_other from payments p
      where p.workspace_id = \(scope.workspaceID) and p.payment_id = \(payment.id)
      """
    ).first?.get("has_other", as: Bool.self)
    let facts = RefundFacts(
      paidAt: payment.paidAt, isCredited: payment.state != .unmatched,
      granted: lots.reduce(0) { $0 + $1.granted }, used: used + held, hasOther: hasOther ?? false)
    // What is held for this refund has left the balance already.
    let left = try rows.reduce(Int64(0)) { sum, row in
      let isDue = try row.get("expires_at", as: Date.self) <= at
      return sum + (isDue ? 0 : try row.get("amount_left", as: Int64.self))
    }
    return RefundPreview(
      stars: payment.stars, lots: lots, policy: policy, balanceBefore: before,
      balanceAfter: before - left - (policy == .debt ? used + held : 0), endingAccess: access,
      verdict: rule.verdict(on: facts, at: at))
  }

  /// Read with the refund itself: a cached policy could be the one before the last change.
  func refundDebtPolicy(in scope: WorkspaceScope) async throws -> DebtPolicy {
    let text = try await query(
      "select refund_debt_policy from workspaces where workspace_id = \(scope.workspaceID)"
    ).first?.get("refund_debt_policy", as: String.self)
    return text.flatMap(DebtPolicy.init(rawValue:)) ?? .forgive
  }
}

extension RefundPreview.Lot {
  /// A lot that has expired counts as expired, whether or not a job has booked it yet.
  fileprivate init(_ row: Row, at: Date) throws {
    let isDue = try row.get("expires_at", as: Date.self) <= at
    let left: Int64 = try row.get("amount_left")
    id = try row.get("lot_id")
    source = try row.get("source")
    granted = try row.get("amount")
    taken = try (isDue ? 0 : left) + row.get("refund_held", as: Int64.self)
    used = try row.get("used")
    held = try row.get("held")
    expired = try row.get("expired") + (isDue ? left : 0)
  }
}
