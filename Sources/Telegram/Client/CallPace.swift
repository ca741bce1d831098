/// Keeps one bot below Telegram's limits: about 30 messages a second over all chats and one a
/// second in each chat, bursts tolerated. Share one value among all clients of a bot.
public actor CallPace {
  private var overall: TokenBucket
  private var chats: [Int64: TokenBucket] = [:]
  private let chatBurst: Int
  private let chatPerSecond: Double

  public init(
    perSecond: Double = 30, burst: Int = 30, chatPerSecond: Double = 1, chatBurst: Int = 3
  ) {
    overall = TokenBucket(capacity: burst, perSecond: perSecond, now: .now)
    self.chatPerSecond = chatPerSecond
    self.chatBurst = chatBurst
  }

  /// Waits until the next call may leave; a call without a chat counts overall only.
  ///
  /// - Throws: `CancellationError`; the place in the queue is then given back.
  public func wait(chat: Int64?) async throws {
    let delay = reserve(chat: chat, now: .now)
    guard delay > .zero else { return }
    do {
      try await Task.sleep(for: delay)
    } catch {
      overall.giveBack()
      if let chat { chats[chat]?.giveBack() }
      throw error
    }
  }

  func reserve(chat: Int64?, now: ContinuousClock.Instant) -> Duration {
    var delay = overall.take(now: now)
    if let chat {
      if chats.count >= Limits.pacedChats { forgetIdleChats(now: now) }
      var bucket =
        chats[chat] ?? TokenBucket(capacity: chatBurst, perSecond: chatPerSecond, now: now)
      delay = max(delay, bucket.take(now: now))
      chats[chat] = bucket
    }
    return delay
  }

  private func forgetIdleChats(now: ContinuousClock.Instant) {
    for (chat, bucket) in chats {
      var bucket = bucket
      if bucket.isFull(now: now) { chats[chat] = nil }
    }
    // Every chat was busy: bounded memory matters more than the pace of the rest.
    if chats.count >= Limits.pacedChats { chats.removeAll() }
  }
}
