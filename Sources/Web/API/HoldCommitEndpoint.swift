import EStars
import Foundation

/// `POST /v1/holds/{id}/commit`: the work is done; what was not used goes back.
enum HoldCommitEndpoint {
  private struct Request: Decodable, SnakeCased {
    let units: Int64?
  }

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let id = try HoldEndpoint.id(call)
    // Without a body all of it was used.
    let units = call.inbound.body.isEmpty ? nil : try call.inbound.json(Request.self).units
    guard units.map({ (0...Int64(Limits.units)).contains($0) }) ?? true else {
      throw Refusal(
        .badRequest, "invalid_units",
        "“units” is what was used: a whole number from 0 to what the hold is for.")
    }
    return try HoldEndpoint.reply(
      try await call.platform.usage.commit(hold: id, units: units, key: key, in: call.scope))
  }
}

/// `POST /v1/holds/{id}/release`: nothing was used.
enum HoldReleaseEndpoint {
  private struct Request: Decodable, SnakeCased {}

  @Sendable static func create(_ call: BotCall) async throws -> Reply {
    let key = try call.idempotencyKey()
    let id = try HoldEndpoint.id(call)
    if !call.inbound.body.isEmpty { _ = try call.inbound.json(Request.self) }
    return try HoldEndpoint.reply(
      try await call.platform.usage.release(hold: id, key: key, in: call.scope))
  }
}
