import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// Decisions about refunds, without Telegram: what they post, what they refuse, what they promised.
@Suite struct RefundTests {
  static let manager = Actor(.operator, "manager@example.com")

  @Test func anApprovalHoldsWhatIsLeftAndTelegramsReportTakesIt() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("try", user: 700, charge: "c1")
      #expect(try await fixture.balance(700) == 9)
      let preview = try await fixture.preview(payment)
      #expect(preview.stars == 49 && preview.taken == 9 && preview.used == 0)
      #expect(preview.balanceBefore == 9 && preview.balanceAfter == 0)
      #expect(preview.verdict.isUnused)
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
      let declined = try await fixture.decide(refund, .decline)
      #expect(declined.state == .declined && declined.notice == .due)
      #expect(try await fixture.balance(704) == 10)
      await #expect(throws: RefundRefusal.decided(.approved)) {
        let preview = try await fixture.preview(payment)
        _ = try await fixture.decide(refund, .refund(previewed: preview.fingerprint))
        _ = try await fixture.decide(refund, .decline)
      }
      let customer = try #require(
        try await Customer.find(telegramID: 704, in: fixture.scope, fixture.pool))
      let timeline = try await Timeline.of(
        customer: customer.id, before: nil, in: fixture.scope, fixture.pool)
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

  @Test func aRefundFromOutsideOpensAndSettlesItsCase() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("pro", user: 706, charge: "c6")
      _ = try await fixture.receive(
        Sent.refund(update: 93, payer: 706, stars: 500, payload: "", charge: "c6"))
      let refund = try #require(try await Refund.of(payment, in: fixture.scope, fixture.pool))
      #expect(refund.state == .confirmed && refund.source == .telegram)
      #expect(refund.reason == .refundedElsewhere && refund.notice == nil)
      #expect(try await fixture.balance(706) == 0)
      await #expect(throws: RefundRefusal.settled(.confirmed)) {
        _ = try await fixture.decide(refund, .decline)
      }
      let again = try await fixture.receive(
        Sent.refund(update: 94, payer: 706, stars: 500, payload: "", charge: "c6"))
      guard case .stored(let outcome, _, _) = again else { throw Unexpected() }
      #expect(outcome == "refund.duplicate")
    }
  }

  @Test func aDeclinedCaseSettlesWhenTelegramRefundsAnyway() async throws {
    try await Fixture.with { fixture in
      let payment = try await fixture.pay("start", user: 707, charge: "c7")
      let refund = try await fixture.request(payment)
      _ = try await fixture.decide(refund, .decline)
      _ = try await fixture.receive(
        Sent.refund(update: 95, payer: 707, stars: 75, payload: "", charge: "c7"))
      let settled = try #require(try await fixture.refund(refund.id))
      #expect(settled.state == .confirmed && settled.notice == nil)
      #expect(try await fixture.balance(707) == 0)
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
      let cases = try await Refund.recent(
        waitsForDecision: true, before: nil, limit: 10, in: fixture.scope, fixture.pool)
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

  @Test(arguments: [
    (hours: 1.0, used: Int64(0), expected: true), (24, 0, true), (24.1, 0, false), (1, 1, false),
  ])
  func theStandardRuleIsADayAndNothingUsed(_ sample: (hours: Double, used: Int64, expected: Bool)) {
    let now = Date()
    let verdict = RefundPolicy.standard.verdict(
      paidAt: now.addingTimeInterval(-sample.hours * 3600), used: sample.used, at: now)
    #expect(verdict.recommendsRefund == sample.expected)
  }

  @Test func buyersAreToldInTheirLanguage() {
    var notice = RefundNotice(
      decision: .refunded(taken: 1), stars: 75, pack: "Start", addition: "Até logo!")
    #expect(
      notice.text(languageCode: "pt-br")
        == "Seu pagamento de 75 ★ por “Start” foi estornado: as Stars já voltaram ao seu saldo. "
        + "1 crédito não usado voltou junto.\n\nAté logo!")
    notice = RefundNotice(decision: .goodwill(credits: 5), stars: 75, pack: nil, addition: "")
    #expect(
      notice.text(languageCode: "de")
        == "About your payment of 75 ★: we have added 5 credits to your balance.")
    notice = RefundNotice(decision: .declined, stars: 1, pack: "Try", addition: "")
    #expect(notice.text(languageCode: nil).contains("will not refund"))
  }
}

private struct Unexpected: Error {}

extension Fixture {
  /// A payment made just now.
  func pay(_ sku: String, user: Int64, charge: String) async throws -> Payment {
    let checkout = try await checkout(sku, for: user)
    _ = try await receive(
      Sent.payment(
        update: Int64.random(in: 1000...9_000_000), from: user, stars: checkout.stars,
        payload: checkout.payload ?? "", charge: charge, at: Int64(Date().timeIntervalSince1970)))
    return try #require(
      try await Payment.find(botID: bot.id, chargeID: charge, in: scope, pool))
  }

  /// The same workspace with its clock moved on.
  func moved(days: Int) async throws -> Fixture {
    try await Workspace.moveClock(
      ofTestSide: workspace.slug, offsetSeconds: days * 86_400, pool)
    let moved = try #require(try await Workspace.find(slug: workspace.slug, pool))
    return Fixture(
      database: database, platform: platform, live: live, workspace: moved, bot: bot)
  }

  func preview(_ payment: Payment) async throws -> RefundPreview {
    try await RefundPreview.of(payment, in: scope, pool)
  }

  func request(_ payment: Payment) async throws -> Refund {
    try await Refund.request(
      payment, reason: .customerAsked, note: "asked in chat", by: RefundTests.manager, in: scope,
      pool)
  }

  @discardableResult
  func decide(_ refund: Refund, _ outcome: RefundDecision.Outcome) async throws -> Refund {
    try await Refund.decide(
      refund.id, RefundDecision(outcome), by: RefundTests.manager, in: scope, pool)
  }

  func refund(_ id: Int64) async throws -> Refund? {
    try await Refund.find(id: id, in: scope, pool)
  }

  func debit(_ amount: Int64, user: Int64) async throws -> PostingStatus {
    let customer = try #require(try await Customer.find(telegramID: user, in: scope, pool))
    return try await pool.transaction(in: scope) { tx in
      try await tx.debit(
        Debit(amount, key: "api:\(UUID().uuidString)"), from: Account(customer.id), in: scope,
        at: scope.now
      ).status
    }
  }

  func problems() async throws -> [String] {
    try await Ledger(pool: platform.patientPool).verify(in: scope).map(\.description)
  }
}
