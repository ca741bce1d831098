/// Why a subscription was not changed as asked. Nothing was.
public enum SubscriptionRefusal: Error, Sendable, Equatable {
  /// No such subscription, or the customer has none that runs.
  case notFound
  /// No such plan, or it is not offered any more.
  case unknownPlan
  /// The plan is not tried before it is paid.
  case noTrial
  /// The customer has had this plan before.
  case trialUsed
  /// The customer has one that runs.
  case alreadySubscribed
  /// There is nothing that Telegram would renew: a trial, a custom plan, one that is over.
  case notRenewable
  /// The plan does not cost less than the one that the customer has.
  case notLower
  /// A custom plan is expected.
  case notCustom
  /// The end that was asked for is not in the future.
  case pastEnd
}
