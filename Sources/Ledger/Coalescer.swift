import Foundation
import Postgres
import Synchronization

public enum CoalescerError: Error, Sendable, Equatable {
  /// Too many requests are waiting: to be tried again later, nothing was done.
  case full
  /// The flush gave another number of answers than it got requests.
  case answersMissing
}

/// Folds concurrent requests of a workspace into batches: while one is in flight, arrivals queue,
/// and the next one carries them.
///
/// Each workspace has a lane of its own with one batch in flight, so tenants never share one. A
/// lane exists while it has work. A batch that fails as a whole, though the database is there, is
/// tried again request by request: a bad one hurts no other. `flush` must therefore be idempotent,
/// and do all of a batch or nothing.
public final class Coalescer<Request: Sendable, Answer: Sendable>: Sendable {
  public typealias Flush = @Sendable ([Request], WorkspaceScope) async throws -> [Answer]

  private struct Waiting {
    let id: UInt64
    let request: Request
    let continuation: CheckedContinuation<Answer, any Error>
  }

  /// Requests that wait, and the callers of those in flight.
  private struct Lane {
    var queue: [Waiting] = []
    var inFlight: [UInt64: CheckedContinuation<Answer, any Error>] = [:]
  }

  private struct State {
    var lanes: [WorkspaceScope: Lane] = [:]
    var queued = 0
    var nextID: UInt64 = 0
    /// Callers whose request is not queued yet; one that is cancelled now never will be.
    var arriving: Set<UInt64> = []
  }

  private enum Outcome { case queued, first, refused(any Error) }

  private let maxBatch: Int
  private let maxQueuedPerLane: Int
  private let maxQueued: Int
  private let flush: Flush
  private let state = Mutex(State())

  public init(
    maxBatch: Int = Limits.batch, maxQueuedPerLane: Int = Limits.queuedPerLane,
    maxQueued: Int = Limits.queued, flush: @escaping Flush
  ) {
    self.maxBatch = maxBatch
    self.maxQueuedPerLane = maxQueuedPerLane
    self.maxQueued = maxQueued
    self.flush = flush
  }

  /// The request's answer from the batch that carried it.
  ///
  /// Throws `CoalescerError.full`, what `flush` throws, and `CancellationError` when the caller is
  /// cancelled: a request that still waits is then taken back, one in flight goes on.
  public func submit(_ request: Request, in scope: WorkspaceScope) async throws -> Answer {
    let id = state.withLock { state in
      state.nextID += 1
      state.arriving.insert(state.nextID)
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(Waiting(id: id, request: request, continuation: continuation), in: scope)
      }
    } onCancel: {
      cancel(id, in: scope)
    }
  }

  /// Lanes that have work.
  public var laneCount: Int { state.withLock { $0.lanes.count } }

  /// Requests that wait for a batch.
  public var queuedCount: Int { state.withLock { $0.queued } }

  private func enqueue(_ waiting: Waiting, in scope: WorkspaceScope) {
    let outcome: Outcome = state.withLock { state in
      guard state.arriving.remove(waiting.id) != nil else { return .refused(CancellationError()) }
      guard state.queued < maxQueued, state.lanes[scope]?.queue.count ?? 0 < maxQueuedPerLane
      else { return .refused(CoalescerError.full) }
      let isFirst = state.lanes[scope] == nil
      state.lanes[scope, default: Lane()].queue.append(waiting)
      state.queued += 1
      return isFirst ? .first : .queued
    }
    switch outcome {
    case .queued: break
    // Not the caller's task: its cancellation must not reach the batch.
    case .first: Task { await self.run(scope) }
    case .refused(let error): waiting.continuation.resume(throwing: error)
    }
  }

  private func cancel(_ id: UInt64, in scope: WorkspaceScope) {
    let continuation = state.withLock { state -> CheckedContinuation<Answer, any Error>? in
      if let continuation = state.lanes[scope]?.inFlight.removeValue(forKey: id) {
        return continuation
      }
      if let index = state.lanes[scope]?.queue.firstIndex(where: { $0.id == id }) {
        state.queued -= 1
        return state.lanes[scope]?.queue.remove(at: index).continuation
      }
      state.arriving.remove(id)
      return nil
    }
    continuation?.resume(throwing: CancellationError())
  }

  private func run(_ scope: WorkspaceScope) async {
    while let batch = next(in: scope) {
      do {
        finish(batch, with: .success(try await answers(to: batch, in: scope)), in: scope)
      } catch let error where Self.mayBeOneRequest(error) {
        await retryOneByOne(batch, in: scope)
      } catch {
        finish(batch, with: .failure(error), in: scope)
      }
    }
  }

  /// The next batch, or nil when the lane is idle and gone.
  private func next(in scope: WorkspaceScope) -> [Waiting]? {
    state.withLock { state in
      guard var lane = state.lanes[scope], !lane.queue.isEmpty else {
        state.lanes[scope] = nil
        return nil
      }
      let batch = Array(lane.queue.prefix(maxBatch))
      lane.queue.removeFirst(batch.count)
      lane.inFlight = Dictionary(uniqueKeysWithValues: batch.map { ($0.id, $0.continuation) })
      state.queued -= batch.count
      state.lanes[scope] = lane
      return batch
    }
  }

  private func answers(to batch: [Waiting], in scope: WorkspaceScope) async throws -> [Answer] {
    let answers = try await flush(batch.map(\.request), scope)
    guard answers.count == batch.count else { throw CoalescerError.answersMissing }
    return answers
  }

  private func retryOneByOne(_ batch: [Waiting], in scope: WorkspaceScope) async {
    for (index, waiting) in batch.enumerated() {
      do {
        finish([waiting], with: .success(try await answers(to: [waiting], in: scope)), in: scope)
      } catch let error where Self.mayBeOneRequest(error) {
        finish([waiting], with: .failure(error), in: scope)
      } catch {
        // The database went away: the others would each wait for the same.
        finish(Array(batch[index...]), with: .failure(error), in: scope)
        return
      }
    }
  }

  /// Whether the failure may come from what was asked rather than from the way to the database.
  private static func mayBeOneRequest(_ error: any Error) -> Bool {
    guard let error = error as? PostgresError else { return true }
    switch error.kind {
    case .server, .encoding, .decoding: return true
    default: return false
    }
  }

  private func finish(
    _ batch: [Waiting], with result: Result<[Answer], any Error>, in scope: WorkspaceScope
  ) {
    let continuations = state.withLock { state in
      batch.map { state.lanes[scope]?.inFlight.removeValue(forKey: $0.id) }
    }
    for (index, continuation) in continuations.enumerated() {
      switch result {
      case .success(let answers): continuation?.resume(returning: answers[index])
      case .failure(let error): continuation?.resume(throwing: error)
      }
    }
  }
}
