import CLibpq
import Foundation
import Logging
import Synchronization

/// One connection to the server. libpq's connection is touched under one lock only: by the caller
/// that sends a statement, and by the poller's thread that reads the answer.
final class Session: PollTarget {
  let configuration: Configuration
  private let canceller: Canceller
  private let notices: NoticeLog
  private let state: Mutex<SessionState>

  private init(configuration: Configuration, canceller: Canceller, logger: Logger) {
    self.configuration = configuration
    self.canceller = canceller
    notices = NoticeLog(logger: logger)
    state = Mutex(SessionState())
  }

  deinit {
    // Nobody waits any more, or the session would still be held.
    state.withLock { state in
      var effects = SessionEffects()
      state.close(PostgresError(.closed, "the connection was dropped"), &effects)
    }
  }

  /// Connects and sets what every session has: UTC, ISO dates, warnings only.
  ///
  /// Throws `.connection`, `.timeout` or `.cancelled`.
  static func connect(
    _ configuration: Configuration, canceller: Canceller, logger: Logger
  ) async throws -> Session {
    let session = Session(configuration: configuration, canceller: canceller, logger: logger)
    try await session.connect()
    // By statement and not by startup options, which poolers in between refuse.
    let settings: SQL = """
      select set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),
        set_config('bytea_output', 'hex', false),
        set_config('client_min_messages', 'warning', false)
      """
    _ = try await session.run([settings], timeout: configuration.connectTimeout)
    return session
  }

  /// Runs statements as one pipeline with one Sync and returns an answer for each.
  func run(
    _ statements: [SQL], timeout: Duration? = nil, isCancellable: Bool = true
  ) async throws -> [ResultSet] {
    if statements.isEmpty { return [] }
    let bound = try statements.map(BoundStatement.init)
    return try await perform(.statements(bound), timeout: timeout, isCancellable: isCancellable)
  }

  /// Runs a text of several statements by the simple protocol, as one implicit transaction.
  func runScript(_ text: String, timeout: Duration? = nil) async throws {
    guard !text.utf8.contains(0) else {
      throw PostgresError(.encoding, "the script contains a NUL byte")
    }
    _ = try await perform(.script(text), timeout: timeout, isCancellable: true)
  }

  private func perform(
    _ work: Operation.Work, timeout: Duration?, isCancellable: Bool
  ) async throws -> [ResultSet] {
    let operation = Operation(work, timeout: timeout ?? configuration.queryTimeout)
    guard isCancellable else {
      return try await withCheckedThrowingContinuation { submit(operation, $0) }
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { submit(operation, $0) }
    } onCancel: {
      cancel(operation)
    }
  }

  private func submit(
    _ operation: Operation, _ continuation: CheckedContinuation<[ResultSet], any Error>
  ) {
    withState { state, effects in
      operation.continuation = continuation
      state.submit(operation, &effects)
    }
  }

  private func cancel(_ operation: Operation) {
    withState { $0.cancel(operation, &$1) }
  }

  /// Whether the connection can be lent. Looks at the socket, so that a server that has gone is
  /// noticed before anything is sent.
  func isUsable() -> Bool {
    withState { state, effects in state.checkIsUsable(&effects) }
  }

  /// Whether no transaction is open on a live connection.
  var isIdle: Bool { withState { state, _ in state.isIdle } }

  /// Whether a transaction was begun and has not failed.
  var isInTransaction: Bool { withState { state, _ in state.isInTransaction } }

  var isOpen: Bool { withState { state, _ in state.isReady } }

  /// The process on the server.
  var processID: Int32 { withState { state, _ in state.processID } }

  func close() {
    withState { $0.close(PostgresError(.closed, "the connection was closed"), &$1) }
  }

  func socketReady() {
    withState { [notices] state, effects in state.socketReady(self, notices, &effects) }
  }

  func tick(_ now: ContinuousClock.Instant) {
    withState { $0.expire(now, &$1) }
  }

  /// Callers are resumed and cancel requests handed over after the lock is released.
  private func withState<T: Sendable>(
    _ body: (inout SessionState, inout SessionEffects) -> T
  ) -> T {
    var effects = SessionEffects()
    let value = state.withLock { body(&$0, &effects) }
    for resume in effects.resumptions { resume() }
    for (request, operation) in effects.cancelRequests {
      let isAccepted = canceller.send(request) { [weak self] in
        guard let self, let operation else { return }
        withState { $0.cancelRequestSent(operation, &$1) }
      }
      if !isAccepted { close() }
    }
    return value
  }

  private func connect() async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Void, any Error>) in
        let begins = withState { state, effects in
          state.beginConnecting(continuation, timeout: configuration.connectTimeout, self, &effects)
        }
        // PQconnectStart resolves host names, which may block.
        if begins { DispatchQueue.global().async { self.startConnecting() } }
      }
    } onCancel: {
      withState { $0.close(PostgresError(.cancelled, "cancelled while connecting"), &$1) }
    }
  }

  private func startConnecting() {
    let parameters = [
      ("dbname", configuration.connectionString),
      ("application_name", configuration.applicationName),
      ("client_encoding", "UTF8"),
    ]
    let keys = parameters.map { strdup($0.0) }
    let values = parameters.map { strdup($0.1) }
    defer { (keys + values).forEach { free($0) } }
    let pointer = PQconnectStartParams(
      keys.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    let handle = pointer.map(SessionState.Handle.init)
    withState { [notices] in $0.connectionStarted(handle, self, notices, &$1) }
  }
}

/// Receives the server's notices and warnings.
final class NoticeLog: Sendable {
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// The log must outlive the connection.
  func attach(to connection: OpaquePointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    PQsetNoticeProcessor(
      connection,
      { context, message in
        guard let context, let message else { return }
        let log = Unmanaged<NoticeLog>.fromOpaque(context).takeUnretainedValue()
        log.logger.debug("\(PostgresError.oneLine(message))")
      }, context)
  }
}
