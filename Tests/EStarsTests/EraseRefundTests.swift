@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

/// Telegram gives Stars back, and hears words, by the buyer's id alone: once it is forgotten, nothing
/// of the kind begins, and what meets an erasure half-way neither hangs nor names the person.
@Suite struct EraseRefundTests {
  private func erase(_ id: Int64, _ fixture: Fixture) async throws {
    try await Customer.erase(
      id, by: RefundPolicyTests.owner, in: fixture.scope, fixture.pool)
  }

  @Test func noRefundOfWhoWasErasedBegins() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(autoApproves: true, fourEyesStars: 1))
      let payments = [
        try await fixture.pay("start", user: 42, charge: "declined"),
        try await fixture.pay("start", user: 42, charge: "new"),
      ]
      let declined = try await fixture.request(payments[0])
      try await fixture.decide(declined, .decline(.other))
      let outcome = RefundDecision.Outcome.refund(
        previewed: try await fixture.preview(payments[0]).fingerprint)
      #expect(try await fixture.decide(declined, outcome).proposedBy != nil)
      try await erase(payments[0].customerID, fixture)
      let left = try #require(try await fixture.refund(declined.id))
      #expect(left.notice == .failed && left.proposedBy == nil && left.proposedAt == nil)
      #expect(left.chargeID == "declined" && left.state == .declined)
      await #expect(throws: RefundRefusal.erased) { try await fixture.request(payments[1]) }
      for outcome in [outcome, .goodwill(credits: 3), .decline(.other)] {
        await #expect(throws: RefundRefusal.erased) {
          try await fixture.decide(declined, outcome)
        }
      }
      #expect(try await fixture.count("select count(*) from refunds") == 1)
      #expect(try await fixture.count("select count(*) from entries where kind = 'hold'") == 0)
      let customer = try #require(
        try await Customer.find(id: payments[0].customerID, in: fixture.scope, fixture.pool))
      #expect(customer.chatID == nil, "no event names a number as somebody's id")
    }
  }

  /// Cases that are half-way although nothing should be: no call is made, and nobody is told.
  @Test func nothingHalfWayCallsTelegramWithANumberOfOurs() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(onePerCustomer: false, autoApproves: true))
      var cases: [Refund] = []
      for charge in ["asked", "approved", "told"] {
        cases.append(
          try await fixture.request(try await fixture.pay("start", user: 43, charge: charge)))
      }
      let payment = try #require(
        try await Payment.find(
          botID: fixture.bot.id, chargeID: "approved", in: fixture.scope, fixture.pool))
      try await fixture.decide(
        cases[1], .refund(previewed: try await fixture.preview(payment).fingerprint))
      try await fixture.decide(cases[2], .decline(.other))
      try await fixture.pool.execute(
        "update customers set erased_at = now(), telegram_id = -customer_id", in: fixture.scope)
      try await fixture.decideByRule(cases[0])
      #expect(try await fixture.refund(cases[0].id)?.state == .requested)
      let settlement = fixture.platform.refunds
      #expect(try await settlement.settle(cases[1].id, attempts: 1, in: fixture.scope) == .done)
      let failed = try #require(try await fixture.refund(cases[1].id))
      #expect(failed.state == .failed && failed.problem == .code(.erased))
      #expect(try await settlement.settle(cases[2].id, attempts: 1, in: fixture.scope) == .done)
      let told = try #require(try await fixture.refund(cases[2].id))
      #expect(told.notice == .failed && told.problem == .code(.erased))
      #expect(try await fixture.problems() == [])
    }
  }

  /// A settlement has its refund first and the customer then; an erasure waits for it.
  @Test func anErasureWaitsForARefundThatSettles() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 44, charge: "settling")
      let refund = try await fixture.request(payment)
      try await fixture.decide(refund, .decline(.other))
      let erasure = try await fixture.pool.transaction(in: fixture.scope) { tx in
        _ = try await tx.lockRefund(refund.id, in: fixture.scope)
        let erasure = Task { try await erase(payment.customerID, fixture) }
        try await fixture.somebodyWaits()
        let customer = try await tx.lockedCustomer(payment.customerID, in: fixture.scope)
        #expect(customer?.erasedAt == nil)
        return erasure
      }
      try await erasure.value
      let customer = try await Customer.find(
        id: payment.customerID, in: fixture.scope, fixture.pool)
      #expect(customer?.erasedAt != nil)
    }
  }

  @Test func wordsThatMeetAnErasureAreForgottenOrNotHeard() async throws {
    try await Fixture.with { fixture in
      let (scope, bot) = (fixture.scope, fixture.bot)
      let payment = try await fixture.pay("start", user: 45, charge: "words")
      let words = BuyerWords(customerID: payment.customerID, text: "zebulon", source: .buyer)
      let erasure = try await fixture.pool.transaction(in: scope) { tx in
        _ = try await tx.hear(words, by: bot, in: scope, at: scope.now)
        let erasure = Task { try await erase(payment.customerID, fixture) }
        try await fixture.somebodyWaits()
        return erasure
      }
      try await erasure.value
      func traces() async throws -> Int {
        try await fixture.count(
          """
          select (select count(*) from support_messages where body = 'zebulon')
            + (select count(*) from support_cases where state <> 'closed') as count
          """)
      }
      #expect(try await traces() == 0)
      let heard = try await fixture.pool.transaction(in: scope) { tx in
        try await tx.hear(words, by: bot, in: scope, at: scope.now)
      }
      #expect(heard == nil)
      #expect(try await traces() == 0)
    }
  }

  /// Telegram goes on naming the buyer in its books.
  @Test func theNextComparisonBringsNoIDBack() async throws {
    try await Fixture.with { fixture in
      let (scope, bot) = (fixture.scope, fixture.bot)
      let erased = try await fixture.pay("start", user: 46, charge: "gone")
      _ = try await fixture.pay("start", user: 47, charge: "here")
      try await erase(erased.customerID, fixture)
      let page = try JSONDecoder().decode(
        [StarTransaction].self,
        from: Data(
          """
          [\(line("gone", of: 46)),\(line("here", of: 47))]
          """.utf8))
      try await fixture.pool.transaction(in: scope) { tx in
        try await tx.write(
          BookLine.all(page, from: 0), botID: bot.id, in: scope, at: scope.now)
      }
      let rows = try await fixture.pool.query(
        "select telegram_id, invoice_payload from star_transactions order by transaction_id",
        in: scope)
      #expect(try rows.map { try $0.getIfPresent("telegram_id", as: Int64.self) } == [nil, 47])
      #expect(
        try rows.map { try $0.getIfPresent("invoice_payload", as: String.self) } == [nil, "p47"])
    }
  }

  private func line(_ charge: String, of user: Int) -> String {
    """
    {"id":"\(charge)","amount":75,"date":1795000000,"source":{"type":"user",\
    "transaction_type":"invoice_payment","invoice_payload":"p\(user)",\
    "user":{"id":\(user),"is_bot":false,"first_name":"Ann"}}}
    """
  }
}

extension Fixture {
  /// Until one of this database's connections waits for a lock.
  func somebodyWaits() async throws {
    for _ in 0..<600 {
      let waiting: Int = try await database.superPool.query(
        """
        select count(*)::int as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
        """)[0].get("count")
      if waiting > 0 { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("nobody waits for a lock")
  }
}
