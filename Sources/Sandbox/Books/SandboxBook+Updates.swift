import Foundation
import Telegram

/// A long poll of a bot that waits for something to say.
struct Poll {
  enum End: Sendable { case news, timeout, otherPoll, webhook }

  let number: Int
  let continuation: CheckedContinuation<End, Never>
}

/// The queue an update stands in: only updates of the same queue wait for one another.
enum UpdateQueue {
  static func chat(_ id: Int64) -> String { "chat:\(id)" }
  static func preCheckout(_ user: Int64) -> String { "pre_checkout:\(user)" }
  static func press(_ user: Int64) -> String { "callback:\(user)" }
  static func subscription(_ user: Int64) -> String { "subscription:\(user)" }
}

extension SandboxBook {
  private static let day = 86_400.0
  private static let week = 604_800.0
  private static let preCheckoutLifetime = 150.0

  /// Puts an update into its queue, unless the bot did not ask for this kind.
  func emit(
    _ kind: UpdateKind, to botID: Int64, queue: String, make: (Int64) -> Update
  ) {
    guard var bot = state.bots[botID], bot.receives(kind) else { return }
    let waiting = state.pending[botID]?.count ?? 0
    guard waiting < SandboxLimits.pendingUpdates else {
      logger.warning("Updates are lost: too many wait", metadata: ["bot": "\(botID)"])
      return
    }
    let time = now
    // Telegram starts anew at a random number after a week of silence.
    let isSilent = waiting == 0 && time - bot.lastUpdateAt > SandboxBook.week
    let id = isSilent ? nil : bot.lastUpdateID.map { $0 + 1 }
    let updateID = id ?? Int64.random(in: 100_000_000...900_000_000)
    bot.lastUpdateID = updateID
    bot.lastUpdateAt = time
    put(.bot(bot))
    let update = make(updateID)
    guard !faults.takeLoss(botID: botID, update) else { return }
    let lifetime =
      kind == .preCheckoutQuery ? SandboxBook.preCheckoutLifetime : SandboxBook.day
    put(
      .pending(
        botID: botID,
        PendingUpdate(
          update: update, queue: queue, expiresAt: time + lifetime,
          copies: faults.takeCopies(botID: botID, kind: kind))))
  }

  func dropExpiredUpdates(of botID: Int64) {
    let time = now
    let expired = (state.pending[botID] ?? []).filter { $0.expiresAt < time }
    guard !expired.isEmpty else { return }
    put(.delivered(botID: botID, updateIDs: expired.map(\.update.updateID)))
  }

  /// The first update of each queue, oldest first.
  func queueHeads(of botID: Int64) throws -> [PendingUpdate] {
    try write { dropExpiredUpdates(of: botID) }
    var seen: Set<String> = []
    return (state.pending[botID] ?? []).filter { seen.insert($0.queue).inserted }
  }

  func markDelivered(_ updateIDs: [Int64], botID: Int64) throws {
    try write { put(.delivered(botID: botID, updateIDs: updateIDs)) }
  }

  func pendingCount(of botID: Int64) throws -> Int {
    try write { dropExpiredUpdates(of: botID) }
    return state.pending[botID]?.count ?? 0
  }

  /// Waits for updates as `getUpdates` does.
  ///
  /// - Throws: `BotAPIError` 409 when a webhook, or a newer poll, has taken over.
  func poll(
    botID: Int64, offset: Int64, limit: Int, timeout: Duration, allowedUpdates: [UpdateKind]?
  ) async throws -> [Update] {
    guard var bot = state.bots[botID] else { throw BotAPIError.unauthorized }
    guard bot.webhook == nil else { throw BotAPIError.webhookIsActive }
    polls[botID]?.continuation.resume(returning: .otherPoll)
    polls[botID] = nil
    polledAt[botID] = .now
    if let allowedUpdates, allowedUpdates != bot.allowedUpdates {
      bot.allowedUpdates = allowedUpdates
      try write { put(.bot(bot)) }
    }
    let start = try confirm(botID: botID, offset: offset)
    let deadline = ContinuousClock.now + timeout
    while true {
      let batch = try batch(botID: botID, from: start, limit: limit)
      if !batch.isEmpty { return batch }
      let rest = ContinuousClock.now.duration(to: deadline)
      guard rest > .zero, !isStopping else { return [] }
      switch await nextNews(botID: botID, within: rest) {
      case .news, .timeout: continue
      case .otherPoll: throw BotAPIError.otherPoll
      case .webhook: throw BotAPIError.webhookWasSet
      }
    }
  }

  func wakePoll(_ botID: Int64) { endPoll(botID, .news) }

  func endPoll(_ botID: Int64, _ end: Poll.End) {
    guard let poll = polls.removeValue(forKey: botID) else { return }
    poll.continuation.resume(returning: end)
  }

  /// Removes what the offset confirms and gives the id to read from.
  private func confirm(botID: Int64, offset: Int64) throws -> Int64 {
    let waiting = state.pending[botID] ?? []
    if offset < 0 {
      // Counted from the end; everything before is forgotten.
      let kept = waiting.suffix(Int(min(offset.magnitude, UInt64(waiting.count))))
      let gone = waiting.dropLast(kept.count).map(\.update.updateID)
      if !gone.isEmpty { try markDelivered(gone, botID: botID) }
      return 0
    }
    // Far beyond the newest id, the offset belongs to an earlier numbering and confirms nothing.
    let newest = state.bots[botID]?.lastUpdateID ?? 0
    guard offset > 0, offset <= newest + 10 else { return 0 }
    let gone = waiting.map(\.update.updateID).filter { $0 < offset }
    if !gone.isEmpty { try markDelivered(gone, botID: botID) }
    return offset
  }

  private func batch(botID: Int64, from start: Int64, limit: Int) throws -> [Update] {
    try write { dropExpiredUpdates(of: botID) }
    let found = (state.pending[botID] ?? []).filter { $0.update.updateID >= start }.prefix(limit)
    return found.flatMap { Array(repeating: $0.update, count: $0.copies) }
  }

  private func nextNews(botID: Int64, within rest: Duration) async -> Poll.End {
    let number = Int.random(in: 0...Int.max)
    let timer = Task {
      try await Task.sleep(for: rest)
      self.timeOutPoll(botID, number)
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { continuation in
      polls[botID] = Poll(number: number, continuation: continuation)
    }
  }

  private func timeOutPoll(_ botID: Int64, _ number: Int) {
    if polls[botID]?.number == number { endPoll(botID, .timeout) }
  }
}
