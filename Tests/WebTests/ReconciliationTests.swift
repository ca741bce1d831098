import Foundation
@_spi(Guard) import Ledger
import Postgres
import Telegram
import Testing

@testable import Sandbox

@_spi(Guard) @testable import EStars

/// Comparing with Telegram's books, against a Telegram of our own.
@Suite struct ReconciliationTests {
  private typealias Bench = ReconciliationBench

  @Test func whatWasNeverToldIsCreditedOnce() async throws {
    try await Bench.with { bench in
      let payloads = [
        try await bench.invoice(), try await bench.invoice(Bench.ann + 1), "of another system",
      ]
      let told = try await bench.pay([payloads[0]])[0]
      let lost = try await bench.pay([payloads[1]], by: Bench.ann + 1)[0]
      let foreign = try await bench.pay([payloads[2]], stars: 9)[0]
      #expect(try await bench.tell(told, payloads[0]) == "payment.credited")
      let run = try await bench.compare()
      #expect(run.state == .done && run.problem == nil)
      #expect((run.readCount, run.mismatchCount, run.fixedCount) == (3, 2, 2))
      #expect(run.matchedCount == 3 && run.nextPosition == 3)
      #expect(run.balanceStars == 159 && run.booksStars == 159)
      #expect(try await bench.balance() == 10)
      #expect(try await bench.balance(Bench.ann + 1) == 10)
      let recovered = try await bench.payment(lost)
      #expect(recovered.state == .credited && recovered.source == .reconciliation)
      #expect(try await bench.payment(told).source == .update)
      let unknown = try await bench.payment(foreign)
      #expect(unknown.state == .unmatched && unknown.review == "unknown_payload")
      #expect(
        try await bench.all().map { [$0.kind.rawValue, $0.state.rawValue, $0.closedBy] } == [
          ["payment_unseen", "fixed", "rule"], ["payment_unseen", "fixed", "rule"],
        ])
      // Its own update comes after all, and the books are compared again.
      #expect(try await bench.tell(lost, payloads[1]) == "payment.duplicate")
      let again = try await bench.compare()
      #expect((again.mismatchCount, again.fixedCount, again.matchedCount) == (0, 0, 3))
      #expect(try await bench.balance(Bench.ann + 1) == 10)
      #expect(try await bench.problems() == [])
    }
  }

  @Test func theFiguresAreWhatTheirDefinitionsSay() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      let charge = try await bench.pay([payload])[0]
      _ = try await bench.tell(charge, payload)
      _ = try await bench.compare()
      let paid = try await StarsStanding.load(in: bench.scope, bench.pool)
      #expect((paid.balance, paid.held, paid.withdrawable) == (75, 75, 0))
      #expect((paid.liabilityCredits, paid.liabilityStars, paid.exposure) == (10, 75, 75))
      // 75 Stars at 1.30 USD a hundred and 5.40 BRL a dollar; ten credits at 0.15 BRL.
      #expect((paid.liabilityMicros, paid.costMicros) == (5_265_000, 1_500_000))
      #expect(paid.currency == "BRL")
      let customer = try await bench.payment(charge).customerID
      try await bench.pool.transaction(in: bench.scope) { tx in
        let debit = Debit(1, key: "api:figures")
        let answer = try await tx.debit(
          debit, from: Account(customer), in: bench.scope, at: bench.scope.now)
        #expect(answer.status == .applied)
      }
      let used = try await StarsStanding.load(in: bench.scope, bench.pool)
      // Nine tenths of 75, rounded half up; what was used in part is not given back for the asking.
      #expect((used.liabilityCredits, used.liabilityStars, used.exposure) == (9, 68, 0))
      #expect((used.balance, used.held, used.withdrawable) == (75, 75, 0))
      let later = WorkspaceScope(
        workspaceID: bench.scope.workspaceID, clockOffsetSeconds: 22 * 86_400)
      let free = try await StarsStanding.load(in: later, bench.pool)
      #expect((free.balance, free.held, free.withdrawable) == (75, 0, 75))
      #expect((free.liabilityCredits, free.liabilityStars, free.exposure) == (9, 68, 0))
    }
  }

  @Test func byClickNothingIsDoneUntilSomebodySaysSo() async throws {
    try await Bench.with { bench in
      try await bench.byClick()
      let payloads = [try await bench.invoice(), try await bench.invoice()]
      let charges = try await bench.pay(payloads)
      let run = try await bench.compare()
      #expect((run.mismatchCount, run.fixedCount, run.matchedCount) == (2, 0, 0))
      #expect(try await bench.balance() == 0)
      // Looked at once more, they are the same two.
      #expect(try await bench.compare().mismatchCount == 0)
      let open = try await bench.open()
      #expect(open.map(\.transactionID) == charges.reversed())
      let sides = try await open[0].sides(in: bench.scope, bench.pool)
      #expect(sides.telegram?.stars == 75 && sides.payment == nil && sides.ledger == nil)
      let fixed = try await bench.fix(open[0])
      #expect(fixed.state == .fixed && fixed.closedBy == "manager@example.com")
      #expect(try await bench.balance() == 10)
      await #expect(throws: MismatchRefusal.closed) { try await bench.fix(open[0]) }
      await #expect(throws: MismatchRefusal.closed) { try await bench.accept(open[0], "x") }
      // Of two who click at once, one credits.
      async let one = Result { try await bench.fix(open[1]) }
      async let two = Result { try await bench.fix(open[1]) }
      let results = await [one, two]
      #expect(results.filter { (try? $0.get()) != nil }.count == 1)
      #expect(try await bench.balance() == 20)
      #expect(try await bench.open().isEmpty)
      let audit = try await AuditEntry.about(
        "mismatch", String(fixed.id), in: bench.scope, bench.pool)
      #expect(audit.map(\.action) == ["mismatch.fixed"])
    }
  }

  @Test func oneThatTelegramTellsOfAfterAllClosesItself() async throws {
    try await Bench.with { bench in
      try await bench.byClick()
      let payload = try await bench.invoice()
      let charge = try await bench.pay([payload])[0]
      _ = try await bench.compare()
      let mismatch = try #require(try await bench.open().first)
      #expect(try await bench.tell(charge, payload) == "payment.credited")
      // Somebody clicks before the next comparison: nothing is credited twice.
      let fixed = try await bench.fix(mismatch)
      #expect(fixed.closedBy == Mismatch.byTelegram)
      #expect(try await bench.balance() == 10)

      let other = try await bench.invoice()
      let second = try await bench.pay([other])[0]
      _ = try await bench.compare()
      #expect(try await bench.tell(second, other) == "payment.credited")
      _ = try await bench.compare()
      #expect(try await bench.all().map(\.closedBy) == ["telegram", "telegram"])
      #expect(try await bench.balance() == 20)
    }
  }

  @Test func refundsThatWereNeverToldAreTakenBack() async throws {
    try await Bench.with { bench in
      let payloads = [try await bench.invoice(), try await bench.invoice()]
      // Both were refunded; of the first we know the payment, of the second nothing.
      let charges = try await bench.pay(payloads, refunded: true)
      #expect(try await bench.tell(charges[0], payloads[0]) == "payment.credited")
      #expect(try await bench.balance() == 10)
      let run = try await bench.compare()
      #expect((run.mismatchCount, run.fixedCount, run.matchedCount) == (3, 3, 4))
      #expect(run.balanceStars == 0 && run.booksStars == 0)
      #expect(try await bench.balance() == 0)
      for charge in charges { #expect(try await bench.payment(charge).state == .refunded) }
      #expect(try await bench.compare().mismatchCount == 0)
      #expect(try await bench.problems() == [])
    }
  }

  @Test func withoutTheRuleARefundCanBeTakenBackBeforeItsPaymentIsKnown() async throws {
    try await Bench.with { bench in
      try await bench.byClick()
      let payload = try await bench.invoice()
      let charge = try await bench.pay([payload], refunded: true)[0]
      _ = try await bench.compare()
      let open = try await bench.open()
      #expect(open.map(\.kind) == [.refundUnseen, .paymentUnseen])
      for mismatch in open { #expect(try await bench.fix(mismatch).state == .fixed) }
      #expect(try await bench.payment(charge).state == .refunded)
      #expect(try await bench.balance() == 0)
      #expect(try await bench.problems() == [])
    }
  }

  @Test func amountsThatDifferAndStrangersWaitForAPerson() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      let charge = try await bench.pay([payload], stars: 70)[0]
      #expect(try await bench.tell(charge, payload, stars: 75) == "payment.credited")
      for partner in ["other", "telegram_ads", "somebody_new"] {
        _ = try await bench.book.moveStars(
          botID: bench.bot.id, .outgoing, partner: partner, stars: 5)
      }
      // They are of this moment, and judged a little later.
      let run = try await bench.compare()
      #expect((run.mismatchCount, run.fixedCount, run.matchedCount) == (3, 0, 1))
      #expect(run.balanceStars == 55 && run.booksStars == 55)
      let open = try await bench.open()
      #expect(open.map(\.kind) == [.unknownPartner, .unknownPartner, .amountDiffers])
      #expect(open[2].stars == 70 && open[2].ourStars == 75)
      for mismatch in open {
        await #expect(throws: MismatchRefusal.notFixable) { try await bench.fix(mismatch) }
      }
      let accepted = try await bench.accept(open[2], "An affiliate's share")
      #expect(accepted.state == .accepted && accepted.note == "An affiliate's share")
      #expect(try await bench.compare().mismatchCount == 0)
      #expect(try await bench.open().count == 2)
    }
  }

  @Test func whatTelegramLacksIsFoundAndForgottenWhenItComes() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      _ = try await bench.tell("stxNowhere", payload)
      let late = try await bench.invoice()
      _ = try await bench.tell("stxLate", late)
      try await bench.pool.execute(
        """
        update payments set recorded_at = paid_at where workspace_id = \(bench.scope.workspaceID)
        """, in: bench.scope)
      let run = try await bench.compare()
      #expect(run.mismatchCount == 2)
      #expect(try await bench.open().map(\.kind) == [.notInTelegram, .notInTelegram])
      let start = await Int64(bench.book.now) - 3600
      try await bench.book.seed([
        PastPayment(
          botID: bench.bot.id, personID: Bench.ann, stars: 75, title: "Start", payload: late,
          date: start, chargeID: "stxLate")
      ])
      #expect(try await bench.compare().mismatchCount == 0)
      let open = try await bench.open()
      #expect(open.map(\.transactionID) == ["stxNowhere"])
      #expect(try await bench.accept(open[0], "Made up").state == .accepted)
      #expect(try await bench.compare().mismatchCount == 0)
    }
  }

  @Test func creditsThatTheLedgerLacksArePostedUnderTheirOwnKey() async throws {
    try await Bench.with { bench in
      let payload = try await bench.invoice()
      let charge = try await bench.pay([payload])[0]
      let customer = try #require(
        try await Customer.find(telegramID: Bench.ann, in: bench.scope, bench.pool))
      // A row that no way of ours makes: a payment without its lots.
      try await bench.pool.execute(
        """
        insert into payments (workspace_id, bot_id, charge_id, customer_id, checkout_id, state,
          stars, credits, bonus_credits, paid_at, recorded_at)
        select workspace_id, bot_id, \(charge), \(customer.id), checkout_id, 'credited', stars,
          credits, bonus_credits, now(), now()
        from checkouts where workspace_id = \(bench.scope.workspaceID) and payload = \(payload)
        """, in: bench.scope)
      _ = try await bench.compare()
      let open = try await bench.open()
      #expect(open.map(\.kind) == [.creditsMissing], "and the rule leaves it to a person")
      #expect(try await bench.fix(open[0]).state == .fixed)
      #expect(try await bench.balance() == 10)
      #expect(try await bench.tell(charge, payload) == "payment.duplicate")
      #expect(try await bench.balance() == 10)
      #expect(try await bench.problems() == [])
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
