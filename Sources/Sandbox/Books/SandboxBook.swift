import Foundation
import Logging
import Telegram

/// The sandbox's Telegram: bots, people, chats, Stars and updates, kept in books on disk.
///
/// Every action is written to disk before it returns. The actor runs on a thread of its own, so
/// that waiting for the disk holds up nobody else.
public actor SandboxBook {
  var state: BookState
  var faults = Faults()
  var deliveryLog: [Delivery] = []
  var webhookErrors: [Int64: (date: Int64, message: String)] = [:]
  var webhookSetAt: [Int64: ContinuousClock.Instant] = [:]
  /// Bots whose last delivery failed.
  var failingWebhooks: Set<Int64> = []
  /// Since when (sandbox time) a webhook has answered nothing but 410.
  var goneSince: [Int64: Int64] = [:]
  var polls: [Int64: Poll] = [:]
  var polledAt: [Int64: ContinuousClock.Instant] = [:]
  /// Set at shutdown: nothing waits any more.
  var isStopping = false
  var checkoutWaiters: [String: CheckedContinuation<PaymentOutcome, Never>] = [:]
  var pressWaiters: [String: [CheckedContinuation<Void, Never>]] = [:]

  let pace: SandboxConfiguration.Pace
  let logger: Logger
  /// Ids of bots that have something new to deliver.
  nonisolated let wakes: AsyncStream<Int64>
  private let wake: AsyncStream<Int64>.Continuation
  private let journal: Journal
  private var unsaved: [Change] = []
  private nonisolated let executor = BookExecutor()

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  /// Opens the books in a directory, making it when there is none.
  ///
  /// - Throws: `SandboxError`.
  public init(
    directory: URL, pace: SandboxConfiguration.Pace = .init(), logger: Logger
  ) throws {
    let (journal, state) = try Journal.open(in: directory)
    self.journal = journal
    self.state = state
    self.pace = pace
    self.logger = logger
    (wakes, wake) = AsyncStream.makeStream(of: Int64.self)
  }

  /// Records a row in memory; `write` makes it durable.
  func put(_ change: Change) {
    state.apply(change)
    unsaved.append(change)
  }

  /// Runs an action and writes all it put as one line. An action checks everything before its
  /// first `put`, so an error means that nothing happened.
  func write<Value>(_ action: () throws -> Value) throws -> Value {
    let value: Value
    do {
      value = try action()
    } catch {
      try save()
      throw error
    }
    try save()
    return value
  }

  private func save() throws {
    guard !unsaved.isEmpty else { return }
    let changes = unsaved
    unsaved = []
    try journal.append(changes)
    if journal.isLong { fold() }
    var bots: Set<Int64> = []
    for case .pending(let botID, _) in changes { bots.insert(botID) }
    for botID in bots {
      wakePoll(botID)
      wake.yield(botID)
    }
  }

  /// Folds the journal, so that the next start is quick.
  func close() {
    fold()
    wake.finish()
  }

  /// Nothing is lost when this fails: the journal holds it all.
  private func fold() {
    do {
      try journal.fold(state)
    } catch {
      logger.error("The books could not be folded", metadata: ["error": "\(error)"])
    }
  }

  func wakeDelivery(_ botID: Int64) { wake.yield(botID) }

  /// Bots whose waiting updates must be taken up after a start.
  var botsWithWebhook: [Int64] { state.bots.values.filter { $0.webhook != nil }.map(\.id) }

  func bot(_ id: Int64) throws -> Bot {
    guard let bot = state.bots[id] else { throw Refusal.missing("bot") }
    return bot
  }

  func person(_ id: Int64) throws -> Person {
    guard let person = state.people[id] else { throw Refusal.missing("person") }
    return person
  }
}

/// Runs the book's jobs one by one on a thread that may block.
private final class BookExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "sandbox-book")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
