import Foundation
import Postgres
import Telegram
import TestSupport
import Testing

@_spi(Guard) import Ledger
@_spi(Guard) @testable import EStars

/// What bots are told, in which order, and how long it is tried.
@Suite struct EventTests {
  static let owner = Actor(.operator, "owner@example.org")

  @Test func theSignatureIsWhatAnyLibraryComputes() {
    // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac ess_test
    let header = EventSignature.header(
      of: #"{"id":"evt_1"}"#, at: Date(timeIntervalSince1970: 1_700_000_000.9),
      secrets: ["ess_test", "ess_old"])
    #expect(
      header == "t=1700000000,v1=019d342247197d5bbb1b0a0734121c33aa17fb05d6f358359c68c4cbb7cd15b9,"
        + "v1=4be7ec232f26611a7a44585b007153a73c15d8d24453f7db8d2ffeb0f7e9b725")
  }

  @Test func aPaymentARefundAndItsAccessAreTold() async throws {
    try await Fixture.with { fixture in
      try await fixture.addressEvents()
      let sale = try await fixture.checkout("pro", for: 71, resume: "job \"7\"\n☃")
      _ = try await fixture.receive(
        Sent.payment(update: 1, from: 71, stars: 500, payload: sale.payload ?? "", charge: "c1"))
      let completed = try await fixture.told("payment.completed")
      #expect(completed.count == 1)
      let data = completed.first ?? [:]
      #expect(data["sku"] as? String == "pro")
      #expect(data["stars"] as? Int == 500)
      #expect(data["credits"] as? Int == Int(sale.credits))
      #expect(data["bonus_credits"] as? Int == Int(sale.bonusCredits))
      #expect(data["balance"] as? Int == Int(sale.credits + sale.bonusCredits))
      #expect(data["resume"] as? String == "job \"7\"\n☃")
      let began = try await fixture.told("access.changed")
      #expect(!began.isEmpty && began.allSatisfy { $0["active"] as? Bool == true })
      _ = try await fixture.receive(
        Sent.refund(update: 2, payer: 71, stars: 500, payload: sale.payload ?? "", charge: "c1"))
      let refund = try #require(try await fixture.told("refund.confirmed").first)
      #expect(refund["payment"] as? Int == data["payment"] as? Int)
      #expect(refund["credits_taken"] as? Int == Int(sale.credits + sale.bonusCredits))
      let ended = try await fixture.told("access.changed").dropFirst(began.count)
      #expect(ended.count == began.count && ended.allSatisfy { $0["active"] as? Bool == false })
      // A second delivery tells nothing new.
      let count = try await fixture.count("select count(*) from events")
      _ = try await fixture.receive(
        Sent.payment(update: 3, from: 71, stars: 500, payload: sale.payload ?? "", charge: "c1"))
      #expect(try await fixture.count("select count(*) from events") == count)
      // No event names the person; the sender looks the id up.
      let names = try await fixture.count(
        "select count(*) from events where body ~ '\\y71\\y' or body ~ 'Ann'")
      #expect(names == 0)
    }
  }

  @Test func decisionsAreTold() async throws {
    try await Fixture.with { fixture in
      try await fixture.addressEvents()
      for (user, outcome) in [
        (81, RefundDecision.Outcome.decline(.delivered)), (82, .goodwill(credits: 5)),
      ] {
        let payment = try await fixture.pay("start", user: Int64(user), charge: "d\(user)")
        try await fixture.decide(try await fixture.request(payment), outcome)
      }
      let payment = try await fixture.pay("start", user: 83, charge: "d83")
      let preview = try await fixture.preview(payment)
      try await fixture.decide(
        try await fixture.request(payment), .refund(previewed: preview.fingerprint))
      for kind in ["refund.declined", "refund.goodwill", "refund.approved"] {
        #expect(try await fixture.told(kind).count == 1, "\(kind)")
      }
    }
  }

  @Test func withoutAnAddressEventsAreSkippedAndMayBeSentLater() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.pay("start", user: 71, charge: "c1")
      let event = try #require(try await fixture.events().first)
      #expect(event.state == .skipped)
      await #expect(throws: EventReplayProblem.noAddress) {
        try await Event.replay(event.id, by: Self.owner, in: fixture.scope, fixture.pool)
      }
      try await fixture.addressEvents()
      try await Event.replay(event.id, by: Self.owner, in: fixture.scope, fixture.pool)
      #expect(try await fixture.event(event.id).state == .pending)
      let audit = try await AuditEntry.about(
        "event", String(event.id), in: fixture.scope, fixture.pool)
      #expect(audit.map(\.action) == ["event.replayed"])
    }
  }

  /// The address leads into our own network, which counts as any other failure.
  @Test func anEventIsTriedForADayAndHoldsThoseBehindIt() async throws {
    try await Fixture.with { fixture in
      try await fixture.addressEvents()
      _ = try await fixture.pay("start", user: 71, charge: "c1")
      _ = try await fixture.pay("start", user: 71, charge: "c2")
      _ = try await fixture.pay("start", user: 72, charge: "c3")
      let worker = Worker(platform: fixture.platform)
      let start = Date()
      try await worker.runDue { start }
      var events = try await fixture.events()
      let first = try #require(events.first)
      #expect(first.attempts == 1 && first.lastError == "address_private")
      // Of another customer's events the oldest went out, too; the rest waits behind.
      let heads = Dictionary(grouping: events) { $0.customerID }.values.compactMap { queue in
        queue.min { $0.id < $1.id }?.id
      }
      #expect(heads.count == 2)
      for event in events { #expect(event.attempts == (heads.contains(event.id) ? 1 : 0)) }
      // Between tries nothing is sent.
      try await worker.runDue { start.addingTimeInterval(0.5) }
      #expect(try await fixture.event(first.id).attempts == 1)
      for hour in 1...24 {
        try await worker.runDue { start.addingTimeInterval(Double(hour) * 3700) }
      }
      events = try await fixture.events()
      #expect(events.first?.state == .failed)
      let tries = try await events[0].deliveries(in: fixture.scope, fixture.pool)
      #expect(tries.count == events[0].attempts && tries.count > 10)
      #expect(tries.map(\.attempt) == Array((1...tries.count).reversed()))
    }
  }

  @Test func backoffGrowsToAnHourAndIsNeverTheSame() {
    #expect((1.6...2.4).contains(EventSender.backoff(1)))
    #expect((12.8...19.2).contains(EventSender.backoff(4)))
    #expect((2880.0...4320.0).contains(EventSender.backoff(100)))
    #expect((48.0...72.0).contains(EventSender.backoff(100, atMost: Limits.relayPauseSeconds)))
    #expect(Set((0..<20).map { _ in EventSender.backoff(5) }).count > 1)
  }

  @Test func aSecretIsShownOnceAndTheOldOneSignsForADay() async throws {
    try await Fixture.with { fixture in
      let platform = fixture.platform
      let bot = fixture.bot.id
      let url = "https://1.1.1.1/events"
      let scope = fixture.scope
      func address() async throws -> EventAddress {
        try #require(try await EventAddress.of(bot: bot, in: scope, platform.pool))
      }
      let first = try #require(
        try await EventAddress.set(url, bot: bot, by: Self.owner, in: scope, platform))
      #expect(first.hasPrefix("ess_") && first.count > 40)
      // Another address, the same secret.
      let again = try await EventAddress.set(
        url + "/2", bot: bot, by: Self.owner, in: scope, platform)
      #expect(again == nil)
      let before = try await address()
      let second = try await EventAddress.rotate(
        bot: bot, fingerprint: before.fingerprint, by: Self.owner, in: scope, platform)
      let now = Date()
      let rotated = try await address()
      #expect(try rotated.secrets(at: now, platform.secrets) == [second, first])
      let tomorrow = now.addingTimeInterval(24 * 3600 + 60)
      #expect(try rotated.secrets(at: tomorrow, platform.secrets) == [second])
      // The same form once more would drive out the secret in use.
      await #expect(throws: EventAddress.Problem.changed) {
        _ = try await EventAddress.rotate(
          bot: bot, fingerprint: before.fingerprint, by: Self.owner, in: scope, platform)
      }
      // While the older one still signs there is no third.
      await #expect(throws: EventAddress.Problem.overlapping) {
        _ = try await EventAddress.rotate(
          bot: bot, fingerprint: rotated.fingerprint, by: Self.owner, in: scope, platform)
      }
      for refused in ["http://1.1.1.1/", "https://127.0.0.1/", "https://localhost/"] {
        await #expect(throws: EventAddress.Problem.self) {
          _ = try await EventAddress.set(refused, bot: bot, by: Self.owner, in: scope, platform)
        }
      }
      try await EventAddress.remove(bot: bot, by: Self.owner, in: scope, platform.pool)
      #expect(try await EventAddress.of(bot: bot, in: scope, platform.pool) == nil)
      let audit = try await AuditEntry.about("bot", String(bot), in: scope, platform.pool)
      #expect(
        audit.map(\.action).filter { $0.hasPrefix("event_address") } == [
          "event_address.set", "event_address.set", "event_address.rotated",
          "event_address.removed",
        ])
      // An address may hold a token.
      #expect(audit.allSatisfy { !"\($0)".contains("1.1.1.1/") })
      #expect(audit.contains { "\($0)".contains("https://1.1.1.1") })
    }
  }

  @Test func whatWaitsGoesToANewAddressAtOnceAndNowhereWithoutOne() async throws {
    try await Fixture.with { fixture in
      try await fixture.addressEvents()
      _ = try await fixture.pay("start", user: 71, charge: "c1")
      let count = try await fixture.events().count
      try await fixture.pool.execute(
        "update events set next_at = now() + interval '1 hour'", in: fixture.scope)
      try await fixture.pool.execute("update jobs set run_at = now() + interval '1 hour'")
      _ = try await EventAddress.set(
        "https://1.1.1.1/new", bot: fixture.bot.id, by: Self.owner, in: fixture.scope,
        fixture.platform)
      let soon = Date().addingTimeInterval(60)
      let events = try await fixture.events()
      #expect(events.allSatisfy { $0.nextAt.map { $0 < soon } ?? false } && count > 0)
      #expect(
        try await fixture.count("select count(*) from jobs where run_at < \(soon)") > 0)
      try await EventAddress.remove(
        bot: fixture.bot.id, by: Self.owner, in: fixture.scope, fixture.pool)
      let skipped = try await fixture.events()
      #expect(skipped.count == count && skipped.allSatisfy { $0.state == .skipped })
    }
  }
}

extension Fixture {
  /// An address that was saved when private networks were still allowed.
  func addressEvents() async throws {
    try await pool.execute(
      """
      update bots set event_url = 'https://127.0.0.1/events',
        sealed_event_secret = \(try platform.secrets.seal("ess_test"))
      where bot_id = \(bot.id)
      """)
  }

  /// Oldest first.
  func events() async throws -> [Event] {
    try await Event.recent(EventFilter(), before: nil, limit: 100, in: scope, pool).reversed()
  }

  func event(_ id: Int64) async throws -> Event {
    try #require(try await Event.find(id: id, in: scope, pool))
  }

  /// What the events of a kind tell, oldest first.
  func told(_ kind: String) async throws -> [[String: Any]] {
    try await events().filter { $0.kind == kind }.map { event in
      let body = event.body(telegramID: 71)
      let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
      #expect(object?["id"] as? String == event.name && object?["user"] as? Int == 71)
      return object?["data"] as? [String: Any] ?? [:]
    }
  }
}
