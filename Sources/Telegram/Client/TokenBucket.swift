/// Lets `capacity` through at once and `perSecond` in the long run. Time is an argument.
struct TokenBucket: Sendable {
  let capacity: Double
  let perSecond: Double
  private var level: Double
  private var updatedAt: ContinuousClock.Instant

  init(capacity: Int, perSecond: Double, now: ContinuousClock.Instant) {
    self.capacity = Double(capacity)
    self.perSecond = perSecond
    level = Double(capacity)
    updatedAt = now
  }

  /// Takes one token, going into debt if need be, and says how long to wait before acting. Debt
  /// makes waiters queue up one behind the other.
  mutating func take(now: ContinuousClock.Instant) -> Duration {
    refill(now: now)
    level -= 1
    return level >= 0 ? .zero : .seconds(-level / perSecond)
  }

  /// Gives a token back that was taken but not used.
  mutating func giveBack() { level = min(capacity, level + 1) }

  /// Whether forgetting this bucket would change nothing.
  mutating func isFull(now: ContinuousClock.Instant) -> Bool {
    refill(now: now)
    return level >= capacity
  }

  private mutating func refill(now: ContinuousClock.Instant) {
    let elapsed = updatedAt.duration(to: now)
    guard elapsed > .zero else { return }
    level = min(capacity, level + elapsed / .seconds(1) * perSecond)
    updatedAt = now
  }
}
