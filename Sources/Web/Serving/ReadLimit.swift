import EStars
import Foundation
import HTTPTypes
import Synchronization

/// How many different people a key may ask about within a minute. Asking again about the same ones
/// is free, walking through all of them is not.
final class ReadLimit: Sendable {
  private struct Window {
    var minute: Int
    var users: Set<Int64>
  }

  private let perMinute: Int
  private let windows = Mutex<[[UInt8]: Window]>([:])

  init(perMinute: Int) { self.perMinute = perMinute }

  /// Whether nobody new is let through in this minute.
  func isFull(for key: APIKey, at: Date = Date()) -> Bool {
    let minute = Int(at.timeIntervalSince1970) / 60
    return windows.withLock { windows in
      windows[key.hash].map { $0.minute == minute && $0.users.count >= perMinute } ?? false
    }
  }

  /// - Throws: ``Refusal`` with 429.
  func count(_ user: Int64, by key: APIKey, at: Date = Date()) throws {
    let minute = Int(at.timeIntervalSince1970) / 60
    let isAllowed = windows.withLock { windows in
      if windows.count > 10_000 { windows = windows.filter { $0.value.minute == minute } }
      let new = Window(minute: minute, users: [])
      if windows[key.hash]?.minute != minute { windows[key.hash] = new }
      // In place: a copy for each request would cost more than all else here.
      if windows[key.hash, default: new].users.count < perMinute {
        windows[key.hash, default: new].users.insert(user)
      }
      return windows[key.hash, default: new].users.contains(user)
    }
    guard isAllowed else {
      throw Refusal(
        .tooManyRequests, "too_many_customers",
        "This key has asked about \(perMinute) different people in this minute.",
        retryAfterSeconds: 60 - Int(at.timeIntervalSince1970) % 60)
    }
  }
}
