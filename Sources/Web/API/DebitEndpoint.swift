import EStars
import Foundation

/// `POST /v1/debits`: the user pays for an action. The price is the action's, never the caller's.
enum DebitEndpoint {
  private struct Request: Decodable, SnakeCased {
    let user: Int64
    let action: String
    let units: Int64?
    let ref: String?
    let language: String?
  }

  private struct Body: Encodable, SnakeCased {
    let debit: Debit

    struct Debit: Encodable {
      let user: Int64
      let action: String
      let units: Int64
      let cost: Int64
      let freeUnits: Int64
      let balance: Int64
      let ref: String?
      let version: Int64?
      let createdAt: Date?

      enum CodingKeys: String, CodingKey {
        case user, action, units, cost, balance, ref, version
        case freeUnits = "free_units"
        case createdAt = "created_at"
      }
    }
  }

  /// What can be said while the database is away.
  private struct AcceptedBody: Encodable, SnakeCased {
    let debit: Debit

    struct Debit: Encodable {
      let user: Int64
      let action: String
      let units: Int64
      let cost: Int64
      let booked: Bool
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let sent = try call.inbound.json(Request.self)
    let ref = try UsageRefusal.ref(sent.ref)
    let check = try UsageRefusal.check(user: sent.user, action: sent.action, units: sent.units)
    try await SuspendedUse.admit(check.action, key: key, call)
    try await Newcomers.admitUse(check.telegramID, call)
    let answer = try await call.platform.usage.debit(
      DebitRequest(check: check, ref: ref, idempotencyKey: key, botID: call.bot.id),
      in: call.scope)
    Newcomers.note(check.telegramID, answer, call)
    if answer.status == .accepted {
      return try .json(
        AcceptedBody(
          debit: .init(
            user: check.telegramID, action: check.action, units: check.units, cost: answer.cost,
            booked: false)), status: .accepted)
    }
    guard answer.status == .applied || answer.status == .replayed else {
      throw try await UsageRefusal.of(answer, check, language: sent.language, call)
    }
    let isReplay = answer.status == .replayed
    var reply = try Reply.json(
      Body(
        debit: .init(
          user: check.telegramID, action: check.action, units: check.units, cost: answer.cost,
          freeUnits: answer.freeUnits, balance: answer.balance, ref: ref, version: answer.version,
          createdAt: answer.postedAt)), status: isReplay ? .ok : .created)
    if isReplay { reply.headers[.idempotencyReplayed] = "true" }
    return reply
  }
}
