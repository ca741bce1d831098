@_spi(Guard) @testable import EStars
import Foundation
import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

/// Payments, renewals, refunds and Telegram's word of a subscription, in every order.
@Suite struct SubscriptionOrderTests {
  private enum Event: Int, CaseIterable {
    case first, second, third, canceled, refunded
  }

  /// What must not depend on the order.
  private struct Outcome: Equatable {
    let state: Subscription.State
    let renewal: Subscription.Renewal
    let endsAfterDays: Int
    let startsAfterDays: Int
    let balance: Int64
    let access: [String]
    let charge: String?
  }

  private func deliver(
    _ event: Event, _ sale: Checkout, _ user: Int64, _ base: Int64,
    _ fixture: SubscriptionFixture
  ) async throws {
    let name = "c\(user)"
    switch event {
    case .first:
      try await fixture.pay(
        sale, from: user, update: base + 1, charge: name + "-1", days: 0, isFirst: true,
        arrives: 62)
    case .second:
      try await fixture.pay(
        sale, from: user, update: base + 2, charge: name + "-2", days: 30, arrives: 62)
    case .third:
      try await fixture.pay(
        sale, from: user, update: base + 3, charge: name + "-3", days: 60, arrives: 62)
    case .canceled:
      try await fixture.tell("canceled", of: sale, from: user, update: base + 4, arrives: 62)
    case .refunded:
      try await fixture.refund(
        name + "-3", of: sale, from: user, update: base + 5, days: 61, arrives: 62)
    }
  }

  private func outcome(
    _ user: Int64, _ fixture: SubscriptionFixture
  ) async throws -> Outcome {
    let all = try await fixture.subscriptions(of: user)
    #expect(all.count == 1)
    let subscription = try #require(all.first)
    func days(_ date: Date) -> Int {
      Int((date.timeIntervalSince(fixture.start) / 86_400).rounded())
    }
    return Outcome(
      state: subscription.state, renewal: subscription.renewal,
      endsAfterDays: days(subscription.periodEndsAt),
      startsAfterDays: days(subscription.startedAt),
      balance: try await fixture.balance(user, 62.1),
      access: try await fixture.access(user, 62.1),
      charge: subscription.firstChargeID?.replacing("c\(user)", with: ""))
  }

  private func run(
    _ orders: [[Event]], expecting expected: Outcome
  ) async throws {
    try await SubscriptionFixture.with { fixture in
      for (index, order) in orders.enumerated() {
        let user = Int64(90_000 + index)
        let sale = try await fixture.checkout("pro", for: user)
        for event in order {
          try await deliver(event, sale, user, Int64(index + 1) * 100, fixture)
        }
      }
      // What came too early waits in the inbox.
      _ = try await fixture.fixture.platform.updates.retryPending(in: fixture.scope(62.05))
      #expect(
        try await fixture.fixture.count(
          "select count(*) from updates where state <> 'processed'") == 0)
      for (index, order) in orders.enumerated() {
        #expect(try await outcome(Int64(90_000 + index), fixture) == expected, "\(order)")
      }
      try await fixture.expectSound()
    }
  }

  private func permutations<T>(_ items: [T]) -> [[T]] {
    guard let first = items.first else { return [[]] }
    return permutations(Array(items.dropFirst())).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
    }
  }

  @Test func everyOrderOfPaymentsAndACancellationEndsAlike() async throws {
    let orders = permutations([Event.first, .second, .third, .canceled])
    try await run(
      orders.map { $0 + [$0[0], $0[2]] },
      // A cycle's credits, and of what was left the cap.
      expecting: Outcome(
        state: .active, renewal: .off, endsAfterDays: 90, startsAfterDays: 0, balance: 750,
        access: ["hd_quality", "priority_queue", "pro"], charge: "-1"))
  }

  @Test func everyOrderWithARefundOfTheLastCycleEndsAlike() async throws {
    var generator = SeededGenerator(seed: 5)
    let orders = permutations(Event.allCases).shuffled(using: &generator).prefix(24)
    // Nothing follows a refunded cycle, and what went over into it has gone with the cycle before.
    try await run(
      Array(orders),
      expecting: Outcome(
        state: .expired, renewal: .off, endsAfterDays: 60, startsAfterDays: 0, balance: 250,
        access: [], charge: "-1"))
  }
}
