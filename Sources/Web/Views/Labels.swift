import Foundation

/// One charge of one bot: how a payment is named everywhere.
struct PaymentKey: Sendable, Hashable {
  var botID: Int64
  /// Telegram's `telegram_payment_charge_id`; may be longer than 128 characters.
  var chargeID: String
}

/// A lot of a customer: its number counts the customer's ledger entries of one credit unit.
struct LotKey: Sendable, Hashable {
  var customer: Int64
  var unit: Int16 = 1
  var lot: Int64
}

/// A credit unit; its name is in the plural.
struct UnitLabel: Sendable, Equatable {
  var number: Int16
  var name: String

  /// The unit that every workspace begins with.
  static let credits = UnitLabel(number: 1, name: "credits")
}

/// What a pack or plan is called where several have one title: a pack with a discount has its base's,
/// and the key tells them apart.
enum ProductLabel {
  static func named(_ title: String, _ key: String) -> String { "\(title) · \(key)" }
}

struct CustomerLabel: Sendable, Equatable {
  /// Our own customer number, the ledger's account.
  var id: Int64
  /// First and last name as Telegram gave them. Empty after an erasure.
  var name: String
  /// Without the @.
  var username: String?
  var telegramID: Int64?
}

/// Why a lot was given.
enum LotSource: String, Sendable, CaseIterable {
  case payment, bonus, trial, promo, subscription, goodwill, adjustment
}

enum PaymentState: String, Sendable, CaseIterable {
  case paid, refunding, refunded, unmatched
}

/// One row of a list of payments.
struct PaymentRow: Sendable, Equatable {
  var key: PaymentKey
  var customer: CustomerLabel
  var packTitle: String?
  var stars: Int64
  var state: PaymentState
  var paidAt: Date
  /// What the Stars bring at the workspace's rate; nil: it is not shown.
  var fiat: Money?
}

/// A grant of credits and what is left of it.
struct LotRow: Sendable, Equatable {
  /// The version of the entry that made it.
  var lot: Int64
  var source: LotSource
  var granted: Int64
  var left: Int64
  /// nil: never.
  var expiresAt: Date?
  var grantedAt: Date
  var payment: PaymentKey?
  /// nil: it has no page to link to.
  var key: LotKey?
}

/// A feature that a customer may use.
struct AccessRow: Sendable, Equatable {
  var title: String
  var startsAt: Date
  /// nil: no end.
  var endsAt: Date?
  var revokedAt: Date?
  var payment: PaymentKey?
}
