import EStars
import Foundation

/// `POST /v1/checks`: may this user run this action now? Changes nothing.
enum CheckEndpoint {
  private struct Request: Decodable, SnakeCased {
    let user: Int64
    let action: String
    let units: Int64?
  }

  private struct Body: Encodable, SnakeCased {
    let allowed: Bool
    let reason: String
    let user: Int64
    let action: String
    let units: Int64
    let cost: Int64
    let balance: Int64
    let paywall: Paywall?
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let sent = try call.inbound.json(Request.self)
    let request = try Self.request(user: sent.user, action: sent.action, units: sent.units)
    let answer = try await call.platform.usage.check(request, in: call.scope)
    try refuseUnknown(answer, request)
    let isShort = answer.status == .insufficient
    return try .json(
      Body(
        allowed: answer.status == .allowed,
        reason: isShort ? "insufficient_credits" : answer.status.rawValue, user: request.telegramID,
        action: request.action, units: request.units, cost: answer.cost, balance: answer.balance,
        paywall: isShort ? try await Paywall.load(for: request.telegramID, call) : nil))
  }

  /// - Throws: ``Refusal`` for values that no workspace could allow.
  static func request(user: Int64, action: String, units: Int64?) throws -> CheckRequest {
    let units = units ?? 1
    guard units > 0, units <= Int64(Limits.units) else {
      throw Refusal(
        .badRequest, "invalid_units", "“units” is a whole number from 1 to \(Limits.units).")
    }
    guard !action.isEmpty, action.utf8.count <= 48, !action.contains("\0") else {
      throw Refusal(.badRequest, "invalid_action", "“action” is the key of one of your actions.")
    }
    return CheckRequest(telegramID: try UserID.check(user), action: action, units: units)
  }

  static func refuseUnknown(_ answer: UsageAnswer, _ request: CheckRequest) throws {
    if answer.status == .unknownAction {
      throw Refusal(
        .unprocessableContent, "unknown_action",
        "This workspace has no action “\(request.action)”.")
    }
    if answer.status == .tooManyUnits {
      throw Refusal(
        .unprocessableContent, "too_many_units",
        "The action “\(request.action)” does not sell \(request.units) units at once.")
    }
  }
}
