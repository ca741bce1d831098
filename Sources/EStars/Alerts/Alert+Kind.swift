extension Alert {
  /// What operators are told of.
  public enum Kind: String, Sendable, CaseIterable {
    /// More than so many of a hundred payments within the hour came to nothing.
    case paymentsFailing = "payments.failing"
    /// A payment of so many Stars or more was refused or could not be booked.
    case largePaymentFailed = "payment.failed"
    /// More than so many attempts within the hour to do again what was done.
    case repeatedAttempts = "attempts.repeated"
    /// Updates come more than so many seconds after they were sent.
    case webhookSlow = "webhook.slow"
    /// Telegram cannot deliver, or more than so many updates wait there.
    case webhookFailing = "webhook.failing"
    case newSubscription = "subscription.new"
    /// A customer bought more than so many times within minutes.
    case manyPurchases = "customer.purchases"
    /// A customer used more than so many credits within minutes.
    case manyUses = "customer.uses"
    /// A customer got more than so many refunds within a month.
    case manyRefunds = "customer.refunds"
    case mismatch = "reconciliation.mismatch"
    case ledgerUnverified = "ledger.unverified"
    /// Customers hold more than so many credits.
    case liabilityHigh = "liability.high"
  }
}

extension Alert.Kind {
  /// What a threshold counts.
  public enum Measure: String, Sendable {
    case percent, stars, attempts, seconds, updates, purchases, credits, refunds
  }

  /// nil where there is no threshold.
  public var measure: Measure? {
    switch self {
    case .paymentsFailing: .percent
    case .largePaymentFailed: .stars
    case .repeatedAttempts: .attempts
    case .webhookSlow: .seconds
    case .webhookFailing: .updates
    case .manyPurchases: .purchases
    case .manyUses, .liabilityHigh: .credits
    case .manyRefunds: .refunds
    case .newSubscription, .mismatch, .ledgerUnverified: nil
    }
  }

  /// Where a workspace has settled nothing; nil = there is no threshold, or none until one is set.
  public var defaultThreshold: Int64? {
    switch self {
    case .paymentsFailing: 5
    case .largePaymentFailed: 1_000
    case .repeatedAttempts: 10
    case .webhookSlow: 30
    case .webhookFailing: 100
    case .manyPurchases: 5
    case .manyUses: 1_000
    case .manyRefunds: 2
    case .newSubscription, .mismatch, .ledgerUnverified, .liabilityHigh: nil
    }
  }

  public var thresholds: ClosedRange<Int64> {
    switch measure {
    case .percent: 1...99
    case .stars: 1...Limits.stars
    case .seconds: 5...3_600
    case .credits: 1...1_000_000_000_000
    case .attempts, .updates, .purchases, .refunds, nil: 1...100_000
    }
  }

  /// It needs a threshold and has none of its own.
  public var needsThreshold: Bool { measure != nil && defaultThreshold == nil }

  /// It happens and is over; nothing goes on.
  var isMoment: Bool { self == .largePaymentFailed || self == .newSubscription }

  /// Nobody has to do anything about it.
  var isNews: Bool { self == .newSubscription }

  /// Whether it counts as over only when it was not seen for ``Limits/alertCalmSeconds``, so that
  /// what comes and goes is one alert; else it is over as soon as it is not seen.
  var lingers: Bool { self != .mismatch && self != .ledgerUnverified }
}
