import CLibpq
import Foundation

/// What has to happen once the session's lock is released.
struct SessionEffects {
  var resumptions: [() -> Void] = []
  var cancelRequests: [(CancelRequest, Operation?)] = []

  mutating func resume(
    _ operation: Operation, with result: Result<[ResultSet], PostgresError>
  ) {
    guard let continuation = operation.continuation else { return }
    operation.continuation = nil
    resumptions.append { continuation.resume(with: result.mapError { $0 as any Error }) }
  }
}

/// A session's state, guarded by its lock.
struct SessionState {
  /// libpq's connection, used under the session's lock only.
  struct Handle: @unchecked Sendable { let pointer: OpaquePointer }

  enum Phase {
    case connecting
    case ready
    case closed(PostgresError)
  }

  var phase = Phase.connecting
  var handle: Handle?
  var token: Poller.Token?
  var connecting: CheckedContinuation<Void, any Error>?
  var connectDeadline: ContinuousClock.Instant?
  var wantsToWrite = false
  var current: Operation?
  var waiting: [Operation] = []
  var statements = StatementCache(capacity: Limits.preparedStatements)

  var isReady: Bool {
    if case .ready = phase { return true }
    return false
  }

  var isIdle: Bool { transactionStatus == PQTRANS_IDLE }

  var isInTransaction: Bool { transactionStatus == PQTRANS_INTRANS }

  private var transactionStatus: PGTransactionStatusType {
    guard isReady, let pointer = handle?.pointer else { return PQTRANS_UNKNOWN }
    return PQtransactionStatus(pointer)
  }

  var processID: Int32 { handle.map { PQbackendPID($0.pointer) } ?? 0 }

  /// Ends the session; everyone who waits gets an error.
  mutating func close(_ error: PostgresError, _ effects: inout SessionEffects) {
    if case .closed = phase { return }
    phase = .closed(error)
    if let token { Poller.shared.unwatch(token) }
    token = nil
    if let handle { PQfinish(handle.pointer) }
    handle = nil
    if let connecting {
      self.connecting = nil
      effects.resumptions.append { connecting.resume(throwing: error) }
    }
    if let current { effects.resume(current, with: current.outcome(of: error)) }
    for operation in waiting { effects.resume(operation, with: .failure(error)) }
    current = nil
    waiting = []
  }

  /// Looks at an idle connection's socket: what the server said last, or that it has gone.
  mutating func checkIsUsable(_ effects: inout SessionEffects) -> Bool {
    guard isReady, current == nil, let pointer = handle?.pointer else { return false }
    var byte: UInt8 = 0
    let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
    if recv(PQsocket(pointer), &byte, 1, flags) < 0, errno == EAGAIN || errno == EINTR {
      return true
    }
    receive(&effects)
    return isReady
  }

  mutating func socketReady(
    _ session: Session, _ notices: NoticeLog, _ effects: inout SessionEffects
  ) {
    switch phase {
    case .connecting: continueConnecting(session, notices, &effects)
    case .ready:
      flush(&effects)
      receive(&effects)
    case .closed: break
    }
  }

  /// Gives up what has taken too long.
  mutating func expire(_ now: ContinuousClock.Instant, _ effects: inout SessionEffects) {
    switch phase {
    case .connecting:
      guard let connectDeadline, now >= connectDeadline else { return }
      close(PostgresError(.timeout, "the server did not accept the connection in time"), &effects)
    case .ready:
      guard let current, let deadline = current.deadline, now >= deadline else { return }
      if !current.isCancelled, let pointer = handle?.pointer,
        let request = CancelRequest(connection: pointer)
      {
        // The server may still be at work on it; should it wake up, it is to stop.
        effects.cancelRequests.append((request, nil))
      }
      close(PostgresError(.timeout, "the server did not answer in time"), &effects)
    case .closed: break
    }
  }
}

extension PostgresError {
  static let cancelledStatement = PostgresError(.cancelled, "the statement was cancelled")
}

extension SessionState {
  /// False when the session was closed before it began.
  mutating func beginConnecting(
    _ continuation: CheckedContinuation<Void, any Error>, timeout: Duration, _ session: Session,
    _ effects: inout SessionEffects
  ) -> Bool {
    if case .closed(let error) = phase {
      effects.resumptions.append { continuation.resume(throwing: error) }
      return false
    }
    connecting = continuation
    connectDeadline = .now + timeout
    token = Poller.shared.watch(session)
    return true
  }

  mutating func connectionStarted(
    _ started: Handle?, _ session: Session, _ notices: NoticeLog, _ effects: inout SessionEffects
  ) {
    guard case .connecting = phase else {
      // It took too long; the caller has been told.
      if let started { PQfinish(started.pointer) }
      return
    }
    guard let started else {
      return close(PostgresError(.connection, "out of memory"), &effects)
    }
    handle = started
    guard PQstatus(started.pointer) != CONNECTION_BAD else {
      return close(lost(), &effects)
    }
    // As if PQconnectPoll had last returned PGRES_POLLING_WRITING:
    // https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PQCONNECTSTARTPARAMS
    watch(POLLOUT)
  }

  private mutating func continueConnecting(
    _ session: Session, _ notices: NoticeLog, _ effects: inout SessionEffects
  ) {
    guard let pointer = handle?.pointer else { return }
    switch PQconnectPoll(pointer) {
    case PGRES_POLLING_READING: watch(POLLIN)
    case PGRES_POLLING_WRITING: watch(POLLOUT)
    case PGRES_POLLING_OK:
      guard PQsetnonblocking(pointer, 1) == 0, PQenterPipelineMode(pointer) == 1 else {
        return close(lost(), &effects)
      }
      notices.attach(to: pointer)
      phase = .ready
      watch(POLLIN)
      if let connecting {
        self.connecting = nil
        effects.resumptions.append { connecting.resume() }
      }
    default: close(lost(), &effects)
    }
  }

  mutating func watch(_ events: Int32) {
    guard let token, let pointer = handle?.pointer else { return }
    Poller.shared.change(token, descriptor: PQsocket(pointer), events: events)
  }

  /// libpq's last word on a connection that failed.
  func lost() -> PostgresError {
    PostgresError(.connection, PostgresError.oneLine(handle.flatMap { PQerrorMessage($0.pointer) }))
  }
}
