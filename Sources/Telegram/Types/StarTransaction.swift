/// A movement of the bot's Stars. A refund has the id of its payment, so only id and direction
/// together name a movement: `source` is set on what came in, `receiver` on what went out.
public struct StarTransaction: Codable, Sendable, Hashable {
  public var id: String
  /// Whole Stars, never negative.
  public var amount: Int64
  /// Billionths of a Star beyond `amount`, 0–999999999.
  public var nanostarAmount: Int64?
  /// Unix time.
  public var date: Int64
  public var source: TransactionPartner?
  public var receiver: TransactionPartner?

  public enum Direction: String, Codable, Sendable { case incoming, outgoing }

  /// Nil when Telegram names neither partner.
  public var direction: Direction? {
    if source != nil { return .incoming }
    return receiver == nil ? nil : .outgoing
  }

  public init(
    id: String, amount: Int64, date: Int64, source: TransactionPartner? = nil,
    receiver: TransactionPartner? = nil
  ) {
    self.id = id
    self.amount = amount
    self.date = date
    self.source = source
    self.receiver = receiver
  }

  enum CodingKeys: String, CodingKey {
    case id, amount, date, source, receiver
    case nanostarAmount = "nanostar_amount"
  }
}

/// The answer of `getStarTransactions`, oldest first.
public struct StarTransactions: Codable, Sendable, Hashable {
  public var transactions: [StarTransaction]
  public init(transactions: [StarTransaction]) { self.transactions = transactions }
}

/// The other side of a star transaction. One struct for all kinds, so that a kind Telegram adds
/// later still decodes; fields that do not belong to `type` are nil.
public struct TransactionPartner: Codable, Sendable, Hashable {
  /// `user`, `chat`, `affiliate_program`, `fragment`, `telegram_ads`, `telegram_api`, `other`.
  public var type: String
  /// For `user`: `invoice_payment`, `paid_media_payment`, `gift_purchase`, `premium_purchase`,
  /// `business_account_transfer`.
  public var transactionType: String?
  public var user: User?
  public var chat: Chat?
  public var invoicePayload: String?
  /// Seconds; for subscription payments.
  public var subscriptionPeriod: Int?
  public var paidMediaPayload: String?
  public var affiliate: AffiliateInfo?
  public var commissionPerMille: Int?
  public var sponsorUser: User?
  public var withdrawalState: WithdrawalState?
  public var requestCount: Int?

  public init(type: String) { self.type = type }

  /// A person who paid an invoice, or got the Stars of one back.
  public static func invoicePayment(
    user: User, payload: String, subscriptionPeriod: Int? = nil
  ) -> TransactionPartner {
    var partner = TransactionPartner(type: "user")
    partner.transactionType = "invoice_payment"
    partner.user = user
    partner.invoicePayload = payload
    partner.subscriptionPeriod = subscriptionPeriod
    return partner
  }

  enum CodingKeys: String, CodingKey {
    case type, user, chat, affiliate
    case transactionType = "transaction_type"
    case invoicePayload = "invoice_payload"
    case subscriptionPeriod = "subscription_period"
    case paidMediaPayload = "paid_media_payload"
    case commissionPerMille = "commission_per_mille"
    case sponsorUser = "sponsor_user"
    case withdrawalState = "withdrawal_state"
    case requestCount = "request_count"
  }
}

/// Commission of an affiliate; `amount` is negative on refunds.
public struct AffiliateInfo: Codable, Sendable, Hashable {
  public var commissionPerMille: Int
  public var amount: Int64
  public var nanostarAmount: Int64?
  public var affiliateUser: User?
  public var affiliateChat: Chat?

  enum CodingKeys: String, CodingKey {
    case amount
    case commissionPerMille = "commission_per_mille"
    case nanostarAmount = "nanostar_amount"
    case affiliateUser = "affiliate_user"
    case affiliateChat = "affiliate_chat"
  }
}

/// State of a withdrawal through Fragment: `pending`, `succeeded` or `failed`.
public struct WithdrawalState: Codable, Sendable, Hashable {
  public var type: String
  public var date: Int64?
  public var url: String?

  public init(type: String, date: Int64? = nil, url: String? = nil) {
    self.type = type
    self.date = date
    self.url = url
  }
}

/// An amount of Stars; may be negative after chargebacks.
public struct StarAmount: Codable, Sendable, Hashable {
  public var amount: Int64
  /// Billionths of a Star, −999999999…999999999, of the same sign as `amount`.
  public var nanostarAmount: Int64?

  public init(amount: Int64, nanostarAmount: Int64? = nil) {
    self.amount = amount
    self.nanostarAmount = nanostarAmount
  }

  enum CodingKeys: String, CodingKey {
    case amount
    case nanostarAmount = "nanostar_amount"
  }
}
