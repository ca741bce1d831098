import CLibpq

/// What one caller asked one connection to do, and how far it has come.
/// Every property is read and written under the lock of the session that runs it.
final class Operation: @unchecked Sendable {
  enum Work {
    /// One pipeline with one Sync: an implicit transaction, unless one was begun.
    case statements([BoundStatement])
    /// Several statements as one text by the simple protocol.
    case script(String)
  }

  /// What the server will answer, in order.
  enum Step {
    case prepare(text: String, name: String)
    case execute
    case deallocate(name: String)
    case deallocateAll
    case sync
    case script
  }

  /// What the next result made of the operation.
  enum Progress { case ongoing, drained, broken(PostgresError) }

  let work: Work
  let timeout: Duration
  var continuation: CheckedContinuation<[ResultSet], any Error>?
  var deadline: ContinuousClock.Instant?
  var isCancelled = false
  /// A cancel request is on its way: the connection must not run anything else, or the request
  /// would hit that.
  var awaitsCancelRequest = false
  var isDrained = false
  /// It began outside a transaction, so a failure has undone all of it and it may run again.
  var beganIdle = false
  var isRepeated = false
  private(set) var error: PostgresError?
  private(set) var results: [ResultSet] = []
  private var steps: [Step] = []
  private var position = 0
  private var hasResult = false

  init(_ work: Work, timeout: Duration) {
    self.work = work
    self.timeout = timeout
  }

  func expect(_ step: Step) { steps.append(step) }

  /// What its caller is told when the connection ends with `end`.
  func outcome(of end: PostgresError) -> Result<[ResultSet], PostgresError> {
    // Done, and only waiting for its cancel request to be passed on.
    if isDrained, error == nil { return .success(results) }
    if isCancelled { return .failure(.cancelledStatement) }
    return .failure(end.kind == .connection ? error ?? end : end)
  }

  func rewind() {
    steps = []
    position = 0
    hasResult = false
    results = []
    error = nil
    isDrained = false
    isRepeated = true
  }

  /// Takes what `PQgetResult` gave; nil ends the answer to one step.
  func take(_ result: OpaquePointer?, statements: inout StatementCache) -> Progress {
    guard position < steps.count else {
      PQclear(result)
      return .broken(PostgresError(.connection, "the server sent more answers than statements"))
    }
    guard let result else { return endOfStep() }
    hasResult = true
    switch PQresultStatus(result) {
    case PGRES_PIPELINE_SYNC:
      PQclear(result)
      return advance()
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
      succeed(ResultSet(result), statements: &statements)
      return .ongoing
    case PGRES_PIPELINE_ABORTED:
      PQclear(result)
      skip(statements: &statements)
      return .ongoing
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      PQclear(result)
      return .broken(PostgresError(.connection, "COPY is not supported"))
    default:
      let failure = PostgresError(result: result)
      PQclear(result)
      fail(failure, statements: &statements)
      return .ongoing
    }
  }

  private func endOfStep() -> Progress {
    if case .script = steps[position] { return advance() }
    guard hasResult else {
      return .broken(PostgresError(.connection, "the server's answers ended early"))
    }
    return advance()
  }

  private func advance() -> Progress {
    position += 1
    hasResult = false
    isDrained = position == steps.count
    return isDrained ? .drained : .ongoing
  }

  private func succeed(_ result: ResultSet, statements: inout StatementCache) {
    switch steps[position] {
    case .execute: results.append(result)
    case .deallocate(let name): statements.deallocated(name)
    case .deallocateAll: statements.deallocatedAll()
    case .prepare, .sync, .script: break
    }
  }

  /// An earlier statement of the pipeline failed, so this one was not run.
  private func skip(statements: inout StatementCache) {
    if case .prepare(let text, let name) = steps[position] {
      statements.forget(text, name: name)
    }
  }

  private func fail(_ failure: PostgresError, statements: inout StatementCache) {
    switch steps[position] {
    case .deallocate(let name) where failure.kind == .server:
      // The server does not have it, which is what was wanted.
      statements.deallocated(name)
      return
    case .prepare(let text, let name): statements.forget(text, name: name)
    default: break
    }
    // The server's own last words say more than libpq's remark that it has gone.
    if error == nil || (failure.kind == .connection && error?.kind != .connection) {
      error = failure
    }
  }
}
