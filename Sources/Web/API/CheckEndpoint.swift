import EStars
import Foundation

/// `POST /v1/checks`: may this user run this action now? Changes nothing.
enum CheckEndpoint {
  private struct Request: Decodable, SnakeCased {
    let user: Int64
    let action: String
    let units: Int64?
    let language: String?
  }

  private struct Body: Encodable, SnakeCased {
    let allowed: Bool
    let reason: String
    let user: Int64
    let action: String
    let units: Int64
    let cost: Int64
    let balance: Int64
    let tier: String?
    let freeUnits: Int64
    let quota: QuotaBody?
    let entitlement: String?
    let paywall: Paywall?

    enum CodingKeys: String, CodingKey {
      case allowed, reason, user, action, units, cost, balance, tier, quota, entitlement, paywall
      case freeUnits = "free_units"
    }
  }

  private static func reason(_ status: UsageStatus) -> String {
    switch status {
    case .insufficient: "insufficient_credits"
    case .accepted: "outage"
    default: status.rawValue
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let sent = try call.inbound.json(Request.self)
    let check = try UsageRefusal.check(user: sent.user, action: sent.action, units: sent.units)
    let answer = try await call.platform.usage.check(check, in: call.scope)
    if answer.status == .unknownAction { throw UsageRefusal.unknownAction(check) }
    if answer.status == .tooManyUnits { throw UsageRefusal.tooManyUnits(check) }
    let counted = answer.isKnown == false ? call.server.strangers : call.server.checks
    try counted.count(check.telegramID, by: call.key)
    let isStopped = try await SuspendedUse.stops(check.action, call)
    let isShort = answer.status == .insufficient && !isStopped
    let isAllowed = answer.status == .allowed || answer.status == .accepted
    return try .json(
      Body(
        allowed: isAllowed && !isStopped,
        reason: isStopped ? "suspended" : reason(answer.status), user: check.telegramID,
        action: check.action, units: check.units, cost: answer.cost, balance: answer.balance,
        tier: answer.tier, freeUnits: answer.freeUnits, quota: answer.quota.map(QuotaBody.init),
        entitlement: answer.entitlement,
        paywall: isShort
          ? try await Paywall.load(for: check.telegramID, language: sent.language, call) : nil))
  }
}
