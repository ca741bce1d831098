import EStars
import Foundation

/// What checks, debits and holds have in common: the request's fields, and the answers that are no
/// success.
enum UsageRefusal {
  /// - Throws: ``Refusal`` for values that no workspace could allow.
  static func check(user: Int64, action: String, units: Int64?) throws -> CheckRequest {
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

  /// - Throws: ``Refusal``
  static func ref(_ text: String?) throws -> String? {
    guard let text else { return nil }
    guard text.utf8.count <= Limits.refBytes, !text.contains("\0") else {
      throw Refusal(
        .badRequest, "invalid_ref", "“ref” is at most \(Limits.refBytes) bytes of text.")
    }
    return text
  }

  static func unknownAction(_ check: CheckRequest) -> Refusal {
    Refusal(
      .unprocessableContent, "unknown_action", "This workspace has no action “\(check.action)”.")
  }

  static func tooManyUnits(_ check: CheckRequest) -> Refusal {
    Refusal(
      .unprocessableContent, "too_many_units",
      "The action “\(check.action)” does not sell \(check.units) units at once.")
  }

  /// What a debit or a hold answers that was declined.
  static func of(
    _ answer: UsageAnswer, _ check: CheckRequest, language: String?, _ call: BotCall
  ) async throws -> Refusal {
    switch answer.status {
    case .unknownAction: return unknownAction(check)
    case .tooManyUnits: return tooManyUnits(check)
    case .conflict: return .keyReused
    case .noAccess: return try noAccess(answer)
    case .quotaExceeded: return try quotaExceeded(answer, check, at: call.scope.now)
    default:
      var refusal = Refusal(
        .init(code: 402, reasonPhrase: "Payment Required"), "insufficient_credits",
        "The action costs \(answer.cost) and the user has \(answer.balance). Show the paywall.")
      let paywall = try await Paywall.load(for: check.telegramID, language: language, call)
      refusal.members = [
        "cost": Data("\(answer.cost)".utf8), "balance": Data("\(answer.balance)".utf8),
        "paywall": try JSON.encode(paywall),
      ]
      return refusal
    }
  }

  private static func noAccess(_ answer: UsageAnswer) throws -> Refusal {
    var refusal = Refusal(
      .forbidden, "no_access", "This action needs an entitlement that the user does not have.")
    refusal.members = ["entitlement": try JSON.encode(answer.entitlement ?? "")]
    return refusal
  }

  private static func quotaExceeded(
    _ answer: UsageAnswer, _ check: CheckRequest, at: Date
  ) throws -> Refusal {
    var refusal = Refusal(
      .tooManyRequests, "quota_exceeded",
      "The user's tier leaves no room for \(check.units) of “\(check.action)”.")
    guard let quota = answer.quota else { return refusal }
    refusal.members = ["quota": try JSON.encode(QuotaBody(quota))]
    // What is more than the whole quota does not fit after it was reset either.
    if let resetsAt = quota.resetsAt, check.units <= quota.limit {
      refusal.retryAfterSeconds = max(1, Int(resetsAt.timeIntervalSince(at).rounded(.up)))
    }
    return refusal
  }
}

/// A quota as bots see it.
struct QuotaBody: Encodable, SnakeCased {
  let period: String
  let limit: Int64
  let used: Int64
  let left: Int64
  /// Absent for a lifetime.
  let resetsAt: Date?

  enum CodingKeys: String, CodingKey {
    case period, limit, used, left
    case resetsAt = "resets_at"
  }

  init(_ quota: Quota) {
    period = quota.period.rawValue
    limit = quota.limit
    used = quota.used
    left = quota.left
    resetsAt = quota.resetsAt
  }
}
