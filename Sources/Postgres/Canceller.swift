import CLibpq
import Foundation
import Synchronization

/// The right to cancel what one connection runs. Used by one thread, once.
struct CancelRequest: @unchecked Sendable {
  private let pointer: OpaquePointer

  /// Nil when the connection is not one that could be cancelled.
  init?(connection: OpaquePointer) {
    guard let pointer = PQgetCancel(connection) else { return nil }
    self.pointer = pointer
  }

  /// Returns when the server has passed the request on, or it failed.
  func send() {
    var message = [CChar](repeating: 0, count: 256)
    _ = PQcancel(pointer, &message, Int32(message.count))
    PQfreeCancel(pointer)
  }

  func discard() { PQfreeCancel(pointer) }
}

/// Sends cancel requests one after the other on a thread of its own, because libpq's `PQcancel`
/// blocks until the server closes the request's connection. The thread ends when there is
/// nothing to send. A server that takes no requests fills the queue, and then they are refused.
final class Canceller: Sendable {
  private struct State {
    var queue: [(CancelRequest, @Sendable () -> Void)] = []
    var isRunning = false
  }

  private let state = Mutex(State())

  /// Calls `done` after the request was passed on. False when too many are waiting.
  func send(_ request: CancelRequest, done: @escaping @Sendable () -> Void) -> Bool {
    let (isAccepted, starts) = state.withLock { state in
      guard state.queue.count < Limits.queuedCancellations else { return (false, false) }
      state.queue.append((request, done))
      defer { state.isRunning = true }
      return (true, !state.isRunning)
    }
    if starts { Thread.detachNewThread { [self] in run() } }
    if !isAccepted { request.discard() }
    return isAccepted
  }

  private func run() {
    while let (request, done) = next() {
      request.send()
      done()
    }
  }

  private func next() -> (CancelRequest, @Sendable () -> Void)? {
    state.withLock { state in
      if state.queue.isEmpty {
        state.isRunning = false
        return nil
      }
      return state.queue.removeFirst()
    }
  }
}
