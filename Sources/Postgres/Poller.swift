import Foundation
import Synchronization

/// Something that waits for a socket or a deadline.
protocol PollTarget: AnyObject, Sendable {
  /// The socket can be read or written.
  func socketReady()
  /// Called every `Limits.tick`.
  func tick(_ now: ContinuousClock.Instant)
}

/// One thread that waits for every connection's socket, so that no query parks one of its own.
/// Targets are held weakly: a connection that nobody uses any more closes itself.
final class Poller: Sendable {
  static let shared = Poller()

  struct Token: Hashable, Sendable { fileprivate let number: UInt64 }

  private struct Watch {
    weak var target: (any PollTarget)?
    /// -1, which poll(2) skips, for a target that only waits for the time.
    var descriptor: Int32
    var events: Int16
  }

  private struct State {
    var watches: [Token: Watch] = [:]
    var tokens: UInt64 = 0
    var generation: UInt64 = 0
    var isRunning = false
  }

  private let state = Mutex(State())
  private let wakeReader: Int32
  private let wakeWriter: Int32

  private init() {
    var ends: [Int32] = [-1, -1]
    // Without a pipe (no descriptor left) changes are seen at the next tick instead of at once.
    if pipe(&ends) == 0 {
      for end in ends {
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      }
    }
    (wakeReader, wakeWriter) = (ends[0], ends[1])
  }

  /// Starts calling `target` for a socket, or for the time alone.
  func watch(_ target: any PollTarget, descriptor: Int32 = -1, events: Int32 = 0) -> Token {
    let (token, starts) = state.withLock { state in
      state.tokens += 1
      let token = Token(number: state.tokens)
      state.watches[token] = Watch(
        target: target, descriptor: descriptor, events: Int16(events))
      state.generation += 1
      defer { state.isRunning = true }
      return (token, !state.isRunning)
    }
    if starts {
      let thread = Thread { [self] in run() }
      thread.name = "postgres-poll"
      thread.start()
    }
    wake()
    return token
  }

  func change(_ token: Token, descriptor: Int32, events: Int32) {
    state.withLock { state in
      state.watches[token]?.descriptor = descriptor
      state.watches[token]?.events = Int16(events)
      state.generation += 1
    }
    wake()
  }

  /// Must be called before the socket is closed: its number may be given out again at once.
  func unwatch(_ token: Token) {
    state.withLock { state in
      state.watches[token] = nil
      state.generation += 1
    }
  }

  private func wake() {
    var byte: UInt8 = 0
    _ = write(wakeWriter, &byte, 1)
  }

  private func run() {
    var tokens: [Token] = []
    var descriptors: [pollfd] = []
    var generation = UInt64.max
    var nextTick = ContinuousClock.now + Limits.tick
    while true {
      state.withLock { state in
        guard state.generation != generation else { return }
        generation = state.generation
        tokens.removeAll(keepingCapacity: true)
        descriptors.removeAll(keepingCapacity: true)
        descriptors.append(pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0))
        for (token, watch) in state.watches {
          tokens.append(token)
          descriptors.append(pollfd(fd: watch.descriptor, events: watch.events, revents: 0))
        }
      }
      let wait = ContinuousClock.now.duration(to: nextTick).milliseconds
      let ready = poll(&descriptors, nfds_t(descriptors.count), Int32(max(0, wait)))
      if ready > 0 {
        if descriptors[0].revents != 0 { drainWakes() }
        for index in 1..<max(1, descriptors.count) where descriptors[index].revents != 0 {
          let token = tokens[index - 1]
          // The watch may have ended since: its descriptor is then somebody else's.
          state.withLock { $0.watches[token]?.target }?.socketReady()
        }
      }
      let now = ContinuousClock.now
      if now >= nextTick {
        nextTick = now + Limits.tick
        let targets = state.withLock { $0.watches.values.compactMap(\.target) }
        for target in targets { target.tick(now) }
      }
    }
  }

  private func drainWakes() {
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(wakeReader, &bytes, bytes.count) == bytes.count {}
  }
}

extension Duration {
  /// Whole milliseconds, rounded up.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
