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
  public func advanceClock(seconds: Double) async throws -> Double {
    guard seconds > 0, seconds <= SandboxLimits.clockStepSeconds else {
      throw Refusal.invalid("The clock moves forward only, by at most ten years at once.")
    }
    await settleDeliveries()
    try write {
      put(.clock(offset: state.clockOffset + seconds))
      for botID in state.bots.keys { dropExpiredUpdates(of: botID) }
    }
    try runDueRenewals()
    for id in state.checkouts.keys { try expireCheckout(id) }
    for botID in state.bots.keys { wakeDelivery(botID) }
    return now
  }

  /// Waits a little for updates that are about to be taken anyway. A jump of a month would
  /// otherwise throw away what a working bot had no second to fetch.
  private func settleDeliveries() async {
    let deadline = ContinuousClock.now + SandboxLimits.clockSettleTime
    while ContinuousClock.now < deadline, !isStopping {
      let isSettled = state.pending.allSatisfy { $0.value.isEmpty || !hasConsumer($0.key) }
      if isSettled { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func hasConsumer(_ botID: Int64) -> Bool {
    if state.bots[botID]?.webhook != nil { return !failingWebhooks.contains(botID) }
    if polls[botID] != nil { return true }
    return polledAt[botID].map { $0.duration(to: .now) < .seconds(10) } ?? false
  }
}
