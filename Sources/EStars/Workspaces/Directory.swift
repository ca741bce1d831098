import Foundation
@_spi(Guard) import Ledger
import Postgres
import Synchronization

/// Bots, keys, workspaces and catalogues in memory, so that a request needs no look-up and a
/// pre-checkout no database at all. A bot, a key and a workspace are at most
/// ``Limits/directorySeconds`` old while the database answers; catalogues are refreshed behind the
/// request that found them older.
public final class Directory: Sendable {
  private let pool: Pool
  private let bots: AgedCache<Int64, Bot>
  private let keys: AgedCache<[UInt8], APIKey>
  private let workspaces: AgedCache<Int64, Workspace>
  private let catalogs: AgedCache<Int64, Catalog>

  init(pool: Pool) {
    self.pool = pool
    let silence = Silence()
    // A bot's mode and secret say what becomes of an update; without a database the old ones do.
    bots = AgedCache(patience: .seconds(Int64.max), silence) { try await Bot.find(id: $0, pool) }
    // A revoked key must not outlive an outage by much.
    keys = AgedCache(patience: .seconds(Limits.keyOutageSeconds), silence) {
      try await APIKey.find(hash: $0, pool)
    }
    // A suspension counts for every process; without a database the old stage does.
    workspaces = AgedCache(patience: .seconds(Int64.max), silence) {
      try await Workspace.find(id: $0, pool)
    }
    catalogs = AgedCache(silence) { id in
      // Clock offsets play no part in a catalogue, so a bare scope will do.
      try await Catalog.load(in: WorkspaceScope(workspaceID: id), pool)
    }
  }

  /// Reads every bot with its workspace and catalogue, before the first request.
  public func preload() async throws {
    for bot in try await Bot.all(pool) {
      bots.store(bot, for: bot.id)
      _ = try await workspace(bot.workspaceID)
      _ = try await catalog(of: bot.workspaceID)
    }
  }

  public func bot(_ id: Int64) async throws -> Bot? { try await bots.value(for: id) }

  /// What was just changed in the database, so that the next request sees it.
  func remember(_ bot: Bot) { bots.store(bot, for: bot.id) }

  public func apiKey(_ text: String) async throws -> APIKey? {
    // What cannot be a key costs no query.
    guard text.hasPrefix("esk_"), text.utf8.count < 80 else { return nil }
    guard let key = try await keys.value(for: Bytes.sha256(text)), !key.isExpired(at: Date())
    else { return nil }
    return key
  }

  public func workspace(_ id: Int64) async throws -> Workspace? {
    try await workspaces.value(for: id)
  }

  /// Reads a workspace that was just changed, so that the next request sees it.
  func reload(workspace id: Int64) async throws {
    if let workspace = try await Workspace.find(id: id, pool) {
      workspaces.store(workspace, for: id)
    }
  }

  public func catalog(of workspaceID: Int64) async throws -> Catalog {
    try await catalogs.value(for: workspaceID) ?? Catalog(packs: [], actions: [])
  }
}

/// When the database last failed to answer, for all who ask it: what waits for one answer does not
/// wait for the next one, too.
final class Silence: Sendable {
  private let since = Mutex<ContinuousClock.Instant?>(nil)

  var isRecent: Bool {
    since.withLock { since in
      since.map { .now - $0 < .seconds(Limits.directorySeconds) } ?? false
    }
  }

  func note() { since.withLock { $0 = .now } }
}

/// Values by key with an age. A value older than ``Limits/directorySeconds`` is read again: in the
/// background where an old one may serve meanwhile, else before it is given out. Absent keys are not
/// remembered, so the size is bounded by what exists; a bound on top guards against mistakes.
final class AgedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    var value: Value
    var readAt: ContinuousClock.Instant
    var isBeingRead = false
  }

  private enum Known {
    case fresh(Value)
    case old(Value, isFirstToAsk: Bool)
    case nothing
  }

  private let entries = Mutex<[Key: Entry]>([:])
  private let load: @Sendable (Key) async throws -> Value?
  /// How old a value may be while the source does not answer; nil: as old as it is, and it is served
  /// at once while the next one is fetched.
  private let patience: Duration?
  private let silence: Silence
  private static var capacity: Int { 50_000 }

  init(
    patience: Duration? = nil, _ silence: Silence = Silence(),
    load: @escaping @Sendable (Key) async throws -> Value?
  ) {
    self.patience = patience
    self.silence = silence
    self.load = load
  }

  func store(_ value: Value, for key: Key) {
    entries.withLock { entries in
      if entries.count >= Self.capacity, entries[key] == nil { entries.removeAll() }
      entries[key] = Entry(value: value, readAt: .now)
    }
  }

  func value(for key: Key) async throws -> Value? {
    switch known(key) {
    case .fresh(let value): return value
    case .old(let value, let isFirstToAsk) where patience == nil:
      if isFirstToAsk {
        Task { try? await read(key, within: Limits.preCheckoutDatabaseSeconds) }
      }
      return value
    case .old(let value, _):
      // An outage costs a wait now and then, not one for every request.
      if let patience, silence.isRecent, age(of: key) < patience { return value }
      do { return try await read(key, within: Limits.directoryWaitSeconds) } catch {
        guard let patience, age(of: key) < patience else { throw error }
        return value
      }
    case .nothing: return try await read(key, within: Limits.preCheckoutDatabaseSeconds)
    }
  }

  private func known(_ key: Key) -> Known {
    entries.withLock { entries in
      guard let entry = entries[key] else { return .nothing }
      if .now - entry.readAt < .seconds(Limits.directorySeconds) { return .fresh(entry.value) }
      entries[key]?.isBeingRead = true
      return .old(entry.value, isFirstToAsk: !entry.isBeingRead)
    }
  }

  private func age(of key: Key) -> Duration {
    entries.withLock { $0[key].map { .now - $0.readAt } } ?? .seconds(1 << 30)
  }

  @discardableResult
  private func read(_ key: Key, within seconds: Double) async throws -> Value? {
    do {
      let load = load
      let value = try await withDeadline(seconds: seconds) {
        try await load(key)
      }
      if let value {
        store(value, for: key)
      } else {
        entries.withLock { _ = $0.removeValue(forKey: key) }
      }
      return value
    } catch {
      entries.withLock { $0[key]?.isBeingRead = false }
      if !(error is CancellationError) { silence.note() }
      throw error
    }
  }
}

/// The time was up before the work was done.
public struct DeadlineExceeded: Error {}

/// Runs the work and gives up on it after the seconds: the caller goes on at once, the work is
/// cancelled and left to end by itself (waiting for it could take as long as a frozen database).
public func withDeadline<T: Sendable>(
  seconds: Double, _ work: @escaping @Sendable () async throws -> T
) async throws -> T {
  let first = Mutex<CheckedContinuation<T, any Error>?>(nil)
  let resume: @Sendable (Result<T, any Error>) -> Void = { result in
    let waiting = first.withLock { continuation in
      defer { continuation = nil }
      return continuation
    }
    waiting?.resume(with: result)
  }
  let tasks = Mutex<(work: Task<Void, Never>, timer: Task<Void, Never>)?>(nil)
  defer {
    tasks.withLock { pair in
      pair?.work.cancel()
      pair?.timer.cancel()
    }
  }
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      first.withLock { $0 = continuation }
      let working = Task {
        do { resume(.success(try await work())) } catch { resume(.failure(error)) }
      }
      let timer = Task {
        try? await Task.sleep(for: .seconds(seconds))
        if !Task.isCancelled { resume(.failure(DeadlineExceeded())) }
      }
      tasks.withLock { $0 = (working, timer) }
    }
  } onCancel: {
    resume(.failure(CancellationError()))
  }
}
