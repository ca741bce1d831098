import Foundation

/// Whether a customer may run an action now, and what it would cost. Changes nothing.
public struct CheckRequest: Sendable, Equatable, Codable {
  public let telegramID: Int64
  public let action: String
  public let units: Int64

  public init(telegramID: Int64, action: String, units: Int64) {
    self.telegramID = telegramID
    self.action = action
    self.units = units
  }
}

/// A paid action of a customer.
public struct DebitRequest: Sendable, Equatable, Codable {
  public let check: CheckRequest
  /// The bot's own reference, kept with the entry.
  public let ref: String?
  public let idempotencyKey: String
  /// Who is told when this takes the customer's credits below the workspace's threshold.
  public let botID: Int64?

  public init(check: CheckRequest, ref: String?, idempotencyKey: String, botID: Int64? = nil) {
    self.check = check
    self.ref = ref
    self.idempotencyKey = idempotencyKey
    self.botID = botID
  }

  /// The request without its price: a retry after a price change is still the same request. With
  /// its bot: what one bot asked for, another one of the workspace never did.
  var fingerprint: Int64 {
    Bytes.fingerprint([
      "debit", botID.map(String.init) ?? "none", String(check.telegramID), check.action,
      String(check.units), ref ?? "\0none",
    ])
  }
}

/// A reservation before the work: what it costs is set aside until a commit or a release.
public struct HoldRequest: Sendable, Equatable {
  public let check: CheckRequest
  public let ref: String?
  /// How long it stays open when nobody closes it.
  public let seconds: Int
  public let idempotencyKey: String
  /// The bot that asks, and that is told when the hold expires.
  public let botID: Int64

  public init(
    check: CheckRequest, ref: String?, seconds: Int, idempotencyKey: String, botID: Int64
  ) {
    self.check = check
    self.ref = ref
    self.seconds = seconds
    self.idempotencyKey = idempotencyKey
    self.botID = botID
  }

  var fingerprint: Int64 {
    Bytes.fingerprint([
      "hold", String(botID), String(check.telegramID), check.action, String(check.units),
      String(seconds), ref ?? "\0none",
    ])
  }
}
