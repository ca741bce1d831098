import EStars
import Foundation

/// `POST /v1/holds`: sets credits and units aside before the work is done.
/// `GET /v1/holds/{id}`: what became of it.
enum HoldEndpoint {
  private struct Request: Decodable, SnakeCased {
    let user: Int64
    let action: String
    let units: Int64?
    let ttlSeconds: Int?
    let ref: String?
    let language: String?

    enum CodingKeys: String, CodingKey {
      case user, action, units, ref, language
      case ttlSeconds = "ttl_seconds"
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let sent = try call.inbound.json(Request.self)
    let ref = try UsageRefusal.ref(sent.ref)
    let check = try UsageRefusal.check(user: sent.user, action: sent.action, units: sent.units)
    let seconds = sent.ttlSeconds ?? Limits.holdSeconds
    guard (1...Limits.longestHoldSeconds).contains(seconds) else {
      throw Refusal(
        .badRequest, "invalid_ttl",
        "“ttl_seconds” is a whole number from 1 to \(Limits.longestHoldSeconds).")
    }
    try await SuspendedUse.admit(check.action, key: key, call)
    try await Newcomers.admitUse(check.telegramID, call)
    let answer = try await call.platform.usage.hold(
      HoldRequest(
        check: check, ref: ref, seconds: seconds, idempotencyKey: key, botID: call.bot.id),
      in: call.scope)
    Newcomers.note(check.telegramID, answer.usage, call)
    guard let hold = answer.hold else {
      throw try await UsageRefusal.of(answer.usage, check, language: sent.language, call)
    }
    // A replay says what was said first, whatever became of the hold.
    return try HoldBody.reply(
      HoldBody(hold, asMade: true), isReplay: answer.usage.status == .replayed)
  }

  @Sendable static func show(_ call: BotCall) async throws -> Reply {
    let id = try id(call)
    guard let hold = try await UsageHold.find(id: id, in: call.scope, call.platform.pool) else {
      throw unknown
    }
    try call.server.reads.count(hold.telegramID, by: call.key)
    return try .json(HoldBody(hold))
  }

  static let unknown = Refusal(.notFound, "unknown_hold", "This workspace has no such hold.")

  /// - Throws: ``Refusal``
  static func id(_ call: BotCall) throws -> Int64 {
    guard let id = call.inbound.parameters["hold"].flatMap({ Int64($0) }), id > 0 else {
      throw unknown
    }
    return id
  }

  static func reply(_ answer: HoldCloseAnswer) throws -> Reply {
    switch (answer.status, answer.hold) {
    case (.applied, let hold?): return try HoldBody.reply(HoldBody(hold), isReplay: false)
    case (.replayed, let hold?): return try HoldBody.reply(HoldBody(hold), isReplay: true)
    case (.conflict, _): throw Refusal.keyReused
    case (.closed, let hold?):
      var refusal = Refusal(.conflict, "hold_closed", "This hold is \(hold.state.rawValue).")
      refusal.members = ["state": try JSON.encode(hold.state.rawValue)]
      throw refusal
    case (.tooManyUnits, let hold?):
      throw Refusal(
        .unprocessableContent, "too_many_units", "This hold is for \(hold.units) units.")
    default: throw unknown
    }
  }
}

/// A hold as bots see it.
struct HoldBody: Encodable, SnakeCased {
  let hold: Hold

  struct Hold: Encodable {
    let id: Int64
    let user: Int64
    let action: String
    let units: Int64
    let cost: Int64
    let freeUnits: Int64
    let balance: Int64
    let state: String
    let ref: String?
    let createdAt: Date
    let expiresAt: Date
    let closedAt: Date?
    let usedUnits: Int64?
    let usedCost: Int64?

    enum CodingKeys: String, CodingKey {
      case id, user, action, units, cost, balance, state, ref
      case freeUnits = "free_units"
      case createdAt = "created_at"
      case expiresAt = "expires_at"
      case closedAt = "closed_at"
      case usedUnits = "used_units"
      case usedCost = "used_cost"
    }
  }

  /// - Parameter asMade: As it was at first, before anything became of it.
  init(_ hold: UsageHold, asMade: Bool = false) {
    self.hold = Hold(
      id: hold.id, user: hold.telegramID, action: hold.action, units: hold.units,
      cost: hold.credits, freeUnits: hold.freeUnits,
      balance: asMade ? hold.balance : hold.closeBalance ?? hold.balance,
      state: asMade ? UsageHold.State.open.rawValue : hold.state.rawValue, ref: hold.ref,
      createdAt: hold.createdAt, expiresAt: hold.expiresAt,
      closedAt: asMade ? nil : hold.closedAt, usedUnits: asMade ? nil : hold.usedUnits,
      usedCost: asMade ? nil : hold.usedCredits)
  }

  static func reply(_ body: HoldBody, isReplay: Bool) throws -> Reply {
    var reply = try Reply.json(body, status: isReplay ? .ok : .created)
    if isReplay { reply.headers[.idempotencyReplayed] = "true" }
    return reply
  }
}
