import Postgres

/// What comparing one movement of Telegram's books with our payments and the ledger comes to.
enum Verdict: Sendable, Equatable {
  case agrees
  case differs(Mismatch.Kind)

  /// A movement beside what we know of the charge it names.
  struct Facts: Sendable, Equatable {
    var direction = Mismatch.Direction.incoming
    var stars: Int64
    var nanostars: Int64 = 0
    var partner = "user"
    var kind: String? = "invoice_payment"
    /// Of our payment of this charge; nil: we have none.
    var paidStars: Int64?
    var isCredited = false
    /// What the payment says that it brought, and what its lots are.
    var boughtCredits: Int64 = 0
    var ledgerCredits: Int64 = 0
    /// Of our confirmed refund of this charge; nil: there is none.
    var refundedStars: Int64?
    var isClawedBack = false
    /// Telegram's books say that this charge was paid.
    var wasPaidInBooks = false
  }

  /// Movements that are none of a customer's payments, and that no book of ours keeps: withdrawals
  /// and what they bring back, advertising, gifts, commissions, paid media.
  private static let others: Set<String> = [
    "fragment", "telegram_ads", "telegram_api", "affiliate_program", "chat",
  ]
  private static let otherKinds: Set<String> = [
    "paid_media_payment", "gift_purchase", "premium_purchase", "business_account_transfer",
  ]

  static func of(_ facts: Facts) -> Verdict {
    let isInvoice = facts.partner == "user" && facts.kind == "invoice_payment"
    switch facts.direction {
    case .incoming where isInvoice || facts.paidStars != nil: return payment(facts)
    // A chargeback at the store names nobody: its charge tells what it is.
    case .outgoing where isInvoice || facts.paidStars != nil || facts.wasPaidInBooks:
      return refund(facts)
    case .incoming, .outgoing:
      let isOther =
        others.contains(facts.partner)
        || (facts.partner == "user" && facts.kind.map(otherKinds.contains) ?? false)
      return isOther ? .agrees : .differs(.unknownPartner)
    }
  }

  private static func payment(_ facts: Facts) -> Verdict {
    guard let stars = facts.paidStars else { return .differs(.paymentUnseen) }
    guard stars == facts.stars, facts.nanostars == 0 else { return .differs(.amountDiffers) }
    let isMissing = facts.isCredited && facts.ledgerCredits < facts.boughtCredits
    return isMissing ? .differs(.creditsMissing) : .agrees
  }

  private static func refund(_ facts: Facts) -> Verdict {
    guard let stars = facts.refundedStars else { return .differs(.refundUnseen) }
    guard stars == facts.stars, facts.nanostars == 0 else { return .differs(.amountDiffers) }
    let isMissing = facts.ledgerCredits > 0 && !facts.isClawedBack
    return isMissing ? .differs(.creditsMissing) : .agrees
  }
}

extension Verdict.Facts {
  init(_ row: Row) throws {
    direction = Mismatch.Direction(rawValue: try row.get("direction")) ?? .incoming
    stars = try row.get("stars")
    nanostars = try row.get("nanostars")
    partner = try row.get("partner")
    kind = try row.getIfPresent("transaction_type")
    paidStars = try row.getIfPresent("paid_stars")
    isCredited = try row.getIfPresent("is_credited") ?? false
    boughtCredits = try row.getIfPresent("bought_credits") ?? 0
    ledgerCredits = try row.getIfPresent("ledger_credits") ?? 0
    refundedStars = try row.getIfPresent("refunded_stars")
    isClawedBack = try row.get("is_clawed_back")
    wasPaidInBooks = try row.get("was_paid_in_books")
  }
}
