/// The currency of Telegram Stars. Its amounts are whole Stars.
public let starsCurrency = "XTR"

/// A price line. A Stars invoice has exactly one.
public struct LabeledPrice: Codable, Sendable, Hashable {
  public var label: String
  /// Whole Stars when the currency is `XTR`.
  public var amount: Int64

  public init(label: String, amount: Int64) {
    self.label = label
    self.amount = amount
  }
}

/// What a message of `sendInvoice` shows.
public struct Invoice: Codable, Sendable, Hashable {
  public var title: String
  public var description: String
  public var startParameter: String
  public var currency: String
  public var totalAmount: Int64

  public init(
    title: String, description: String, startParameter: String, currency: String,
    totalAmount: Int64
  ) {
    self.title = title
    self.description = description
    self.startParameter = startParameter
    self.currency = currency
    self.totalAmount = totalAmount
  }

  enum CodingKeys: String, CodingKey {
    case title, description, currency
    case startParameter = "start_parameter"
    case totalAmount = "total_amount"
  }
}

/// Asked before Telegram takes the Stars. It wants an answer within ten seconds.
public struct PreCheckoutQuery: Codable, Sendable, Hashable {
  public var id: String
  public var from: User
  public var currency: String
  public var totalAmount: Int64
  public var invoicePayload: String

  public init(
    id: String, from: User, currency: String, totalAmount: Int64, invoicePayload: String
  ) {
    self.id = id
    self.from = from
    self.currency = currency
    self.totalAmount = totalAmount
    self.invoicePayload = invoicePayload
  }

  enum CodingKeys: String, CodingKey {
    case id, from, currency
    case totalAmount = "total_amount"
    case invoicePayload = "invoice_payload"
  }
}

/// Stars were paid. Every renewal of a subscription is one of these, with a charge id of its own.
public struct SuccessfulPayment: Codable, Sendable, Hashable {
  public var currency: String
  public var totalAmount: Int64
  public var invoicePayload: String
  /// The permanent key of the payment; equals `StarTransaction.id`. It may exceed 128 characters.
  public var telegramPaymentChargeID: String
  /// Not to be parsed; Telegram always sends it, but nothing depends on it.
  public var providerPaymentChargeID: String?
  /// Unix time up to which a subscription is paid.
  public var subscriptionExpirationDate: Int64?
  /// True or absent.
  public var isRecurring: Bool?
  /// True or absent.
  public var isFirstRecurring: Bool?

  public init(
    currency: String, totalAmount: Int64, invoicePayload: String,
    telegramPaymentChargeID: String, providerPaymentChargeID: String?,
    subscriptionExpirationDate: Int64? = nil, isRecurring: Bool? = nil,
    isFirstRecurring: Bool? = nil
  ) {
    self.currency = currency
    self.totalAmount = totalAmount
    self.invoicePayload = invoicePayload
    self.telegramPaymentChargeID = telegramPaymentChargeID
    self.providerPaymentChargeID = providerPaymentChargeID
    self.subscriptionExpirationDate = subscriptionExpirationDate
    self.isRecurring = isRecurring
    self.isFirstRecurring = isFirstRecurring
  }

  enum CodingKeys: String, CodingKey {
    case currency
    case totalAmount = "total_amount"
    case invoicePayload = "invoice_payload"
    case telegramPaymentChargeID = "telegram_payment_charge_id"
    case providerPaymentChargeID = "provider_payment_charge_id"
    case subscriptionExpirationDate = "subscription_expiration_date"
    case isRecurring = "is_recurring"
    case isFirstRecurring = "is_first_recurring"
  }
}

/// Stars went back to the payer.
public struct RefundedPayment: Codable, Sendable, Hashable {
  public var currency: String
  public var totalAmount: Int64
  public var invoicePayload: String
  /// The charge id of the payment that was refunded.
  public var telegramPaymentChargeID: String
  /// Absent on real refunds of Stars.
  public var providerPaymentChargeID: String?

  public init(
    currency: String, totalAmount: Int64, invoicePayload: String,
    telegramPaymentChargeID: String, providerPaymentChargeID: String? = nil
  ) {
    self.currency = currency
    self.totalAmount = totalAmount
    self.invoicePayload = invoicePayload
    self.telegramPaymentChargeID = telegramPaymentChargeID
    self.providerPaymentChargeID = providerPaymentChargeID
  }

  enum CodingKeys: String, CodingKey {
    case currency
    case totalAmount = "total_amount"
    case invoicePayload = "invoice_payload"
    case telegramPaymentChargeID = "telegram_payment_charge_id"
    case providerPaymentChargeID = "provider_payment_charge_id"
  }
}

/// Paid media with a payload was bought. It carries neither charge id nor amount: those are in
/// the list of star transactions.
public struct PaidMediaPurchased: Codable, Sendable, Hashable {
  public var from: User
  public var paidMediaPayload: String

  public init(from: User, paidMediaPayload: String) {
    self.from = from
    self.paidMediaPayload = paidMediaPayload
  }

  enum CodingKeys: String, CodingKey {
    case from
    case paidMediaPayload = "paid_media_payload"
  }
}

/// A subscription changed without a payment (Bot API 10.2). The payload is its only name.
public struct BotSubscriptionUpdated: Codable, Sendable, Hashable {
  public var user: User
  public var invoicePayload: String
  public var state: State

  /// `canceled` by the person, `active` again, or the renewal `failed`; others may come.
  public struct State: RawRepresentable, Codable, Sendable, Hashable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static let canceled = State(rawValue: "canceled")
    public static let active = State(rawValue: "active")
    public static let failed = State(rawValue: "failed")
  }

  public init(user: User, invoicePayload: String, state: State) {
    self.user = user
    self.invoicePayload = invoicePayload
    self.state = state
  }

  enum CodingKeys: String, CodingKey {
    case user, state
    case invoicePayload = "invoice_payload"
  }
}
