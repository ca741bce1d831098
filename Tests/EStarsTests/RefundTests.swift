import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Decisions about refunds, without Telegram: what they post, what they refuse, what they promised.
@Suite struct RefundTests {
  @Test func anApprovalHoldsWhatIsLeftAndTelegramsReportTakesIt() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("try", user: 700, charge: "c1")
      #expect(try await fixture.balance(700) == 9)
      let preview = try await fixture.preview(payment)
      #expect(preview.stars == 49 && preview.taken == 9 && preview.used == 0)
      #expect(preview.balanceBefore == 9 && preview.balanceAfter == 0)
      #expect(preview.verdict.isLittleUsed)
      let refund = try await fixture.request(payment)
      #expect(refund.state == .requested)
      let approved = try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      #expect(approved.state == .approved && approved.decidedBy == "manager@example.com")
      #expect(try await fixture.balance(700) == 0)
      #expect(try await fixture.debit(1, user: 700) == .insufficient)
      let jobs = try await fixture.count(
        "select count(*) as count from jobs where kind = 'refund.settle'")
      #expect(jobs == 1)
      _ = try await fixture.receive(
        Sent.refund(update: 90, payer: 700, stars: 49, payload: "", charge: "c1"))
      let settled = try #require(try await fixture.refund(refund.id))
      #expect(settled.state == .confirmed && settled.source == .operator)
      #expect(try await fixture.balance(700) == 0)
      let clawback = try #require(try await settled.clawback(in: fixture.scope, fixture.pool))
      #expect(clawback.taken == 9 && clawback.used == 0)
      #expect(try await fixture.problems() == [])
    }
  }

  /// What the page shows before the decision is what the ledger does, in every mixture of left,
  /// used, held and bought elsewhere, under both policies.
  @Test(arguments: [DebtPolicy.forgive, .debt], UInt64(1)...6)
  func thePreviewIsWhatHappens(_ policy: DebtPolicy, _ seed: UInt64) async throws {
    try await Fixture.with { fixture in
      var random = SeededGenerator(seed: seed)
      try await fixture.pool.execute(
        """
        update workspaces set refund_debt_policy = \(policy.rawValue)
        where workspace_id = \(fixture.workspace.id)
        """)
      let payment = try await fixture.pay("try", user: 701, charge: "mixed")
      if Bool.random(using: &random) {
        _ = try await fixture.pay("start", user: 701, charge: "other")
      }
      let customer = try #require(
        try await Customer.find(telegramID: 701, in: fixture.scope, fixture.pool))
      for number in 0..<Int.random(in: 0...3, using: &random) {
        let amount = Int64.random(in: 1...4, using: &random)
        try await fixture.pool.transaction(in: fixture.scope) { tx in
          _ = try await tx.debit(
            Debit(amount, key: "api:d\(number)"), from: Account(customer.id), in: fixture.scope,
            at: fixture.scope.now)
        }
      }
      if Bool.random(using: &random) {
        try await fixture.pool.transaction(in: fixture.scope) { tx in
          _ = try await tx.hold(
            Debit(2, key: "api:h"), from: Account(customer.id), until: .distantFuture,
            in: fixture.scope, at: fixture.scope.now)
        }
      }
      let preview = try await fixture.preview(payment)
      let refund = try await fixture.request(payment)
      _ = try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      let again = try await fixture.preview(payment)
      #expect(again.balanceAfter == preview.balanceAfter, "the hold changes nothing of the end")
      _ = try await fixture.receive(
        Sent.refund(update: 91, payer: 701, stars: 49, payload: "", charge: "mixed"))
      let ledger = Ledger(pool: fixture.pool)
      let after = try await ledger.balance(of: Account(customer.id), in: fixture.scope)
      #expect(after.available == preview.balanceAfter)
      let settled = try #require(try await fixture.refund(refund.id))
      let clawback = try #require(try await settled.clawback(in: fixture.scope, fixture.pool))
      #expect(clawback.taken == preview.taken && clawback.used == preview.used)
      #expect(clawback.held == preview.held && clawback.expired == preview.expired)
      #expect(try await fixture.problems() == [])
    }
  }

  @Test(arguments: [DebtPolicy.forgive, .debt])
  func whatHasExpiredIsNeitherTakenNorOwed(_ policy: DebtPolicy) async throws {
    try await Fixture.with { today in
      try await today.pool.execute(
        """
        update packs set credits_valid_days = 1 where workspace_id = \(today.workspace.id)
        """, in: today.scope)
      try await today.pool.execute(
        """
        update workspaces set refund_debt_policy = \(policy.rawValue)
        where workspace_id = \(today.workspace.id)
        """)
      let payment = try await today.pay("start", user: 715, charge: "old")
      #expect(try await today.debit(4, user: 715) == .applied)
      let later = try await today.moved(days: 2)
      let preview = try await later.preview(payment)
      #expect(preview.taken == 0 && preview.expired == 6 && preview.used == 4)
      #expect(!preview.verdict.isInTime)
      #expect(preview.balanceBefore == 0)
      #expect(preview.balanceAfter == (policy == .debt ? -4 : 0))
      let refund = try await later.request(payment)
      try await later.decide(refund, .refund(previewed: preview.fingerprint))
      _ = try await later.receive(
        Sent.refund(update: 98, payer: 715, stars: 75, payload: "", charge: "old"))
      #expect(try await later.balance(715) == preview.balanceAfter)
      #expect(try await later.problems() == [])
    }
  }

  @Test func anApprovalOfFiguresThatMovedIsRefused() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 702, charge: "c2")
      let preview = try await fixture.preview(payment)
      let refund = try await fixture.request(payment)
      #expect(try await fixture.debit(3, user: 702) == .applied)
      await #expect(throws: RefundRefusal.previewChanged) {
        try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      }
      #expect(try await fixture.balance(702) == 7)
      #expect(try await fixture.refund(refund.id)?.state == .requested)
    }
  }

  @Test func aRefundFromOutsideOpensAndSettlesItsCase() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("pro", user: 706, charge: "c6")
      _ = try await fixture.receive(
        Sent.refund(update: 93, payer: 706, stars: 500, payload: "", charge: "c6"))
      let refund = try #require(try await Refund.of(payment, in: fixture.scope, fixture.pool))
      #expect(refund.state == .confirmed && refund.source == .telegram)
      #expect(refund.reason == .refundedElsewhere && refund.notice == nil)
      #expect(try await fixture.balance(706) == 0)
      await #expect(throws: RefundRefusal.settled) {
        _ = try await fixture.decide(refund, .decline(.other))
      }
      let again = try await fixture.receive(
        Sent.refund(update: 94, payer: 706, stars: 500, payload: "", charge: "c6"))
      guard case .stored(let outcome, _, _) = again else { throw Unexpected() }
      #expect(outcome == "refund.duplicate")
    }
  }

  @Test func aSecondPaymentOfOneInvoiceOpensACase() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 708)
      for (number, charge) in ["first", "second"].enumerated() {
        _ = try await fixture.receive(
          Sent.payment(
            update: Int64(50 + number), from: 708, stars: 75, payload: checkout.payload ?? "",
            charge: charge))
      }
      #expect(try await fixture.balance(708) == 20)
      let cases = try await Refund.list(
        RefundFilter(.waiting), after: nil, limit: 10, in: fixture.scope, fixture.pool)
      #expect(cases.map(\.chargeID) == ["second"])
      #expect(cases[0].source == .secondPayment && cases[0].reason == .doublePayment)
    }
  }

  @Test func aPaymentThatGaveNothingCanBeRefunded() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.receive(
        Sent.payment(update: 60, from: 709, stars: 40, payload: "order-9", charge: "c9"))
      let payment = try #require(
        try await Payment.find(
          botID: fixture.bot.id, chargeID: "c9", in: fixture.scope, fixture.pool))
      let preview = try await fixture.preview(payment)
      #expect(preview.lots.isEmpty && preview.balanceAfter == 0)
      let refund = try await fixture.request(payment)
      let approved = try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      #expect(approved.holdKey == nil)
      _ = try await fixture.receive(
        Sent.refund(update: 96, payer: 709, stars: 40, payload: "order-9", charge: "c9"))
      #expect(try await fixture.refund(refund.id)?.state == .confirmed)
    }
  }
}

private struct Unexpected: Error {}
