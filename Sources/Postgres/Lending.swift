import Synchronization

/// Who has which connection, who waits, and in which order.
final class Lending: PollTarget {
  enum Lease: Sendable {
    case session(Session)
    /// The right to make a new connection.
    case permit
  }

  /// One caller in the queue; guarded by the lock of the lending.
  private final class Waiter: @unchecked Sendable {
    let deadline: ContinuousClock.Instant
    var continuation: CheckedContinuation<Lease, any Error>?
    var isCancelled = false

    init(deadline: ContinuousClock.Instant) { self.deadline = deadline }
  }

  private struct State {
    /// The one used last is lent first, so that the others could be missed.
    var idle: [Session] = []
    var lent: [ObjectIdentifier: Session] = [:]
    /// Rights to connect that are being used.
    var permits = 0
    /// First come, first served.
    var waiters: [Waiter] = []
    var isClosed = false
    var closers: [CheckedContinuation<Void, Never>] = []
    var closeDeadline: ContinuousClock.Instant?
    var token: Poller.Token?

    var total: Int { idle.count + lent.count + permits }
  }

  private let configuration: Configuration
  private let state = Mutex(State())

  init(_ configuration: Configuration) { self.configuration = configuration }

  deinit {
    state.withLock { state in
      if let token = state.token { Poller.shared.unwatch(token) }
      for session in state.idle { session.close() }
    }
  }

  /// A live idle connection, or the right to make one, or either when it is this caller's turn.
  ///
  /// Throws `.poolExhausted`, `.cancelled` or `.closed`.
  func acquire() async throws -> Lease {
    while true {
      let lease = try await next()
      guard case .session(let session) = lease, !session.isUsable() else { return lease }
      discard(session)
    }
  }

  private func next() async throws -> Lease {
    if let lease = try state.withLock({ try takeFree(&$0) }) { return lease }
    let waiter = Waiter(deadline: .now + configuration.acquireTimeout)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { wait(waiter, $0) }
    } onCancel: {
      cancel(waiter)
    }
  }

  /// Uses a permit up. False when the pool was closed meanwhile.
  func connected(_ session: Session) -> Bool {
    let isLent = state.withLock { state in
      guard !state.isClosed else { return false }
      state.permits -= 1
      state.lent[ObjectIdentifier(session)] = session
      return true
    }
    if !isLent { connectionFailed() }
    return isLent
  }

  /// Gives a permit back, to the next in the queue if there is one.
  func connectionFailed() {
    let next = state.withLock { state in
      state.permits -= 1
      return passOn(&state, .permit)
    }
    next()
  }

  func release(_ session: Session) {
    let isOpen = session.isOpen
    let next = state.withLock { state in
      state.lent[ObjectIdentifier(session)] = nil
      guard isOpen, !state.isClosed else { return passOn(&state, .permit) }
      return passOn(&state, .session(session))
    }
    if state.withLock({ $0.isClosed }) { session.close() }
    next()
  }

  /// Refuses new callers, and returns when every connection is closed.
  func close() async {
    let (idle, waiters) = state.withLock { state in
      state.isClosed = true
      defer {
        state.idle = []
        state.waiters = []
      }
      return (state.idle, state.waiters.compactMap(\.continuation))
    }
    for session in idle { session.close() }
    for waiter in waiters { waiter.resume(throwing: Lending.closedError) }
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        guard state.total > 0 else { return true }
        state.closers.append(continuation)
        state.closeDeadline = .now + Limits.closingGrace
        startTicking(&state)
        return false
      }
      if isDone { continuation.resume() }
    }
  }

  var counts: (lent: Int, waiting: Int) {
    state.withLock { ($0.lent.count, $0.waiters.count) }
  }

  func socketReady() {}

  func tick(_ now: ContinuousClock.Instant) {
    let (late, overdue, closers) = state.withLock { state in
      let late = state.waiters.filter { $0.deadline <= now }.compactMap(\.continuation)
      state.waiters.removeAll { $0.deadline <= now }
      guard let deadline = state.closeDeadline, deadline <= now else {
        return (late, [Session](), [CheckedContinuation<Void, Never>]())
      }
      defer {
        state.closers = []
        state.closeDeadline = nil
      }
      return (late, Array(state.lent.values), state.closers)
    }
    for waiter in late {
      waiter.resume(
        throwing: PostgresError(.poolExhausted, "no connection became free in time"))
    }
    for session in overdue { session.close() }
    for closer in closers { closer.resume() }
  }

  private static let closedError = PostgresError(.closed, "the pool is closed")

  private func takeFree(_ state: inout State) throws -> Lease? {
    if state.isClosed { throw Lending.closedError }
    guard state.waiters.isEmpty else { return nil }
    if let session = state.idle.popLast() {
      state.lent[ObjectIdentifier(session)] = session
      return .session(session)
    }
    guard state.total < configuration.maxConnections else { return nil }
    state.permits += 1
    return .permit
  }

  private func discard(_ session: Session) {
    session.close()
    let next = state.withLock { state in
      state.lent[ObjectIdentifier(session)] = nil
      return passOn(&state, .permit)
    }
    next()
  }

  private func wait(_ waiter: Waiter, _ continuation: CheckedContinuation<Lease, any Error>) {
    let outcome: Result<Lease, any Error>? = state.withLock { state in
      if waiter.isCancelled { return .failure(PostgresError.cancelledStatement) }
      do {
        if let lease = try takeFree(&state) { return .success(lease) }
      } catch {
        return .failure(error)
      }
      guard state.waiters.count < configuration.maxWaiters else {
        return .failure(
          PostgresError(.poolExhausted, "\(configuration.maxWaiters) callers are waiting already"))
      }
      waiter.continuation = continuation
      state.waiters.append(waiter)
      startTicking(&state)
      return nil
    }
    if let outcome { continuation.resume(with: outcome) }
  }

  private func cancel(_ waiter: Waiter) {
    let continuation = state.withLock { state in
      waiter.isCancelled = true
      guard let index = state.waiters.firstIndex(where: { $0 === waiter }) else {
        return CheckedContinuation<Lease, any Error>?.none
      }
      return state.waiters.remove(at: index).continuation
    }
    continuation?.resume(throwing: PostgresError.cancelledStatement)
  }

  /// Gives what became free to the next in the queue, or keeps it. Returns what is to be done
  /// after the lock is released.
  private func passOn(_ state: inout State, _ lease: Lease) -> () -> Void {
    guard !state.waiters.isEmpty, let next = state.waiters.removeFirst().continuation else {
      if case .session(let session) = lease { state.idle.append(session) }
      guard state.isClosed, state.total == 0 else { return {} }
      let closers = state.closers
      state.closers = []
      return { for closer in closers { closer.resume() } }
    }
    switch lease {
    case .session(let session): state.lent[ObjectIdentifier(session)] = session
    case .permit: state.permits += 1
    }
    return { next.resume(returning: lease) }
  }

  private func startTicking(_ state: inout State) {
    if state.token == nil { state.token = Poller.shared.watch(self) }
  }
}
