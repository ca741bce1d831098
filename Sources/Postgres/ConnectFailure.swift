import Synchronization

/// The last attempt to connect, where it failed. Its error answers for those that follow within a
/// moment: a server that recovers needs its time for that, and not for turning hundreds of
/// connections a second away.
final class ConnectFailure: Sendable {
  private struct Known {
    let error: PostgresError
    let end: ContinuousClock.Instant
  }

  private let known = Mutex(Known?.none)

  /// Throws the error of an attempt that failed a moment ago.
  func check() throws {
    if let known = known.withLock({ $0 }), ContinuousClock.now < known.end { throw known.error }
  }

  func note(_ error: any Error) {
    guard let error = error as? PostgresError, error.kind == .connection else { return }
    known.withLock { $0 = Known(error: error, end: .now + Limits.reconnectPause) }
  }
}
