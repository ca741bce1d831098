import Foundation

extension SandboxBook {
  /// The sandbox's time, in Unix seconds.
  public var now: Double { Date().timeIntervalSince1970 + state.clockOffset }

  /// How far the clock is ahead of the machine's, in seconds.
  public var clockOffset: Double { state.clockOffset }

  var nowSeconds: Int64 { Int64(now) }

  /// Moves the clock forward and does what falls due on the way: renewals happen at their own
  /// time, updates that waited too long are dropped, payments nobody answered fail.
  ///
  /// - Returns: the new time.
  /// - Throws: `Refusal` for a step backwards or beyond ten years.
  @discardableResult
  public func advanceClock(seconds: Double) throws -> Double {
    guard seconds > 0, seconds <= SandboxLimits.clockStepSeconds else {
      throw Refusal.invalid("The clock moves forward only, by at most ten years at once.")
    }
    try write {
      put(.clock(offset: state.clockOffset + seconds))
      for botID in state.bots.keys { dropExpiredUpdates(of: botID) }
    }
    try runDueRenewals()
    for id in state.checkouts.keys { try expireCheckout(id) }
    for botID in state.bots.keys { wakeDelivery(botID) }
    return now
  }
}
