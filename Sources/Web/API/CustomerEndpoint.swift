import EStars
import Foundation

/// `GET /v1/customers/{user}`: what this user has. A user nobody has seen yet has nothing, which is
/// an answer, not an error: the first check of a new user must not fail.
enum CustomerEndpoint {
  private struct Body: Encodable {
    let user: Int64
    let hasPurchased: Bool
    let balance: BalanceBody
    let access: [AccessBody]
    let tier: TierBody?
    /// Absent for whoever has none that runs.
    let subscription: SubscriptionBody?
    let quotas: [ActionQuotaBody]
  }

  private struct TierBody: Encodable {
    let key: String
    let title: String

    init(_ tier: Tier) {
      key = tier.key
      title = tier.title
    }
  }

  private struct ActionQuotaBody: Encodable {
    let action: String
    let period: String
    let limit: Int64
    let used: Int64
    let left: Int64
    /// Absent for a lifetime.
    let resetsAt: Date?

    init(_ bound: Quota.OfAction) {
      action = bound.action
      period = bound.quota.period.rawValue
      limit = bound.quota.limit
      used = bound.quota.used
      left = bound.quota.left
      resetsAt = bound.quota.resetsAt
    }
  }

  private struct BalanceBody: Encodable {
    let available: Int64
    let held: Int64
    let bySource: [String: Int64]
  }

  private struct AccessBody: Encodable {
    let entitlement: String
    /// Absent when it is for good.
    let endsAt: Date?
  }

  @Sendable static func show(_ call: BotCall) async throws -> Reply {
    let user = try UserID.parse(call.inbound.parameters["user"])
    try call.server.reads.count(user, by: call.key)
    let pool = call.platform.pool
    let customer = try await Customer.find(telegramID: user, in: call.scope, pool)
    async let tier = Tier.of(customer: customer?.id, in: call.scope, pool)
    async let quotas = Quota.of(customer: customer?.id, in: call.scope, pool)
    async let subscription = subscription(of: customer, call)
    let (balance, access) = try await holdings(customer, call)
    return try .json(
      Body(
        user: user, hasPurchased: customer?.hasPurchased ?? false, balance: balance,
        access: access, tier: try await tier.map(TierBody.init),
        subscription: try await subscription,
        quotas: try await quotas.map(ActionQuotaBody.init)))
  }

  private static func subscription(
    of customer: Customer?, _ call: BotCall
  ) async throws -> SubscriptionBody? {
    guard let customer else { return nil }
    let pool = call.platform.pool
    guard let current = try await Subscription.current(of: customer.id, in: call.scope, pool)
    else { return nil }
    return SubscriptionBody(current, title: try await current.title(for: customer, call))
  }

  private static func holdings(
    _ customer: Customer?, _ call: BotCall
  ) async throws -> (BalanceBody, [AccessBody]) {
    guard let customer else { return (BalanceBody(available: 0, held: 0, bySource: [:]), []) }
    let pool = call.platform.pool
    async let balance = Balance.of(customer: customer.id, in: call.scope, pool)
    async let access = ActiveAccess.of(customer: customer.id, in: call.scope, pool)
    let (credits, active) = (try await balance, try await access)
    return (
      BalanceBody(
        available: credits.available, held: credits.held,
        bySource: Dictionary(credits.lots.map { ($0.source, $0.left) }, uniquingKeysWith: +)),
      active.map {
        AccessBody(
          entitlement: $0.entitlement, endsAt: $0.endsAt == .distantFuture ? nil : $0.endsAt)
      }
    )
  }
}
