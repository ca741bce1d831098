import EStars
import Foundation
import HTTPTypes
import Ledger
import Postgres

/// An answer that is no success: thrown by handlers and guards, turned into a page or into
/// `application/problem+json` (RFC 9457) by the door it leaves through.
struct Refusal: Error, Sendable {
  let status: HTTPResponse.Status
  /// Stable; bots branch on it.
  let code: String
  /// One sentence on what is wrong and how to put it right.
  let detail: String
  var retryAfterSeconds: Int?
  /// Further members of the problem object, already encoded as JSON (a paywall, for one).
  var members: [String: Data] = [:]
  var headers: HTTPFields = [:]

  init(
    _ status: HTTPResponse.Status, _ code: String, _ detail: String,
    retryAfterSeconds: Int? = nil
  ) {
    self.status = status
    self.code = code
    self.detail = detail
    self.retryAfterSeconds = retryAfterSeconds
  }

  static let notFound = Refusal(.notFound, "not_found", "There is nothing at this address.")
  static let tooLarge = Refusal(
    .contentTooLarge, "body_too_large",
    "The body is larger than \(ServingLimits.jsonBodyBytes >> 20) MiB.")
  static let unavailable = Refusal(
    .serviceUnavailable, "unavailable",
    "The service cannot reach its database. Send the same request again: it is carried out once.",
    retryAfterSeconds: 2)

  /// What an error that handlers let through means outside. Anything unknown is a bug of ours.
  static func of(_ error: any Error) -> Refusal {
    switch error {
    case let refusal as Refusal: refusal
    case is DeadlineExceeded: unavailable
    case is Workspace.Suspended: workspaceSuspended
    case let error as PostgresError where error.isOutage || error.kind == .cancelled: unavailable
    case is CancellationError, UpdateIntake.Refusal.occupied: unavailable
    case let error as PostgresError where error.kind == .encoding:
      Refusal(
        .badRequest, "invalid_text", "A text holds a NUL character, which cannot be stored.")
    case CoalescerError.full:
      Refusal(
        .serviceUnavailable, "busy", "Too many requests wait. Send the same request again.",
        retryAfterSeconds: 1)
    default: Refusal(.internalServerError, "internal", "Something on our side failed.")
    }
  }

  func problem(requestID: String) -> Reply {
    var object: [String: Any] = [
      "type": "about:blank", "title": status.reasonPhrase, "status": status.code, "code": code,
      "detail": detail, "request_id": requestID,
    ]
    for (name, data) in members {
      object[name] = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    }
    let body =
      (try? JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])) ?? Data()
    var reply = Reply(
      status, headers: [.contentType: "application/problem+json", .cacheControl: "no-store"],
      body: Array(body))
    reply.headers.append(contentsOf: headers)
    if let retryAfterSeconds { reply.headers[.retryAfter] = String(retryAfterSeconds) }
    if status == .unauthorized { reply.headers[.wwwAuthenticate] = "Bearer" }
    return reply
  }
}
