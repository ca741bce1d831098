import Foundation
@_spi(Guard) @testable import Ledger
import Postgres
import Synchronization
import Testing

/// A flush that the test opens and closes, and that remembers its batches.
private final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
    var batches: [(scope: Int64, requests: [Int])] = []
    var inFlight: [Int64: Int] = [:]
    var mostInFlight = 0
  }

  private let state: Mutex<State>

  init(isOpen: Bool = false) { state = Mutex(State(isOpen: isOpen)) }

  var batches: [[Int]] { state.withLock { $0.batches.map(\.requests) } }
  var workspaces: Set<Int64> { state.withLock { Set($0.batches.map(\.scope)) } }
  var mostInFlight: Int { state.withLock { $0.mostInFlight } }

  func pass(_ requests: [Int], _ scope: WorkspaceScope) async {
    state.withLock { state in
      state.batches.append((scope.workspaceID, requests))
      state.inFlight[scope.workspaceID, default: 0] += 1
      state.mostInFlight = max(state.mostInFlight, state.inFlight[scope.workspaceID]!)
    }
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
    state.withLock { $0.inFlight[scope.workspaceID]! -= 1 }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}

/// Waits until something that is under way has happened.
private func until(_ condition: () -> Bool) async throws {
  for _ in 0..<5_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
  try #require(condition())
}

@Suite struct CoalescerTests {
  private let scope = WorkspaceScope(workspaceID: 1)

  private func coalescer(_ gate: Gate, maxBatch: Int = 100, maxQueued: Int = 1000) -> Coalescer<
    Int, Int
  > {
    Coalescer(maxBatch: maxBatch, maxQueuedPerLane: maxQueued) { requests, scope in
      await gate.pass(requests, scope)
      return requests.map { $0 * 10 }
    }
  }

  @Test func arrivalsShareTheNextBatch() async throws {
    let gate = Gate()
    let coalescer = coalescer(gate, maxBatch: 20)
    async let first = coalescer.submit(0, in: scope)
    try await until { gate.batches.count == 1 }
    let others = (1...50).map { n in Task { try await coalescer.submit(n, in: scope) } }
    try await until { coalescer.queuedCount == 50 }
    gate.open()
    #expect(try await first == 0)
    for (index, task) in others.enumerated() {
      #expect(try await task.value == (index + 1) * 10)
    }
    #expect(gate.batches.map(\.count) == [1, 20, 20, 10])
    #expect(gate.batches.flatMap { $0 }.sorted() == Array(0...50))
    #expect(gate.mostInFlight == 1)
    try await until { coalescer.laneCount == 0 }
  }

  @Test func tenantsNeverShareABatch() async throws {
    let gate = Gate()
    let coalescer = coalescer(gate)
    let tasks = (0..<60).map { n in
      Task { try await coalescer.submit(n, in: WorkspaceScope(workspaceID: Int64(n % 3))) }
    }
    try await until {
      coalescer.laneCount == 3 && coalescer.queuedCount + gate.batches.flatMap { $0 }.count == 60
    }
    gate.open()
    for task in tasks { _ = try await task.value }
    #expect(gate.workspaces.count == 3)
    for batch in gate.batches { #expect(Set(batch.map { $0 % 3 }).count == 1) }
    try await until { coalescer.laneCount == 0 }
  }

  @Test func cancelledCallerNeverCancelsTheBatch() async throws {
    let gate = Gate()
    let coalescer = coalescer(gate)
    let first = Task { try await coalescer.submit(0, in: scope) }
    try await until { gate.batches.count == 1 }
    let waiting = Task { try await coalescer.submit(1, in: scope) }
    let neighbour = Task { try await coalescer.submit(2, in: scope) }
    try await until { coalescer.queuedCount == 2 }
    first.cancel()
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    await #expect(throws: CancellationError.self) { try await waiting.value }
    gate.open()
    #expect(try await neighbour.value == 20)
    // The one in flight went on; the one that waited was taken back.
    #expect(gate.batches == [[0], [2]])
    let late = Task {
      try? await Task.sleep(for: .seconds(60))
      return try await coalescer.submit(3, in: scope)
    }
    late.cancel()
    await #expect(throws: CancellationError.self) { try await late.value }
    #expect(gate.batches.count == 2)
    try await until { coalescer.laneCount == 0 }
  }

  @Test func fullQueueRefusesAndLosesNothing() async throws {
    let gate = Gate()
    let coalescer = coalescer(gate, maxQueued: 5)
    let tasks = [Task { try await coalescer.submit(0, in: scope) }]
    try await until { gate.batches.count == 1 }
    let queued = (1...5).map { n in Task { try await coalescer.submit(n, in: scope) } }
    try await until { coalescer.queuedCount == 5 }
    await #expect(throws: CoalescerError.full) { try await coalescer.submit(6, in: scope) }
    gate.open()
    for task in tasks + queued { _ = try await task.value }
    #expect(try await coalescer.submit(7, in: scope) == 70)
  }

  @Test func oneBadRequestHurtsNoOther() async throws {
    struct Bad: Error {}
    let gate = Gate()
    let coalescer = Coalescer<Int, Int> { requests, scope in
      await gate.pass(requests, scope)
      if requests.contains(13) { throw Bad() }
      return requests
    }
    let first = Task { try await coalescer.submit(0, in: scope) }
    try await until { gate.batches.count == 1 }
    let tasks = (1...20).map { n in Task { try await coalescer.submit(n, in: scope) } }
    try await until { coalescer.queuedCount == 20 }
    gate.open()
    _ = try await first.value
    for (index, task) in tasks.enumerated() {
      if index + 1 == 13 {
        await #expect(throws: Bad.self) { try await task.value }
      } else {
        #expect(try await task.value == index + 1)
      }
    }
  }

  @Test func lostDatabaseIsNotAskedForEachRequest() async throws {
    let gate = Gate()
    let coalescer = Coalescer<Int, Int> { requests, scope in
      await gate.pass(requests, scope)
      throw PostgresError(.timeout, "the server does not answer")
    }
    let first = Task { try await coalescer.submit(0, in: scope) }
    try await until { gate.batches.count == 1 }
    let tasks = (1...20).map { n in Task { try await coalescer.submit(n, in: scope) } }
    try await until { coalescer.queuedCount == 20 }
    gate.open()
    for task in [first] + tasks {
      await #expect(throws: PostgresError.self) { try await task.value }
    }
    #expect(gate.batches.count == 2)
    try await until { coalescer.laneCount == 0 }
  }

  @Test func missingAnswersAreAnError() async throws {
    let coalescer = Coalescer<Int, Int> { _, _ in [] }
    await #expect(throws: CoalescerError.answersMissing) {
      try await coalescer.submit(1, in: scope)
    }
  }

  /// Callers come, go and are cancelled at random: everyone gets an answer, and nothing is carried
  /// twice.
  @Test func everyCallerIsAnswered() async throws {
    let gate = Gate(isOpen: true)
    let coalescer = coalescer(gate, maxBatch: 7)
    let outcomes = await withTaskGroup(of: Int?.self) { group in
      for n in 0..<500 {
        group.addTask {
          let task = Task {
            try await coalescer.submit(n, in: WorkspaceScope(workspaceID: Int64(n % 4)))
          }
          if n % 5 == 0 { task.cancel() }
          return try? await task.value
        }
      }
      var outcomes: [Int] = []
      for await outcome in group { if let outcome { outcomes.append(outcome) } }
      return outcomes
    }
    let carried = gate.batches.flatMap { $0 }
    #expect(carried.count == Set(carried).count)
    #expect(Set(outcomes).isSuperset(of: (0..<500).filter { $0 % 5 != 0 }.map { $0 * 10 }))
    #expect(gate.mostInFlight == 1)
    try await until { coalescer.laneCount == 0 && coalescer.queuedCount == 0 }
  }

  @Test func debitsAreFolded() async throws {
    try await withLedger { fixture in
      let scope = fixture.live
      _ = try await fixture.post(in: scope) { tx in
        try await tx.credit(
          Grant(1000, source: .promo), to: Account(7), key: "g", in: scope, at: scope.now)
      }
      let coalescer = fixture.ledger.postingCoalescer()
      let answers = try await withThrowingTaskGroup(of: PostingAnswer.self) { group in
        for n in 0..<200 {
          group.addTask {
            try await coalescer.submit(
              .debit(Debit(7, key: "api:\(n)"), from: Account(7)), in: scope)
          }
        }
        var answers: [PostingAnswer] = []
        for try await answer in group { answers.append(answer) }
        return answers
      }
      #expect(answers.count { $0.status == .applied } == 142)
      #expect(answers.count { $0.status == .insufficient } == 58)
      // Fewer commits than debits: the batches were transactions of many.
      let rows = try await fixture.pool.query(
        "select count(distinct xid) as n from entries", in: scope)
      #expect(try rows[0].get("n", as: Int.self) < 100)
      #expect(try await fixture.ledger.verify(in: scope).isEmpty)
    }
  }
}
