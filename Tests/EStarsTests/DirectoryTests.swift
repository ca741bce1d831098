@testable import EStars
import Foundation
import Synchronization
import Testing

/// Values in memory: how old they get, who waits for new ones, and what an outage leaves.
@Suite struct DirectoryTests {
  private struct Away: Error {}

  /// What stands behind a cache: a value, nothing, or a source that does not answer.
  private final class Source: Sendable {
    let state = Mutex<(value: Int?, isAway: Bool, reads: Int)>((1, false, 0))

    func read() throws -> Int? {
      try state.withLock { state in
        state.reads += 1
        if state.isAway { throw Away() }
        return state.value
      }
    }

    func set(_ value: Int?, isAway: Bool = false) {
      state.withLock { $0 = (value, isAway, 0) }
    }

    var reads: Int { state.withLock { $0.reads } }
  }

  private func becomeOld() async throws {
    try await Task.sleep(for: .seconds(Limits.directorySeconds + 0.1))
  }

  @Test func anOldValueServesWhileOneCallerFetchesTheNext() async throws {
    let source = Source()
    let cache = AgedCache<String, Int> { _ in try source.read() }
    #expect(try await cache.value(for: "a") == 1)
    source.set(2)
    #expect(try await cache.value(for: "a") == 1)
    #expect(source.reads == 0)
    try await becomeOld()
    let served = try await withThrowingTaskGroup(of: Int?.self) { group in
      for _ in 0..<20 { group.addTask { try await cache.value(for: "a") } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(served.allSatisfy { $0 == 1 || $0 == 2 })
    for _ in 0..<1000 where source.reads == 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(source.reads == 1)
    for _ in 0..<1000 where try await cache.value(for: "a") == 1 {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(try await cache.value(for: "a") == 2)
    // An outage takes nothing away.
    source.set(nil, isAway: true)
    try await becomeOld()
    #expect(try await cache.value(for: "a") == 2)
  }

  @Test func aBotIsReadAnewAndOutlivesEveryOutage() async throws {
    let source = Source()
    let cache = AgedCache<Int64, Int>(patience: .seconds(Int64.max)) { _ in try source.read() }
    #expect(try await cache.value(for: 7) == 1)
    source.set(2)
    try await becomeOld()
    #expect(try await cache.value(for: 7) == 2, "not even once the old one")
    source.set(3, isAway: true)
    try await becomeOld()
    #expect(try await cache.value(for: 7) == 2)
    #expect(source.reads == 1)
    // A source that has just failed is not waited for by every request.
    for _ in 0..<20 { #expect(try await cache.value(for: 7) == 2) }
    #expect(source.reads < 20)
    source.set(3)
    try await becomeOld()
    #expect(try await cache.value(for: 7) == 3)
  }

  @Test func aKeyIsReadAnewAndOutlivesAnOutageOnlyForAWhile() async throws {
    let source = Source()
    let cache = AgedCache<String, Int>(patience: .seconds(Limits.directorySeconds + 4)) { _ in
      try source.read()
    }
    #expect(try await cache.value(for: "key") == 1)
    source.set(1, isAway: true)
    try await becomeOld()
    #expect(try await cache.value(for: "key") == 1)
    try await Task.sleep(for: .seconds(5))
    await #expect(throws: Away.self) { try await cache.value(for: "key") }
    // Revoked: the next look finds nothing, however often it was found before.
    source.set(nil)
    #expect(try await cache.value(for: "key") == nil)
  }
}
