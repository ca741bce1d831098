import Foundation
import Postgres

/// A customer's account of one credit unit. The identifier is our own customer number.
public struct Account: Sendable, Hashable {
  public let id: Int64
  public let unit: Int16

  public init(_ id: Int64, unit: Int16 = 1) {
    self.id = id
    self.unit = unit
  }
}

/// A payment that was made to a bot, by Telegram's `telegram_payment_charge_id`.
public struct Charge: Sendable, Hashable {
  public let botID: Int64
  public let chargeID: String

  public init(botID: Int64, chargeID: String) {
    self.botID = botID
    self.chargeID = chargeID
  }
}

/// Where the credits of a lot come from.
public enum LotSource: String, Sendable, CaseIterable, SQLDecodable {
  case payment, bonus, trial, promo, subscription, goodwill, adjustment

  public init(sqlText: String) throws { self = try decoded(sqlText) }
}

/// Credits to give.
public struct Grant: Sendable {
  public var amount: Int64
  public var source: LotSource
  /// The payment they come with, if any. A charge makes at most one paid and one unpaid lot.
  public var charge: Charge?
  public var isPaid: Bool
  /// nil: never.
  public var expiresAt: Date?
  /// What the customer paid, in Telegram Stars; on paid lots only.
  public var stars: Int64?
  public var reason: String?
  public var ref: String?

  public init(
    _ amount: Int64, source: LotSource, charge: Charge? = nil, isPaid: Bool = false,
    expiresAt: Date? = nil, stars: Int64? = nil, reason: String? = nil, ref: String? = nil
  ) {
    self.amount = amount
    self.source = source
    self.charge = charge
    self.isPaid = isPaid
    self.expiresAt = expiresAt
    self.stars = stars
    self.reason = reason
    self.ref = ref
  }
}

/// Credits to take, at once or by a hold.
public struct Debit: Sendable {
  public var amount: Int64
  /// Unique in the workspace for ever, with its door's prefix: `api:`, `job:`, …
  public var key: String
  /// Of the request's body. When both the call and the stored entry have one, it decides whether
  /// a key that was used before is a replay: the amount may have changed with the price.
  public var fingerprint: Int64?
  public var action: String?
  /// How many units of the action it pays for.
  public var units: Int32?
  public var ref: String?
  /// The bot that it is for.
  public var botID: Int64?

  public init(
    _ amount: Int64, key: String, fingerprint: Int64? = nil, action: String? = nil,
    units: Int32? = nil, ref: String? = nil, botID: Int64? = nil
  ) {
    self.amount = amount
    self.key = key
    self.fingerprint = fingerprint
    self.action = action
    self.units = units
    self.ref = ref
    self.botID = botID
  }
}

/// What was used of a hold.
public struct Commit: Sendable {
  public var holdKey: String
  /// May exceed what was held if the balance covers the rest.
  public var used: Int64
  public var key: String
  public var fingerprint: Int64?
  /// nil: the units that the hold was for.
  public var units: Int32?

  public init(
    hold holdKey: String, used: Int64, key: String, fingerprint: Int64? = nil,
    units: Int32? = nil
  ) {
    self.holdKey = holdKey
    self.used = used
    self.key = key
    self.fingerprint = fingerprint
    self.units = units
  }
}

/// What a refund does about credits that were used already.
public enum DebtPolicy: String, Sendable {
  case forgive
  /// Takes them from the customer's other lots, then below zero.
  case debt
}

public enum PostingStatus: String, Sendable, CaseIterable, SQLDecodable {
  case applied
  /// The key was used before for the same request; the answer is the first one.
  case replayed
  /// The key was used before for another request.
  case conflict
  case insufficient
  case invalid
  /// There is no such hold, or the charge granted nothing.
  case unknown
  /// The hold is closed, or the charge refunded.
  case closed
  /// Nothing was to do.
  case none
  /// The charge has made this lot, is held for its refund, or belongs to another account.
  case duplicateCharge = "duplicate_charge"
  case refundedCharge = "refunded_charge"
  /// The account has as many open lots as it may, and none to merge with.
  case lotLimit = "lot_limit"

  public init(sqlText: String) throws { self = try decoded(sqlText) }
}

public struct PostingAnswer: Sendable, Equatable {
  public let status: PostingStatus
  /// Credits after the posting; on a decline, at present. nil where no account was looked at.
  public let balance: Int64?
  /// The account's version of the posting's last movement.
  public let version: Int64?
  /// What was asked for when the key was first used.
  public let amount: Int64?

  init(_ row: Row) throws {
    status = try row.get("status")
    balance = try row.getIfPresent("balance")
    version = try row.getIfPresent("version")
    amount = try row.getIfPresent("amount")
  }
}

public struct CarryAnswer: Sendable, Equatable {
  public let status: PostingStatus
  public let balance: Int64?
  public let version: Int64?
  /// Credits that go on; nil on a replay.
  public let carried: Int64?
  /// Credits that expired before their time; nil on a replay.
  public let retired: Int64?

  init(_ row: Row) throws {
    status = try row.get("status")
    balance = try row.getIfPresent("balance")
    version = try row.getIfPresent("version")
    carried = try row.getIfPresent("carried")
    retired = try row.getIfPresent("retired")
  }
}

public struct ClawbackAnswer: Sendable, Equatable {
  public let status: PostingStatus
  public let balance: Int64?
  public let version: Int64?
  /// What was left of the charge's lots, and what the approved refund held.
  public let taken: Int64?
  /// What had been used: forgiven or taken as debt.
  public let used: Int64?
  /// What other open holds have of the charge.
  public let held: Int64?
  public let expired: Int64?

  init(_ row: Row) throws {
    status = try row.get("status")
    balance = try row.getIfPresent("balance")
    version = try row.getIfPresent("version")
    taken = try row.getIfPresent("taken")
    used = try row.getIfPresent("used")
    held = try row.getIfPresent("held")
    expired = try row.getIfPresent("expired")
  }
}

func decoded<T: RawRepresentable<String>>(_ text: String) throws -> T {
  guard let value = T(rawValue: text) else {
    throw PostgresError(.decoding, "\"\(text)\" is not a \(T.self)")
  }
  return value
}
