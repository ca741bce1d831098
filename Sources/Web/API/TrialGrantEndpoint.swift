import EStars
import Foundation

/// `POST /v1/trial-grants`: may this user try for nothing? A refusal is an answer like a grant, and
/// both are kept with what they were decided from.
enum TrialGrantEndpoint {
  private struct Request: Decodable {
    let user: Int64
    let engagement: Int
    let intent: Int
    let source: String?
  }

  private struct Body: Encodable {
    let trialGrant: Decision

    struct Decision: Encodable {
      let user: Int64
      let granted: Bool
      let reason: String
      let credits: Int64
      let balance: Int64
      let score: Int
      let minScore: Int
      let paidSource: Bool
      let givenToday: Int64
      let dailyLimit: Int64
    }
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let sent = try call.inbound.json(Request.self)
    let user = try UserID.check(sent.user)
    let factors = 0...Limits.trialFactor
    guard factors.contains(sent.engagement), factors.contains(sent.intent) else {
      throw Refusal(
        .badRequest, "invalid_factor",
        "“engagement” and “intent” are whole numbers from 0 to \(Limits.trialFactor).")
    }
    let source = (sent.source ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    guard source.unicodeScalars.count <= Limits.trialSourceCharacters, !source.contains("\0")
    else {
      throw Refusal(
        .badRequest, "invalid_source",
        "“source” is at most \(Limits.trialSourceCharacters) characters of text.")
    }
    try await Newcomers.admit(user, call)
    let (grant, isNew): (TrialGrant, Bool)
    do {
      (grant, isNew) = try await TrialGrant.decide(
        TrialRequest(
          telegramID: user, engagement: sent.engagement, intent: sent.intent, source: source,
          idempotencyKey: key), with: call.bot, in: call.scope, call.platform.pool)
    } catch Checkout.Refusal.keyReused { throw Refusal.keyReused }
    var reply = try Reply.json(
      Body(
        trialGrant: .init(
          user: user, granted: grant.outcome == .granted, reason: grant.outcome.rawValue,
          credits: grant.credits, balance: grant.balance + grant.credits, score: grant.score,
          minScore: grant.minScore, paidSource: grant.isPaidSource,
          givenToday: grant.givenToday + grant.credits, dailyLimit: grant.dailyLimit)),
      status: isNew ? .created : .ok)
    if !isNew { reply.headers[.idempotencyReplayed] = "true" }
    return reply
  }
}
