import Foundation
import Ledger
import Postgres

extension Transaction {
  /// The paid lot of a cycle. It lives as long as access does.
  func creditCycle(
    _ payment: Payment, _ subscription: Subscription, until periodEnd: Date,
    _ checkout: Checkout, in scope: WorkspaceScope, at: Date
  ) async throws {
    guard checkout.credits > 0 else { return }
    let end = periodEnd.addingTimeInterval(Double(subscription.graceDays) * 86_400)
    let answer = try await credit(
      Grant(
        checkout.credits, source: .subscription, charge: payment.charge, isPaid: true,
        expiresAt: max(end, at.addingTimeInterval(Limits.lateCycleSeconds)),
        stars: payment.stars),
      to: Account(payment.customerID, unit: checkout.creditUnit),
      key: "charge:\(payment.botID):\(payment.chargeID):paid", in: scope, at: at)
    guard answer.status == .applied else {
      throw PaymentProblem.posting("cycle's", answer.status)
    }
  }

  /// A new cycle has begun, or an old one was paid late: what is left of all cycles but the newest
  /// goes on with it up to the cap. That the Stars of the newest went back changes nothing of it,
  /// whenever that becomes known.
  ///
  /// - Parameter cap: nil = all of it, on an upgrade.
  func carryOver(
    _ payment: Payment, _ subscription: Subscription, cap: Int64?, in scope: WorkspaceScope,
    at: Date
  ) async throws {
    let cycles = try await query(
      """
      select s.bot_id, c.charge_id, c.ends_at, c.subscription_id
      from subscription_cycles c
      join subscriptions s using (workspace_id, subscription_id)
      where c.workspace_id = \(scope.workspaceID) and s.customer_id = \(payment.customerID)
        and s.credit_unit = \(subscription.creditUnit) and c.charge_id is not null
        and (s.subscription_id = \(subscription.id) or s.state in ('expired', 'replaced'))
      order by c.subscription_id = \(subscription.id) desc, c.ends_at desc, c.charge_id
      """)
    guard cycles.count > 1, let newest = cycles.first else { return }
    let until = try newest.get("ends_at", as: Date.self)
      .addingTimeInterval(Double(subscription.graceDays) * 86_400)
    guard until > at else { return }
    let answer = try await carry(
      cycles.dropFirst().map {
        Charge(botID: try $0.get("bot_id"), chargeID: try $0.get("charge_id"))
      }, of: Account(payment.customerID, unit: subscription.creditUnit), cap: cap, until: until,
      key: "charge:\(payment.botID):\(payment.chargeID):carry", in: scope, at: at)
    // Credits that were missing may be posted after what their payment carried.
    guard [.applied, .none, .replayed].contains(answer.status) else {
      throw PaymentProblem(description: "what is carried was answered \(answer.status.rawValue)")
    }
    guard let carried = answer.carried, carried > 0 else { return }
    try await execute(
      """
      update subscription_cycles set carried_credits = carried_credits + \(carried)
      where workspace_id = \(scope.workspaceID) and subscription_id = \(subscription.id)
        and cycle = \(try newest.get("charge_id", as: String.self))
      """)
  }
}
