import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Who decides, how often, and what follows from it.
@Suite struct RefundDecisionTests {
  static let manager = Actor(.operator, "manager@example.com")

  @Test func tenManagersAtOnceApproveOnce() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 703, charge: "c3")
      let preview = try await fixture.preview(payment)
      let refund = try await fixture.request(payment)
      let states = try await withThrowingTaskGroup(of: Refund.State.self) { group in
        for _ in 0..<10 {
          group.addTask {
            try await fixture.decide(refund, .refund(previewed: preview.fingerprint)).state
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(states == Array(repeating: .approved, count: 10))
      #expect(try await fixture.refund(refund.id)?.approvals == 1)
      #expect(
        try await fixture.count(
          "select count(*) as count from entries where operation = 'hold_charge'") == 1)
    }
  }

  @Test func aDeclineMovesNothingAndMayBeReconsidered() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 704, charge: "c4")
      let refund = try await fixture.request(payment)
      let declined = try await fixture.decide(refund, .decline(.other))
      #expect(declined.state == .declined && declined.notice == .due)
      #expect(try await fixture.balance(704) == 10)
      await #expect(throws: RefundRefusal.decided(.approved)) {
        let preview = try await fixture.preview(payment)
        _ = try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
        _ = try await fixture.decide(refund, .decline(.other))
      }
      let customer = try #require(
        try await Customer.find(telegramID: 704, in: fixture.scope, fixture.pool))
      let timeline = try await Timeline.of(
        customer: customer.id, in: fixture.scope, fixture.pool)
      #expect(
        timeline.events.contains {
          if case .entry(let e) = $0 { e.operation == "hold_charge" } else { false }
        })
    }
  }

  @Test func goodwillGivesCreditsOnceAndTheStarsStay() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 705, charge: "c5")
      let refund = try await fixture.request(payment)
      let closed = try await fixture.decide(refund, .goodwill(credits: 5))
      #expect(closed.state == .goodwill && closed.goodwillCredits == 5)
      #expect(try await fixture.balance(705) == 15)
      // What a case gave counts where support gives more.
      let room = try await GoodwillRoom.of(
        customer: payment.customerID, in: fixture.scope, fixture.pool)
      #expect(room.given == 5)
      await #expect(throws: RefundRefusal.decided(.goodwill)) {
        _ = try await fixture.decide(refund, .goodwill(credits: 5))
      }
      // A refund is still possible, and it takes what the charge gave, not the goodwill.
      let preview = try await fixture.preview(payment)
      _ = try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      _ = try await fixture.receive(
        Sent.refund(update: 92, payer: 705, stars: 75, payload: "", charge: "c5"))
      #expect(try await fixture.balance(705) == 5)
      #expect(try await fixture.refund(refund.id)?.goodwillCredits == 5)
    }
  }

  @Test func aDeclinedCaseSettlesWhenTelegramRefundsAnyway() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 707, charge: "c7")
      let refund = try await fixture.request(payment)
      _ = try await fixture.decide(refund, .decline(.other))
      _ = try await fixture.receive(
        Sent.refund(update: 95, payer: 707, stars: 75, payload: "", charge: "c7"))
      let settled = try #require(try await fixture.refund(refund.id))
      #expect(settled.state == .confirmed && settled.notice == nil)
      #expect(try await fixture.balance(707) == 0)
    }
  }

  @Test func postgresItselfRefusesStepsOffTheWay() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 710, charge: "c10")
      let refund = try await fixture.request(payment)
      for state in ["sending", "unknown", "failed"] {
        let error = await #expect(throws: PostgresError.self) {
          try await fixture.pool.execute(
            """
            update refunds set state = \(state), decided_at = now(), debt_policy = 'forgive'
            where workspace_id = \(fixture.scope.workspaceID) and refund_id = \(refund.id)
            """, in: fixture.scope)
        }
        #expect(error?.sqlState == .restrictViolation, "\(state)")
      }
      _ = try await fixture.receive(
        Sent.refund(update: 97, payer: 710, stars: 75, payload: "", charge: "c10"))
      let error = await #expect(throws: PostgresError.self) {
        try await fixture.pool.execute(
          """
          update refunds set state = 'requested', refunded_at = null
          where workspace_id = \(fixture.scope.workspaceID) and refund_id = \(refund.id)
          """, in: fixture.scope)
      }
      #expect(error?.sqlState == .restrictViolation)
      let payments = await #expect(throws: PostgresError.self) {
        try await fixture.pool.execute(
          """
          update payments set state = 'credited', refunded_at = null
          where workspace_id = \(fixture.scope.workspaceID) and charge_id = 'c10'
          """, in: fixture.scope)
      }
      #expect(payments?.sqlState == .restrictViolation)
    }
  }

  /// A debit that arrives while a manager approves: either the figures moved and nothing is done, or
  /// the hold is over exactly what the manager saw.
  @Test func aDebitBesideAnApprovalNeverChangesWhatWasAgreed() async throws {
    try await Fixture.with { fixture in
      var approved = 0
      var refused = 0
      // Each side waits a little longer every other time, until either has been first.
      for round in 0..<100 where round < 20 || approved == 0 || refused == 0 {
        let user = 8000 + Int64(round)
        let lag = Duration.milliseconds(round * round / 10)
        let payment = try await fixture.pay("start", user: user, charge: "race\(round)")
        let preview = try await fixture.preview(payment)
        let refund = try await fixture.request(payment)
        async let debit = {
          try await Task.sleep(for: round.isMultiple(of: 2) ? .zero : lag)
          return try await fixture.debit(4, user: user)
        }()
        try await Task.sleep(for: round.isMultiple(of: 2) ? lag : .zero)
        let decided = try? await fixture.decide(
          refund, .refund(previewed: preview.fingerprint))
        let status = try await debit
        if decided == nil {
          refused += 1
          #expect(status == .applied, "the approval was refused though nothing moved")
          #expect(try await fixture.balance(user) == 6)
        } else {
          approved += 1
          #expect(status == .insufficient, "credits were used after an approval over all ten")
          let held = try await fixture.count(
            """
            select coalesce(sum(amount), 0)::int as count from holds
            where charge_id = \("race\(round)")
            """)
          #expect(held == 10)
        }
      }
      #expect(approved > 0 && refused > 0)
    }
  }

  @Test func whatWasApprovedUnderOnePolicyIsNotSettledUnderAnother() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 720, charge: "policy")
      #expect(try await fixture.debit(4, user: 720) == .applied)
      let preview = try await fixture.preview(payment)
      let refund = try await fixture.request(payment)
      try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      try await fixture.pool.execute(
        """
        update workspaces set refund_debt_policy = 'debt'
        where workspace_id = \(fixture.workspace.id)
        """)
      _ = try await fixture.receive(
        Sent.refund(update: 99, payer: 720, stars: 75, payload: "", charge: "policy"))
      #expect(try await fixture.balance(720) == preview.balanceAfter)
      let settled = try #require(try await fixture.refund(refund.id))
      #expect(try await settled.clawback(in: fixture.scope, fixture.pool)?.policy == "forgive")
    }
  }

  @Test func aRefundThatFailedAndComesThroughLateIsToldToTheBuyer() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 721, charge: "late")
      let preview = try await fixture.preview(payment)
      let refund = try await fixture.request(payment)
      try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
      for state in ["sending", "failed"] {
        try await fixture.pool.execute(
          """
          update refunds set state = \(state),
            hold_key = case \(state)::text when 'failed' then null else hold_key end
          where workspace_id = \(fixture.scope.workspaceID) and refund_id = \(refund.id)
          """, in: fixture.scope)
      }
      try await fixture.pool.execute("delete from jobs where kind = 'refund.settle'")
      _ = try await fixture.receive(
        Sent.refund(update: 99, payer: 721, stars: 75, payload: "", charge: "late"))
      let settled = try #require(try await fixture.refund(refund.id))
      #expect(settled.state == .confirmed && settled.notice == .due)
      #expect(
        try await fixture.count(
          "select count(*) as count from jobs where kind = 'refund.settle'") == 1)
      #expect(try await fixture.balance(721) == 0)
    }
  }

  @Test func notesStayOutOfLedgerAndAuditLog() async throws {
    try await Fixture.with { fixture in
      let secret = "Maria, +55 11 99999"
      for (number, goodwill) in [false, true].enumerated() {
        let payment = try await fixture.pay("start", user: 722, charge: "note\(number)")
        let refund = try await Refund.request(
          payment, reason: .other, note: secret, by: Self.manager, in: fixture.scope, fixture.pool
        ).refund
        let fingerprint = try await fixture.preview(payment).fingerprint
        _ = try await Refund.decide(
          refund.id,
          RefundDecision(
            goodwill ? .goodwill(credits: 3) : .refund(previewed: fingerprint), note: secret,
            buyerMessage: secret), by: Self.manager, in: fixture.scope, fixture.pool)
        #expect(try await fixture.refund(refund.id)?.decisionNote == secret)
      }
      for table in ["entries", "lots", "holds", "clawbacks", "audit_entries"] {
        let found = try await fixture.count(
          "select count(*) as count from \(unsafe: table) t where t::text like '%Maria%'")
        #expect(found == 0, "\(table)")
      }
    }
  }

  @Test func aCaseThatIsThereIsNotOpenedAgain() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 723, charge: "twice")
      let first = try await fixture.request(payment)
      let second = try await Refund.request(
        payment, reason: .other, note: "again", by: Self.manager, in: fixture.scope, fixture.pool)
      #expect(!second.isNew && second.refund == first)
    }
  }

  @Test func theRefundOfAPaymentThatComesLaterLearnsItsCustomer() async throws {
    try await Fixture.with { fixture in
      let checkout = try await fixture.checkout("start", for: 724)
      _ = try await fixture.receive(
        Sent.refund(update: 1, payer: 999_999, stars: 75, payload: "", charge: "early"))
      _ = try await fixture.receive(
        Sent.payment(
          update: 2, from: 724, stars: 75, payload: checkout.payload ?? "", charge: "early"))
      let customer = try #require(
        try await Customer.find(telegramID: 724, in: fixture.scope, fixture.pool))
      let refunds = try await Refund.list(
        RefundFilter(.all), after: nil, limit: 5, in: fixture.scope, fixture.pool)
      #expect(refunds.map(\.customerID) == [customer.id])
    }
  }

  @Test func aRefundThatDoesNotGetOnIsShownToPeople() async throws {
    try await Fixture.with { today in
      let payment = try await today.pay("start", user: 725, charge: "stuck")
      let preview = try await today.preview(payment)
      let refund = try await today.request(payment)
      try await today.decide(refund, .refund(previewed: preview.fingerprint))
      func waiting(_ fixture: Fixture) async throws -> Int {
        try await Refund.list(
          RefundFilter(.waiting), after: nil, limit: 5, in: fixture.scope, fixture.pool
        ).count
      }
      #expect(try await waiting(today) == 0)
      let later = try await today.moved(days: 1)
      #expect(try await waiting(later) == 1)
      let health = try await Overview.Health.load(in: later.scope, later.pool)
      #expect(health.waitingRefunds == 1)
    }
  }
}
