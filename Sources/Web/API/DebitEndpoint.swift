import EStars
import Foundation

/// `POST /v1/debits`: the user pays for an action. The price is the action's, never the caller's.
enum DebitEndpoint {
  private struct Request: Decodable, SnakeCased {
    let user: Int64
    let action: String
    let units: Int64?
    let ref: String?
  }

  private struct Body: Encodable, SnakeCased {
    let debit: Debit

    struct Debit: Encodable {
      let user: Int64
      let action: String
      let units: Int64
      let cost: Int64
      let balance: Int64
      let ref: String?
      let version: Int64?
      let createdAt: Date?

      enum CodingKeys: String, CodingKey {
        case user, action, units, cost, balance, ref, version
        case createdAt = "created_at"
      }
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let sent = try call.inbound.json(Request.self)
    let ref = try Self.ref(sent.ref)
    let check = try CheckEndpoint.request(user: sent.user, action: sent.action, units: sent.units)
    let answer = try await call.platform.usage.debit(
      DebitRequest(check: check, ref: ref, idempotencyKey: key), in: call.scope)
    try CheckEndpoint.refuseUnknown(answer, check)
    switch answer.status {
    case .applied, .replayed:
      let isReplay = answer.status == .replayed
      var reply = try Reply.json(
        Body(
          debit: .init(
            user: check.telegramID, action: check.action, units: check.units, cost: answer.cost,
            balance: answer.balance, ref: ref, version: answer.version,
            createdAt: answer.postedAt)), status: isReplay ? .ok : .created)
      if isReplay { reply.headers[.idempotencyReplayed] = "true" }
      return reply
    case .conflict: throw Refusal.keyReused
    case .noAccess:
      throw Refusal(
        .forbidden, "no_access", "This action needs an entitlement that the user does not have.")
    default: throw try await refuseForCredits(answer, check, call)
    }
  }

  private static func refuseForCredits(
    _ answer: UsageAnswer, _ check: CheckRequest, _ call: BotCall
  ) async throws -> Refusal {
    var refusal = Refusal(
      .init(code: 402, reasonPhrase: "Payment Required"), "insufficient_credits",
      "The action costs \(answer.cost) and the user has \(answer.balance). Show the paywall.")
    refusal.members = [
      "cost": Data("\(answer.cost)".utf8), "balance": Data("\(answer.balance)".utf8),
      "paywall": try JSON.encode(try await Paywall.load(for: check.telegramID, call)),
    ]
    return refusal
  }

  private static func ref(_ text: String?) throws -> String? {
    guard let text else { return nil }
    guard text.utf8.count <= Limits.refBytes, !text.contains("\0") else {
      throw Refusal(
        .badRequest, "invalid_ref", "“ref” is at most \(Limits.refBytes) bytes of text.")
    }
    return text
  }
}
