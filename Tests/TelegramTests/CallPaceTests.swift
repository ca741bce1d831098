import Testing

@testable import Telegram

@Suite struct CallPaceTests {
  @Test func aBucketLetsABurstThroughAndThenItsRate() {
    let start = ContinuousClock.now
    var bucket = TokenBucket(capacity: 3, perSecond: 2, now: start)
    let burst = [bucket.take(now: start), bucket.take(now: start), bucket.take(now: start)]
    #expect(burst == [.zero, .zero, .zero])
    let wait1 = bucket.take(now: start)
    #expect(wait1 == .milliseconds(500))
    let wait2 = bucket.take(now: start)
    #expect(wait2 == .milliseconds(1000))
    // Two seconds refill four tokens: two pay the debt, two are free again.
    let later = start + .seconds(2)
    let wait3 = bucket.take(now: later)
    #expect(wait3 == .zero)
    let wait4 = bucket.take(now: later)
    #expect(wait4 == .zero)
    let wait5 = bucket.take(now: later)
    #expect(wait5 == .milliseconds(500))
  }

  @Test func aBucketNeverHoldsMoreThanItsCapacity() {
    let start = ContinuousClock.now
    var bucket = TokenBucket(capacity: 1, perSecond: 10, now: start)
    let later = start + .seconds(3600)
    let isFull = bucket.isFull(now: later)
    #expect(isFull)
    let wait6 = bucket.take(now: later)
    #expect(wait6 == .zero)
    let wait7 = bucket.take(now: later)
    #expect(wait7 == .milliseconds(100))
  }

  @Test func chatsWaitForThemselvesAndAllForTheBot() async {
    let pace = CallPace(perSecond: 10, burst: 4, chatPerSecond: 1, chatBurst: 1)
    let now = ContinuousClock.now
    #expect(await pace.reserve(chat: 1, now: now) == .zero)
    #expect(await pace.reserve(chat: 1, now: now) == .seconds(1))
    #expect(await pace.reserve(chat: 2, now: now) == .zero)
    #expect(await pace.reserve(chat: nil, now: now) == .zero)
    #expect(await pace.reserve(chat: nil, now: now) == .milliseconds(100))
  }

  @Test func aCancelledWaiterGivesItsPlaceBack() async {
    let pace = CallPace(perSecond: 0.001, burst: 1)
    let now = ContinuousClock.now
    _ = await pace.reserve(chat: nil, now: now)
    let waiter = Task { try await pace.wait(chat: nil) }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    let delay = await pace.reserve(chat: nil, now: now)
    #expect(delay <= .seconds(1000))
  }
}
