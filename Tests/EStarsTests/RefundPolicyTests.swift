import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

/// The workspace's rule: what it says, what it decides alone, and what two people decide.
@Suite struct RefundPolicyTests {
  static let owner = Actor(.operator, "owner@example.com")

  struct Sample: Sendable {
    var hours = 1.0
    var used: Int64 = 0
    var hasOther = false
    var isCredited = true
    var granted: Int64 = 10
    var policy = RefundPolicy.standard
    let clause: RefundVerdict.Clause
  }

  @Test(arguments: [
    Sample(clause: .withinPolicy),
    Sample(hours: 24, clause: .withinPolicy),
    Sample(hours: 24.1, clause: .tooOld),
    Sample(used: 1, clause: .tooMuchUsed),
    Sample(hasOther: true, clause: .notTheFirst),
    Sample(isCredited: false, clause: .notCredited),
    // What gives access alone shows no use, so nobody can say that it was not used.
    Sample(granted: 0, clause: .accessOnly),
    Sample(hours: 25, granted: 0, clause: .tooOld),
    Sample(hasOther: true, granted: 0, clause: .notTheFirst),
    Sample(hours: 99, used: 9, hasOther: true, clause: .tooOld),
    Sample(hours: 48, policy: RefundPolicy(maxAgeHours: 48), clause: .withinPolicy),
    Sample(used: 3, policy: RefundPolicy(maxUsedPercent: 30), clause: .withinPolicy),
    Sample(used: 4, policy: RefundPolicy(maxUsedPercent: 39), clause: .tooMuchUsed),
    Sample(used: 10, policy: RefundPolicy(maxUsedPercent: 100), clause: .withinPolicy),
    Sample(hasOther: true, policy: RefundPolicy(onePerCustomer: false), clause: .withinPolicy),
  ])
  func theVerdictNamesTheClauseThatDecides(_ sample: Sample) {
    let now = Date()
    let facts = RefundFacts(
      paidAt: now.addingTimeInterval(-sample.hours * 3600), isCredited: sample.isCredited,
      granted: sample.granted, used: sample.used, hasOther: sample.hasOther)
    let verdict = sample.policy.verdict(on: facts, at: now)
    #expect(verdict.clause == sample.clause)
    #expect(verdict.recommendsRefund == (sample.clause == .withinPolicy))
  }

  @Test func whatIsSettledIsReadAndToldInTheLog() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      #expect(try await RefundPolicy.load(in: scope, pool) == .standard)
      let policy = RefundPolicy(
        maxAgeHours: 72, maxUsedPercent: 25, onePerCustomer: false, autoApproves: true,
        fourEyesStars: 500, debtPolicy: .debt)
      let version = try await RefundPolicy.version(in: scope, pool)
      try await RefundPolicy.edit(policy, madeFrom: version, by: Self.owner, in: scope, pool)
      #expect(try await RefundPolicy.load(in: scope, pool) == policy)
      await #expect(throws: RuleRefusal.changed) {
        try await RefundPolicy.edit(.standard, madeFrom: version, by: Self.owner, in: scope, pool)
      }
      let line = try #require(
        try await AuditEntry.history(of: "refund_policy", limit: 5, in: scope, pool).first)
      #expect(line.before["four_eyes_stars"] == "off" && line.after["four_eyes_stars"] == "500")
      #expect(line.after["refund_debt_policy"] == "debt")
      // The other side of the business keeps its own.
      #expect(try await RefundPolicy.load(in: fixture.live.scope, pool) == .standard)
    }
  }

  @Test func theRuleApprovesWhatItSpeaksFor() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(autoApproves: true))
      let first = try await fixture.pay("start", user: 910, charge: "a1")
      let refund = try await fixture.request(first)
      #expect(refund.state == .requested)
      try await fixture.decideByRule(refund)
      let approved = try #require(try await fixture.refund(refund.id))
      #expect(approved.state == .approved && approved.decidedBy == Refund.policyActor.name)
      #expect(approved.verdict == .withinPolicy && approved.holdKey != nil)
      #expect(try await fixture.balance(910) == 0)
      // A second one of the same customer waits for a person, whatever it looks like.
      let second = try await fixture.request(
        try await fixture.pay("start", user: 910, charge: "a2"))
      try await fixture.decideByRule(second)
      #expect(try await fixture.refund(second.id)?.state == .requested)
      // So does one of which something is used.
      let used = try await fixture.pay("start", user: 911, charge: "a3")
      #expect(try await fixture.debit(1, user: 911) == .applied)
      let third = try await fixture.request(used)
      try await fixture.decideByRule(third)
      #expect(try await fixture.refund(third.id)?.state == .requested)
      let verdicts = try await Refund.verdicts(
        on: [first, used], in: fixture.scope, fixture.pool)
      #expect(verdicts[first.id]?.clause == .withinPolicy)
      #expect(verdicts[used.id]?.clause == .tooMuchUsed)
      #expect(try await fixture.problems() == [])
    }
  }

  /// An invoice that was paid twice gives the second payment back, and that refund does not count.
  @Test func theRuleGivesASecondPaymentBack() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(autoApproves: true))
      let checkout = try await fixture.checkout("start", for: 912)
      for (number, charge) in ["first", "second"].enumerated() {
        _ = try await fixture.receive(
          Sent.payment(
            update: Int64(70 + number), from: 912, stars: 75, payload: checkout.payload ?? "",
            charge: charge, at: Int64(Date().timeIntervalSince1970)))
      }
      let refund = try #require(
        try await Refund.list(
          RefundFilter(.waiting, source: .secondPayment), after: nil, limit: 5, in: fixture.scope,
          fixture.pool
        ).first)
      #expect(
        try await fixture.count(
          "select count(*) as count from jobs where kind = 'refund.settle'") == 1)
      try await fixture.decideByRule(refund)
      #expect(try await fixture.refund(refund.id)?.state == .approved)
      let first = try #require(
        try await Payment.find(
          botID: fixture.bot.id, chargeID: "first", in: fixture.scope, fixture.pool))
      #expect(try await fixture.preview(first).verdict.clause == .withinPolicy)
    }
  }

  @Test func twoCasesOfOneCustomerAtOnceAreOneForTheRule() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(autoApproves: true))
      var cases: [Refund] = []
      for number in 0..<6 {
        cases.append(
          try await fixture.request(
            try await fixture.pay("start", user: 913, charge: "once\(number)")))
      }
      try await withThrowingTaskGroup(of: Void.self) { [cases] group in
        for refund in cases { group.addTask { try await fixture.decideByRule(refund) } }
        try await group.waitForAll()
      }
      let approved = try await fixture.count(
        "select count(*) as count from refunds where state = 'approved'")
      #expect(approved == 1)
    }
  }

  /// What a buyer asks for through the bot becomes a case, once, tied to what was said.
  @Test func aBuyerWhoAsksThroughTheBotOpensACase() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      try await fixture.settle(RefundPolicy(autoApproves: true))
      let payment = try await fixture.pay("start", user: 918, charge: "asked")
      for number in 0..<2 {
        _ = try await SupportReport(
          telegramID: 918, text: "I want my money back", topic: .refund, chargeID: "asked",
          idempotencyKey: "ask\(number)"
        ).take(from: fixture.bot, in: scope, pool)
      }
      let supportCase = try #require(
        try await SupportCase.of(payment: payment.id, in: scope, pool).first)
      for _ in 0..<2 {
        try await Refund.request(becauseOf: supportCase.id, in: scope, pool)
      }
      let refund = try #require(try await Refund.of(payment, in: scope, pool))
      #expect(refund.source == .buyer && refund.reason == .customerAsked)
      let tied = try await SupportCase.find(id: supportCase.id, in: scope, pool)
      #expect(tied?.refundID == refund.id)
      let jobs = try await fixture.count(
        """
        select count(*) as count from jobs
        where (kind, subject) in (('refund.request', \(String(supportCase.id))),
          ('refund.settle', \(String(refund.id))))
        """)
      #expect(jobs == 2)
      try await fixture.decideByRule(refund)
      #expect(try await fixture.refund(refund.id)?.state == .approved)
      // Who asks for something else asks for no Stars.
      let other = try await fixture.pay("start", user: 919, charge: "else")
      _ = try await SupportReport(
        telegramID: 919, text: "Where is it?", topic: .notDelivered, idempotencyKey: "else"
      ).take(from: fixture.bot, in: scope, pool)
      #expect(
        try await fixture.count(
          "select count(*) as count from jobs where kind = 'refund.request'") == 1)
      #expect(try await Refund.of(other, in: scope, pool) == nil)
    }
  }

  @Test func nothingIsApprovedWhereTheRuleOnlyRecommends() async throws {
    try await Fixture.with { fixture in
      let refund = try await fixture.request(
        try await fixture.pay("start", user: 914, charge: "person"))
      #expect(
        try await fixture.count(
          "select count(*) as count from jobs where kind = 'refund.settle'") == 0)
      try await fixture.decideByRule(refund)
      #expect(try await fixture.refund(refund.id)?.state == .requested)
    }
  }

  @Test func twoPeopleAgreeFromSoManyStarsOn() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(autoApproves: true, fourEyesStars: 75))
      let payment = try await fixture.pay("start", user: 915, charge: "four")
      let refund = try await fixture.request(payment)
      // Never by the rule alone.
      try await fixture.decideByRule(refund)
      let preview = try await fixture.preview(payment)
      let outcome = RefundDecision.Outcome.refund(previewed: preview.fingerprint)
      let proposed = try await fixture.decide(refund, outcome)
      #expect(proposed.state == .requested)
      #expect(proposed.proposedBy == RefundDecisionTests.manager.name)
      #expect(try await fixture.balance(915) == 10, "a proposal moves nothing")
      // The same form sent twice is done; other words of the same person are no second voice.
      let twice = try await fixture.decide(refund, outcome)
      #expect(twice.state == .requested && twice.proposedAt == proposed.proposedAt)
      await #expect(throws: RefundRefusal.needsAnother) {
        _ = try await Refund.decide(
          refund.id, RefundDecision(outcome, note: "once more"), by: RefundDecisionTests.manager,
          in: fixture.scope, fixture.pool)
      }
      let agreed = try await Refund.decide(
        refund.id, RefundDecision(outcome), by: Self.owner, in: fixture.scope, fixture.pool)
      #expect(agreed.state == .approved && agreed.decidedBy == Self.owner.name)
      #expect(try await fixture.balance(915) == 0)
      // One Star below, one is enough.
      let small = try await fixture.pay("try", user: 916, charge: "small")
      let alone = try await fixture.decide(
        try await fixture.request(small),
        .refund(previewed: try await fixture.preview(small).fingerprint))
      #expect(alone.state == .approved)
    }
  }

  /// A proposal ends with another decision, and a closed case that is proposed again is seen.
  @Test func aProposalIsNotLeftBehind() async throws {
    try await Fixture.with { fixture in
      try await fixture.settle(RefundPolicy(fourEyesStars: 1))
      let payment = try await fixture.pay("start", user: 917, charge: "left")
      let refund = try await fixture.request(payment)
      let outcome = RefundDecision.Outcome.refund(
        previewed: try await fixture.preview(payment).fingerprint)
      try await fixture.decide(refund, outcome)
      let declined = try await fixture.decide(refund, .decline(.suspectedAbuse))
      #expect(declined.proposedBy == nil && declined.declineReason == .suspectedAbuse)
      func waiting() async throws -> [Int64] {
        try await Refund.list(
          RefundFilter(.waiting), after: nil, limit: 5, in: fixture.scope, fixture.pool
        ).map(\.id)
      }
      #expect(try await waiting() == [])
      let again = try await fixture.decide(refund, outcome)
      #expect(again.state == .declined && again.proposedBy != nil)
      #expect(try await waiting() == [refund.id])
      // The proposer takes it back, or somebody else refuses it; either way the case is closed again.
      let withdrawn = try await fixture.decide(refund, .withdrawal)
      #expect(withdrawn.state == .declined && withdrawn.proposedBy == nil)
      try await fixture.decide(refund, .goodwill(credits: 3))
      try await fixture.decide(
        refund, .refund(previewed: try await fixture.preview(payment).fingerprint))
      #expect(try await waiting() == [refund.id])
      let refused = try await Refund.decide(
        refund.id, RefundDecision(.decline(.delivered)), by: Self.owner, in: fixture.scope,
        fixture.pool)
      #expect(refused.state == .goodwill && refused.proposedBy == nil)
      #expect(try await waiting() == [])
      let lines = try await AuditEntry.about(
        "refund", String(refund.id), in: fixture.scope, fixture.pool
      ).filter { $0.action == "refund.proposal_withdrawn" }
      #expect(Set(lines.map(\.actor.name)) == [RefundDecisionTests.manager.name, Self.owner.name])
    }
  }

  @Test func listsAreFilteredAndPaged() async throws {
    try await Fixture.with { fixture in
      var ids: [Int64] = []
      for number in 0..<5 {
        let payment = try await fixture.pay(
          "start", user: 920 + Int64(number % 2), charge: "l\(number)")
        let reason: Refund.Reason = number == 4 ? .notDelivered : .customerAsked
        ids.append(
          try await Refund.request(
            payment, reason: reason, note: "", by: Self.owner, in: fixture.scope, fixture.pool
          ).refund.id)
      }
      func list(_ filter: RefundFilter, after: Int64? = nil, _ limit: Int = 10) async throws
        -> [Int64]
      {
        try await Refund.list(
          filter, after: after, limit: limit, in: fixture.scope, fixture.pool
        ).map(\.id)
      }
      #expect(try await list(RefundFilter(.waiting), 2) == [ids[0], ids[1]])
      #expect(try await list(RefundFilter(.waiting), after: ids[1], 2) == [ids[2], ids[3]])
      #expect(try await list(RefundFilter(.all), after: ids[2]) == [ids[1], ids[0]])
      #expect(try await list(RefundFilter(.all, reason: .notDelivered)) == [ids[4]])
      #expect(try await list(RefundFilter(.closed)) == [])
      #expect(try await list(RefundFilter(.all, botID: fixture.bot.id + 1)) == [])
      let customer = try #require(
        try await Customer.find(telegramID: 921, in: fixture.scope, fixture.pool))
      #expect(
        try await list(RefundFilter(.all, customerID: customer.id)) == [ids[3], ids[1]])
    }
  }

  /// The margin of a payment: what its Stars are worth less what its uses cost when they were made.
  @Test func theMarginCountsWhatTheUsesCost() async throws {
    try await Fixture.with { fixture in
      let (scope, pool) = (fixture.scope, fixture.pool)
      let payment = try await fixture.pay("start", user: 930, charge: "margin")
      let rates = try await Rates.of(scope, pool)
      var margin = try await RefundMargin.of(payment, in: scope, pool)
      #expect(margin.revenueMicros == rates.micros(ofStars: 75) && margin.costMicros == 0)
      try await pool.execute(
        """
        insert into action_costs (workspace_id, action, since, unit_cost_micros, cost_currency)
        select workspace_id, action, s, c, \(rates.currency) from actions,
          (values ('-infinity'::timestamptz, 900), (now(), 250000)) v (s, c)
        where workspace_id = \(scope.workspaceID) and action = 'sticker'
        on conflict (workspace_id, action, since) do nothing
        """, in: scope)
      let customer = try #require(try await Customer.find(telegramID: 930, in: scope, pool))
      try await pool.transaction(in: scope) { tx in
        _ = try await tx.debit(
          Debit(2, key: "api:m", action: "sticker", units: 2), from: Account(customer.id),
          in: scope, at: scope.now)
        // Nobody knows what this was for: it counts as what a credit costs.
        _ = try await tx.debit(
          Debit(1, key: "api:n"), from: Account(customer.id), in: scope, at: scope.now)
      }
      margin = try await RefundMargin.of(payment, in: scope, pool)
      #expect(margin.costMicros == 500_000 + rates.creditCostMicros)
      #expect(margin.afterMicros == -margin.costMicros)
    }
  }
}

extension Fixture {
  func settle(_ policy: RefundPolicy) async throws {
    try await RefundPolicy.edit(
      policy, madeFrom: try await RefundPolicy.version(in: scope, pool),
      by: RefundPolicyTests.owner, in: scope, pool)
  }

  /// What the job does with a case that nobody has decided.
  func decideByRule(_ refund: Refund) async throws {
    _ = try await pool.transaction(in: scope) { tx in
      try await tx.autoApprove(refund.id, in: scope, at: scope.now)
    }
  }
}
