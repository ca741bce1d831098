import CLibpq
import Foundation

/// Statements out, answers in.
extension SessionState {
  mutating func submit(_ operation: Operation, _ effects: inout SessionEffects) {
    if operation.isCancelled {
      return effects.resume(operation, with: .failure(.cancelledStatement))
    }
    switch phase {
    case .connecting:
      effects.resume(operation, with: .failure(PostgresError(.closed, "not connected yet")))
    case .closed(let error): effects.resume(operation, with: .failure(error))
    case .ready:
      // Two tasks may share a connection; the second waits for the first.
      if current == nil { begin(operation, &effects) } else { waiting.append(operation) }
    }
  }

  mutating func begin(_ operation: Operation, _ effects: inout SessionEffects) {
    guard let pointer = handle?.pointer else { return }
    current = operation
    operation.deadline = .now + operation.timeout
    operation.beganIdle = PQtransactionStatus(pointer) == PQTRANS_IDLE
    let isSent =
      switch operation.work {
      case .statements(let bound): send(bound, of: operation, on: pointer)
      case .script(let text): sendScript(text, of: operation, on: pointer)
      }
    guard isSent else { return close(lost(), &effects) }
    flush(&effects)
  }

  private mutating func send(
    _ bound: [BoundStatement], of operation: Operation, on pointer: OpaquePointer
  ) -> Bool {
    if operation.beganIdle, !sendDeallocations(of: operation, on: pointer) { return false }
    for statement in bound {
      let (name, isNew) = statements.name(for: statement.text)
      if isNew {
        guard PQsendPrepare(pointer, name, statement.text, 0, nil) == 1 else { return false }
        operation.expect(.prepare(text: statement.text, name: name))
      }
      let isSent = statement.withParameters { count, values in
        PQsendQueryPrepared(pointer, name, count, values, nil, nil, 0)
      }
      guard isSent == 1 else { return false }
      operation.expect(.execute)
    }
    operation.expect(.sync)
    return PQpipelineSync(pointer) == 1
  }

  /// Their own Sync: what follows must not share an implicit transaction with them, because
  /// some statements (CREATE DATABASE) run alone only.
  private func sendDeallocations(of operation: Operation, on pointer: OpaquePointer) -> Bool {
    var commands: [(String, Operation.Step)] = statements.evicted.map {
      ("deallocate \($0)", .deallocate(name: $0))
    }
    if statements.isStale { commands = [("deallocate all", .deallocateAll)] }
    if commands.isEmpty { return true }
    for (text, step) in commands {
      guard PQsendQueryParams(pointer, text, 0, nil, nil, nil, nil, 0) == 1 else { return false }
      operation.expect(step)
    }
    operation.expect(.sync)
    return PQpipelineSync(pointer) == 1
  }

  /// The simple protocol is refused in pipeline mode.
  private func sendScript(
    _ text: String, of operation: Operation, on pointer: OpaquePointer
  ) -> Bool {
    operation.expect(.script)
    return PQexitPipelineMode(pointer) == 1 && PQsendQuery(pointer, text) == 1
  }

  mutating func flush(_ effects: inout SessionEffects) {
    guard let pointer = handle?.pointer else { return }
    let rest = PQflush(pointer)
    // A failed write is not the end: the server may have said why, so read first.
    let wants = rest == 1
    guard wants != wantsToWrite else { return }
    wantsToWrite = wants
    watch(wants ? POLLIN | POLLOUT : POLLIN)
  }

  mutating func receive(_ effects: inout SessionEffects) {
    guard let pointer = handle?.pointer else { return }
    let isAlive = PQconsumeInput(pointer) == 1
    drain(&effects)
    guard isReady, let pointer = handle?.pointer else { return }
    if !isAlive || PQstatus(pointer) == CONNECTION_BAD { close(lost(), &effects) }
  }

  private mutating func drain(_ effects: inout SessionEffects) {
    while let operation = current, !operation.isDrained, let pointer = handle?.pointer {
      guard PQisBusy(pointer) == 0 else { return }
      switch operation.take(PQgetResult(pointer), statements: &statements) {
      case .ongoing: break
      case .drained: finish(operation, &effects)
      case .broken(let error):
        return close(PQstatus(pointer) == CONNECTION_BAD ? lost() : error, &effects)
      }
    }
    // Makes libpq read what arrives between statements.
    if current == nil, let pointer = handle?.pointer { _ = PQisBusy(pointer) }
  }

  private mutating func finish(_ operation: Operation, _ effects: inout SessionEffects) {
    guard !operation.awaitsCancelRequest, let pointer = handle?.pointer else { return }
    current = nil
    if case .script = operation.work, PQenterPipelineMode(pointer) != 1 {
      current = operation
      return close(lost(), &effects)
    }
    if let error = operation.error {
      if error.isStaleStatement {
        statements.invalidate()
        if operation.beganIdle, !operation.isRepeated, !operation.isCancelled {
          operation.rewind()
          return begin(operation, &effects)
        }
      }
      let isOurs = operation.isCancelled && error.sqlState == .queryCanceled
      effects.resume(operation, with: .failure(isOurs ? .cancelledStatement : error))
    } else {
      effects.resume(operation, with: .success(operation.results))
    }
    if !waiting.isEmpty { begin(waiting.removeFirst(), &effects) }
  }

  mutating func cancel(_ operation: Operation, _ effects: inout SessionEffects) {
    guard !operation.isCancelled else { return }
    operation.isCancelled = true
    if let index = waiting.firstIndex(where: { $0 === operation }) {
      waiting.remove(at: index)
      return effects.resume(operation, with: .failure(.cancelledStatement))
    }
    guard current === operation, let pointer = handle?.pointer else { return }
    operation.deadline = min(operation.deadline ?? .now, .now + Limits.cancellationGrace)
    guard let request = CancelRequest(connection: pointer) else { return }
    operation.awaitsCancelRequest = true
    effects.cancelRequests.append((request, operation))
  }

  mutating func cancelRequestSent(_ operation: Operation, _ effects: inout SessionEffects) {
    operation.awaitsCancelRequest = false
    guard current === operation, operation.isDrained else { return }
    finish(operation, &effects)
    drain(&effects)
  }
}
