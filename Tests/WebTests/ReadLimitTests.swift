@_spi(Guard) @testable import EStars
import Foundation
import HTTPTypes
import Testing

@testable import Web

/// A key may ask again and again about the same customers, and not walk through all of them.
@Suite struct ReadLimitTests {
  private func key(_ byte: UInt8) -> APIKey {
    APIKey(
      id: 1, workspaceID: 1, botID: 1, scopes: [.read], hash: [byte], expiresAt: nil)
  }

  @Test func differentCustomersOfAMinuteAreCounted() throws {
    let limit = ReadLimit(perMinute: Limits.customersReadPerMinute)
    let minute = Date(timeIntervalSince1970: 1_800_000_000)
    for user in 1...Int64(Limits.customersReadPerMinute) {
      try limit.count(user, by: key(1), at: minute)
    }
    for _ in 0..<1000 { try limit.count(7, by: key(1), at: minute) }
    let refusal = #expect(throws: Refusal.self) {
      try limit.count(1_000_000, by: key(1), at: minute.addingTimeInterval(12))
    }
    #expect(limit.isFull(for: key(1), at: minute) && !limit.isFull(for: key(2), at: minute))
    #expect(!limit.isFull(for: key(1), at: minute.addingTimeInterval(60)))
    #expect(refusal?.status == .tooManyRequests)
    #expect(refusal?.retryAfterSeconds == 48)
    // Another key has a count of its own, and a new minute begins a new one.
    try limit.count(1_000_000, by: key(2), at: minute)
    try limit.count(1_000_000, by: key(1), at: minute.addingTimeInterval(60))
  }
}
