@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

/// What happened to a customer, from all tables, each thing once and in its place.
@Suite struct TimelineTests {
  private static let manager = Actor(.operator, "manager@example.com")

  /// Somebody with a purchase, uses, a hold, a grant, messages, a case, a refund and its decline.
  private func somebody(_ fixture: Fixture, uses: Int) async throws -> Customer {
    for (number, sku, stars) in [(1, "start", 75), (2, "start", 75), (3, "max", 1125)] {
      let sale = try await fixture.checkout(sku, for: 111)
      _ = try await fixture.receive(
        Sent.payment(
          update: Int64(number), from: 111, stars: Int64(stars), payload: sale.payload ?? "",
          charge: "t\(number)", at: Int64(Date().timeIntervalSince1970) - 10))
    }
    let customer = try #require(
      try await Customer.find(telegramID: 111, in: fixture.scope, fixture.pool))
    for number in 0..<uses {
      _ = try await fixture.platform.usage.debit(
        DebitRequest(
          check: CheckRequest(telegramID: 111, action: "sticker", units: 1), ref: nil,
          idempotencyKey: "d\(number)"), in: fixture.scope)
    }
    _ = try await CreditGrant.give(
      CreditGrantOrder(5, source: .goodwill, reason: "slow", formKey: "timeline-form"),
      to: customer.id, by: Self.manager, as: .manager, in: fixture.scope, fixture.pool)
    try await fixture.pool.transaction(in: fixture.scope) { tx in
      _ = try await tx.hold(
        Debit(3, key: "api:hold", action: "sticker"), from: Account(customer.id),
        until: fixture.scope.now.addingTimeInterval(600), in: fixture.scope, at: fixture.scope.now)
      for number in 0..<50 {
        try await tx.say(
          .receiptAgain, about: "0:\(number)", to: customer.id, botID: fixture.bot.id, "Hello",
          in: fixture.scope, at: fixture.scope.now)
      }
      try await tx.execute(
        """
        insert into support_cases (workspace_id, bot_id, customer_id, topic, subject, source,
          opened_at, waits_since, last_message_at)
        values (\(fixture.workspace.id), \(fixture.bot.id), \(customer.id), 'other', 'Where?',
          'buyer', \(fixture.scope.now), \(fixture.scope.now), \(fixture.scope.now))
        """)
    }
    let payment = try #require(
      try await Payment.find(
        botID: fixture.bot.id, chargeID: "t1", in: fixture.scope, fixture.pool))
    let (refund, _) = try await Refund.request(
      payment, reason: .other, note: "", by: Self.manager, in: fixture.scope, fixture.pool)
    _ = try await Refund.decide(
      refund.id, RefundDecision(.decline(.other)), by: Self.manager, in: fixture.scope, fixture.pool
    )
    _ = try await fixture.receive(
      Sent.refund(update: 40, payer: 111, stars: 75, payload: "", charge: "t2"))
    return customer
  }

  private func name(_ event: Timeline.Event) -> String {
    switch event {
    case .entry(let movement): "entry \(movement.version)"
    case .payment(let payment): "payment \(payment.chargeID)"
    case .refund(let payment): "refund \(payment.chargeID)"
    case .decline(let refund, _): "decline \(refund.chargeID)"
    case .message(let message): "message \(message.id)"
    case .supportCase(let opened): "case \(opened.id)"
    case .operatorAction(let line): "action \(line.action)"
    case .subscription(let step): "subscription \(step.subscriptionID) \(step.change.step)"
    }
  }

  private func all(
    of customer: Int64, _ filter: Timeline.Filter?, _ fixture: Fixture
  ) async throws -> [Timeline.Event] {
    var events: [Timeline.Event] = []
    var cursor: Timeline.Cursor?
    var pages = 0
    repeat {
      let page = try await Timeline.of(
        customer: customer, filter, after: cursor, in: fixture.scope, fixture.pool)
      events += page.events
      #expect(page.next == nil || page.events.count == Limits.timelinePageSize)
      // As it comes back in an address.
      cursor = page.next.flatMap { Timeline.Cursor($0.text) }
      #expect(cursor == page.next)
      pages += 1
    } while cursor != nil && pages < 20
    return events
  }

  @Test func pagesTileTheMixtureAndFiltersPartIt() async throws {
    try await Fixture.with { fixture in
      let customer = try await somebody(fixture, uses: Limits.timelinePageSize * 2)
      let events = try await all(of: customer.id, nil, fixture)
      let names = events.map(name)
      #expect(Set(names).count == names.count, "something stands there twice")
      let versions = names.compactMap { $0.hasPrefix("entry ") ? Int($0.dropFirst(6)) : nil }
      #expect(versions == Array((1...versions.count).reversed()))
      #expect(
        names.filter { $0.hasPrefix("payment") } == ["payment t3", "payment t2", "payment t1"])
      #expect(names.filter { $0.hasPrefix("message") }.count == 50)
      for one in ["refund t2", "decline t1"] { #expect(names.filter { $0 == one }.count == 1) }
      // What stands there as an entry, a decline or a message is no action as well.
      #expect(
        names.filter { $0.hasPrefix("action") } == ["action refund.requested"], "\(names)")
      // Stars stand below what they brought, and above what they took.
      let place = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
      #expect(try #require(place["payment t1"]) > #require(place["entry 1"]))
      let seconds = events.map { Int64($0.at.timeIntervalSince1970.rounded(.down)) }
      #expect(seconds == seconds.sorted(by: >))

      var parts: Set<String> = []
      for filter in Timeline.Filter.allCases {
        let part = try await all(of: customer.id, filter, fixture).map(name)
        #expect(!part.isEmpty && Set(part).count == part.count, "\(filter)")
        #expect(part == (filter == .actions ? part : names.filter(Set(part).contains)), "\(filter)")
        parts.formUnion(part)
      }
      #expect(Set(names).isSubset(of: parts), "\(Set(names).subtracting(parts))")
      #expect(parts.contains("action credit_grant.goodwill"))
    }
  }

  @Test func aCursorOfAnEntryBeginsWithWhatIsBelowIt() async throws {
    try await Fixture.with { fixture in
      let customer = try await somebody(fixture, uses: 3)
      let page = try await Timeline.of(
        customer: customer.id, after: Timeline.Cursor("2"), in: fixture.scope, fixture.pool)
      #expect(page.events.map(name).first == "entry 1")
      #expect(!page.events.map(name).contains { $0.hasPrefix("message") || $0.hasPrefix("case") })
      for text in [
        "", "x", "1.2", "1.2.99.4", "1.2.3.x", "1.2.3.4.5", "1.9223372036854775807.3.4",
      ] {
        #expect(Timeline.Cursor(text) == nil, "\(text)")
      }
      // Made up, but no harm.
      let far = try #require(Timeline.Cursor("-9223372036854775808.0.7.-9223372036854775808"))
      let none = try await Timeline.of(
        customer: customer.id, after: far, in: fixture.scope, fixture.pool)
      #expect(none.events.isEmpty && none.next == nil)
    }
  }
}
