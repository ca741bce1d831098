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
    guard let customer = try await Customer.find(telegramID: user, in: call.scope, pool) else {
      return try .json(
        Body(
          user: user, hasPurchased: false,
          balance: BalanceBody(available: 0, held: 0, bySource: [:]), access: []))
    }
    async let balance = Balance.of(customer: customer.id, in: call.scope, pool)
    async let access = AccessGrant.of(customer: customer.id, in: call.scope, pool)
    let (credits, grants) = (try await balance, try await access)
    let now = call.scope.now
    return try .json(
      Body(
        user: user, hasPurchased: customer.hasPurchased,
        balance: BalanceBody(
          available: credits.available, held: credits.held,
          bySource: Dictionary(credits.lots.map { ($0.source, $0.left) }, uniquingKeysWith: +)),
        access: grants.filter { $0.isActive(at: now) }.map {
          AccessBody(
            entitlement: $0.entitlement, endsAt: $0.endsAt == .distantFuture ? nil : $0.endsAt)
        }))
  }
}
