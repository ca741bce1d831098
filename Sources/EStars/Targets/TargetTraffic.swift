import Foundation
import Synchronization

/// Calls to operators' servers that are under way, and how those did that came before. A server
/// that does not answer is left alone for a while, and one that is slow takes few places, so that
/// neither keeps others waiting nor is asked for in vain again and again.
final class TargetTraffic: Sendable {
  /// Who calls. Each has places of its own at an address.
  enum Lane: Hashable, Sendable {
    case events
    /// Updates that a worker hands on.
    case relay
    /// Updates that are handed on as they come.
    case relayAtOnce
    /// Telegram waits for these, so nothing that happened to other calls holds them back.
    case preCheckout

    /// Places at one address.
    var places: Int {
      switch self {
      case .events: Limits.eventsAtOncePerTarget
      case .relay: Limits.relaysByWorkerPerTarget
      case .relayAtOnce: Limits.relaysAtOncePerTarget
      case .preCheckout: Limits.preCheckoutsAtOncePerTarget
      }
    }
  }

  private struct State {
    var calls: [Lane: Int] = [:]
    /// Calls in a row that got no answer.
    var unanswered = 0
    var restSeconds = 0.0
    var restsUntil: ContinuousClock.Instant?
    /// Those that found no place and come back.
    var turnedAway = 0

    var isIdle: Bool { calls.isEmpty && restsUntil == nil && unanswered == 0 }
  }

  private let states = Mutex<[String: State]>([:])

  /// Takes a place among the calls to an address; ``leave(_:_:)`` gives it back.
  ///
  /// - Returns: false when none is free, or when the address did not answer of late.
  func enter(_ url: String, _ lane: Lane, at now: ContinuousClock.Instant = .now) -> Bool {
    states.withLock { states in
      var state = states[url] ?? State()
      let calls = state.calls[lane] ?? 0
      guard calls < lane.places, lane == .preCheckout || Self.isAwake(state, at: now) else {
        return false
      }
      state.calls[lane] = calls + 1
      state.turnedAway = max(0, state.turnedAway - 1)
      states[url] = state
      return true
    }
  }

  func leave(_ url: String, _ lane: Lane) {
    states.withLock { states in
      guard var state = states[url] else { return }
      let calls = (state.calls[lane] ?? 1) - 1
      state.calls[lane] = calls > 0 ? calls : nil
      states[url] = state.isIdle ? nil : state
      // Addresses that never answered again are forgotten some day.
      if states.count > 10_000 { states = states.filter { !$0.value.calls.isEmpty } }
    }
  }

  /// After a rest one call finds out whether the address answers again.
  private static func isAwake(_ state: State, at now: ContinuousClock.Instant) -> Bool {
    guard let until = state.restsUntil else { return true }
    let calls = state.calls.filter { $0.key != .preCheckout }.values.reduce(0, +)
    return now >= until && calls == 0
  }

  /// How long one that found no place stays away, in seconds: until the address has rested, and the
  /// longer the more wait, a quarter more or less, so that they do not come back together.
  func delay(_ url: String, at now: ContinuousClock.Instant = .now) -> Double {
    states.withLock { states in
      var state = states[url] ?? State()
      let rest = state.restsUntil.map { max(0, ($0 - now) / .seconds(1)) } ?? 0
      let turn = min(Limits.targetQueueSeconds, 1 + Double(state.turnedAway) / 8)
      state.turnedAway += 1
      if !state.isIdle { states[url] = state }
      return rest + turn * Double.random(in: 0.75...1.25)
    }
  }

  func noteAnswer(_ url: String) {
    states.withLock { states in
      states[url]?.unanswered = 0
      states[url]?.restSeconds = 0
      states[url]?.restsUntil = nil
    }
  }

  func noteSilence(_ url: String, at now: ContinuousClock.Instant = .now) {
    states.withLock { states in
      guard var state = states[url] else { return }
      state.unanswered += 1
      // Those that were under way together count as one.
      let isResting = state.restsUntil.map { now < $0 } ?? false
      if state.unanswered >= Limits.targetSilences, !isResting {
        state.restSeconds = min(Limits.targetRestSeconds, max(2, state.restSeconds * 2))
        state.restsUntil = now + .seconds(state.restSeconds * Double.random(in: 0.8...1.2))
      }
      states[url] = state
    }
  }
}
