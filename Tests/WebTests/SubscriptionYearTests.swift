import Foundation
import Ledger
import Postgres
import Telegram
import TestSupport
import Testing

@testable import Sandbox

@_spi(Guard) @testable import EStars

/// A year of one subscriber: the real sandbox, the real jobs, both on one clock.
@Suite struct SubscriptionYearTests {
  private typealias Standing = SubscriptionBench.Standing

  private static let pro = ["hd_quality", "priority_queue", "pro"]
  private static let premium = [
    "api_access", "commercial_use", "hd_quality", "premium", "priority_queue",
  ]

  private func expect(
    _ bench: SubscriptionBench, _ state: EStars.Subscription.State,
    _ renewal: EStars.Subscription.Renewal, credits: Int64, _ access: [String], monthly: Int64,
    _ step: String, line: Int = #line
  ) async throws {
    let standing = try await bench.standing()
    let wanted = Standing(
      state: state, renewal: renewal, credits: credits, access: access, monthly: monthly)
    #expect(
      standing == wanted, "\(step)",
      sourceLocation: SourceLocation(
        fileID: #fileID, filePath: #filePath, line: line, column: 1))
  }

  @Test func stateCreditsAccessAndRevenueAreRightAtEachStep() async throws {
    // Enough for a first payment and three renewals.
    try await SubscriptionBench.with(stars: 8_500) { bench in
      try await tryAndPay(bench)
      try await renewThreeTimes(bench)
      try await failAndRecover(bench)
      try await upgrade(bench)
      try await downgrade(bench)
      try await switchOffAndOn(bench)
      try await refundTheRenewal(bench)
      try await endTheYear(bench)
    }
  }

  private func tryAndPay(_ bench: SubscriptionBench) async throws {
    let start = TrialStart(
      telegramID: SubscriptionBench.ann, plan: "pro", idempotencyKey: "trial")
    let (trial, _) = try await EStars.Subscription.startTrial(
      start, with: bench.bot, by: Actor(.bot, "@loja_bot"), in: await bench.scope(), bench.pool)
    #expect(trial.periodEndsAt == trial.startedAt.addingTimeInterval(7 * 86_400))
    try await expect(bench, .trial, .none, credits: 50, Self.pro, monthly: 0, "trial")
    let again = try await EStars.Subscription.startTrial(
      start, with: bench.bot, by: Actor(.bot, "@loja_bot"), in: await bench.scope(), bench.pool)
    #expect(again.isReplay && again.subscription.id == trial.id)
    try await bench.advance(days: 4.5)
    let first = try await bench.message(.trialEnding)
    #expect(first.button != nil)
    try await bench.advance(days: 2)
    let last = try await bench.message(.trialEnding)
    #expect(last.id != first.id)
    try await bench.pay(try #require(last.button?.url))
    // The trial's credits stay until their own end.
    try await expect(bench, .active, .on, credits: 550, Self.pro, monthly: 2000, "paid")
    let all = try await bench.subscriptions()
    #expect(all.map(\.state) == [.active, .replaced])
    // The trial's 50 expire first, so they are used first.
    try await bench.use(400)
  }

  private func renewThreeTimes(_ bench: SubscriptionBench) async throws {
    for (index, credits) in [Int64(650), 750, 750].enumerated() {
      try await bench.advance(days: index == 0 ? 30.1 : 30)
      // What was left goes over, 250 credits at most.
      try await expect(
        bench, .active, .on, credits: credits, Self.pro, monthly: 2000, "renewal \(index + 1)")
    }
    let cycles = try await bench.newest().cycles(in: await bench.scope(), bench.pool)
    #expect(cycles.map(\.carriedCredits) == [250, 250, 150, 0])
  }

  private func failAndRecover(_ bench: SubscriptionBench) async throws {
    try await bench.advance(days: 30)
    try await expect(bench, .grace, .failed, credits: 750, Self.pro, monthly: 0, "failed")
    #expect(try await bench.message(.subscriptionGrace).button == nil)
    try await bench.advance(days: 3)
    try await expect(bench, .grace, .failed, credits: 750, Self.pro, monthly: 0, "grace")
    _ = try await bench.book.topUp(personID: SubscriptionBench.ann, stars: 50_000)
    let charge = try #require(try await bench.newest().firstChargeID)
    try await bench.book.resumeSubscription(charge)
    try await bench.pump()
    try await bench.work()
    try await expect(bench, .active, .on, credits: 750, Self.pro, monthly: 2000, "renewed")
  }

  private func upgrade(_ bench: SubscriptionBench) async throws {
    try await bench.advance(days: 1)
    let pro = try await bench.newest()
    try await bench.pay(try await bench.link("premium"))
    try await expect(
      bench, .active, .on, credits: 2750, Self.premium, monthly: 6000, "upgrade")
    let old = try #require(
      try await EStars.Subscription.find(id: pro.id, in: await bench.scope(), bench.pool))
    #expect(old.state == .replaced && old.renewal == .off && old.wish == nil)
    #expect(old.renewalEndedBy == .upgrade)
    let changes = try await bench.newest().changes(in: await bench.scope(), bench.pool)
    #expect(changes.last?.kind == .upgrade && changes.last?.fromPlan == "pro")
    #expect(await bench.book.isStoppedByBot(try #require(pro.firstChargeID)))
  }

  private func downgrade(_ bench: SubscriptionBench) async throws {
    try await bench.advance(days: 5)
    let premium = try await bench.newest()
    let asked = try await EStars.Subscription.downgrade(
      premium.id, to: "pro", by: SubscriptionBench.manager, in: await bench.scope(), bench.pool)
    #expect(asked.wish == .cancel && asked.renewal == .on && asked.nextPlan == "pro")
    // Not before Telegram has confirmed it.
    try await expect(
      bench, .active, .on, credits: 2750, Self.premium, monthly: 6000, "downgrade asked")
    try await bench.work()
    try await expect(
      bench, .active, .off, credits: 2750, Self.premium, monthly: 0, "downgrade confirmed")
    try await bench.advance(days: 24.5)
    let reminder = try await bench.message(.subscriptionEnding)
    try await bench.pay(try #require(reminder.button?.url))
    try await expect(
      bench, .active, .on, credits: 3250, (Self.premium + ["pro"]).sorted(), monthly: 2000,
      "downgrade paid")
    let changes = try await bench.newest().changes(in: await bench.scope(), bench.pool)
    #expect(changes.last?.kind == .downgrade && changes.last?.fromPlan == "premium")
    try await bench.advance(days: 1)
    // Premium is over; its credits stay until their own end.
    try await expect(bench, .active, .on, credits: 3250, Self.pro, monthly: 2000, "downgraded")
    let all = try await bench.subscriptions()
    #expect(all.map(\.state) == [.active, .replaced, .replaced, .replaced])
    try await bench.advance(days: 8)
    try await expect(bench, .active, .on, credits: 500, Self.pro, monthly: 2000, "credits over")
  }

  private func switchOffAndOn(_ bench: SubscriptionBench) async throws {
    let charge = try #require(try await bench.newest().firstChargeID)
    try await bench.book.cancelSubscription(charge)
    try await bench.pump()
    try await expect(bench, .active, .off, credits: 500, Self.pro, monthly: 0, "user cancels")
    #expect(try await bench.newest().renewalEndedBy == .user)
    try await bench.advance(days: 2)
    try await bench.book.resumeSubscription(charge)
    try await bench.pump()
    try await expect(bench, .active, .on, credits: 500, Self.pro, monthly: 2000, "re-enables")
    try await bench.advance(days: 21)
    try await expect(
      bench, .active, .on, credits: 750, Self.pro, monthly: 2000, "the renewal to be refunded")
    let subscription = try await bench.newest()
    let asked = try await EStars.Subscription.cancel(
      subscription.id, by: Actor(.bot, "@loja_bot"), in: await bench.scope(), bench.pool)
    #expect(asked.renewal == .on && asked.wish == .cancel)
    // A call without an answer proves nothing.
    await bench.book.order(
      .dropConnection, botID: bench.bot.id, method: "edituserstarsubscription", times: 1)
    try await bench.work()
    #expect(try await bench.newest().renewal == .on)
    #expect(try await bench.newest().renewalError == "estars:no_answer")
    try await bench.work()
    try await expect(bench, .active, .off, credits: 750, Self.pro, monthly: 0, "bot cancels")
    #expect(try await bench.newest().renewalEndedBy == .bot)
  }

  private func refundTheRenewal(_ bench: SubscriptionBench) async throws {
    let scope = await bench.scope()
    let cycles = try await bench.newest().cycles(in: scope, bench.pool)
    let charge = try #require(cycles.first?.chargeID)
    #expect(cycles.count == 2 && charge != cycles.last?.chargeID)
    try await bench.client.refundStarPayment(userID: SubscriptionBench.ann, chargeID: charge)
    try await bench.pump()
    try await bench.work()
    // What came over from the cycle before was not paid by it, and stays.
    try await expect(bench, .expired, .off, credits: 250, [], monthly: 0, "refund")
    let after = try await bench.newest().cycles(in: scope, bench.pool)
    #expect(after.map { $0.refundedAt != nil } == [true, false])
    #expect(try await bench.problems().isEmpty)
  }

  private func endTheYear(_ bench: SubscriptionBench) async throws {
    try await bench.advance(days: 40)
    // The free plan's credits of the month, and no others.
    try await expect(bench, .expired, .off, credits: 50, [], monthly: 0, "free again")
    try await bench.advance(days: 125)
    let mismatches = try await bench.pool.query(
      "select kind, state from mismatches", in: await bench.scope())
    #expect(mismatches.isEmpty)
    #expect(try await bench.problems().isEmpty)
    let kinds = try await bench.pool.query(
      "select kind from events where kind like 'subscription.%' order by event_id",
      in: await bench.scope()
    ).map { try $0.get("kind", as: String.self).replacing("subscription.", with: "") }
    #expect(
      kinds == [
        "trial_started", "ending", "ending", "started", "renewed", "renewed", "renewed", "failed",
        "grace", "renewed", "upgraded", "canceled", "canceled", "ending", "downgraded", "canceled",
        "reenabled", "renewed", "canceled", "expired",
      ])
  }
}

/// What Telegram answers when it is asked to change a renewal.
@Suite struct SubscriptionCallTests {
  @Test func onlyAConfirmationChangesWhatIsShown() async throws {
    try await SubscriptionBench.with(stars: 3_000) { bench in
      try await bench.pay(try await bench.link("pro"))
      let scope = await bench.scope()
      let id = try await bench.newest().id
      let call = SubscriptionCall(platform: bench.fixture.platform)
      func ask() async throws {
        _ = try await EStars.Subscription.cancel(
          id, by: SubscriptionBench.manager, in: scope, bench.pool)
      }
      try await ask()
      await bench.book.order(
        .tooManyRequests(retryAfter: 900), botID: bench.bot.id,
        method: "edituserstarsubscription", times: 1)
      #expect(try await call.edit(id, attempts: 1, in: scope) == .again(seconds: 900))
      var subscription = try await bench.newest()
      #expect(subscription.renewal == .on && subscription.wish == .cancel)
      #expect(subscription.renewalError?.contains("Too Many Requests") == true)
      let charge = try #require(subscription.firstChargeID)
      try await bench.pool.execute(
        "update subscriptions set first_charge_id = 'unheard of'", in: scope)
      #expect(try await call.edit(id, attempts: 2, in: scope) == .done)
      subscription = try await bench.newest()
      #expect(subscription.renewal == .on && subscription.wish == nil)
      #expect(subscription.renewalError?.contains("CHARGE_ID_INVALID") == true)
      try await bench.pool.execute(
        "update subscriptions set first_charge_id = \(charge)", in: scope)
      try await ask()
      #expect(try await call.edit(id, attempts: 1, in: scope) == .done)
      subscription = try await bench.newest()
      #expect(subscription.renewal == .off && subscription.renewalEndedBy == .operator)
      let changes = try await subscription.changes(in: scope, bench.pool)
      #expect(changes.first?.kind == .cancel && changes.first?.by == "manager@example.com")
      // Allowed is not on: that is up to the customer.
      _ = try await EStars.Subscription.allow(
        id, by: SubscriptionBench.manager, in: scope, bench.pool)
      #expect(try await call.edit(id, attempts: 1, in: scope) == .done)
      #expect(try await bench.newest().renewal == .allowed)
      try await bench.book.resumeSubscription(charge)
      try await bench.pump()
      #expect(try await bench.newest().renewal == .on)
    }
  }
}

/// What a customer is told who has stopped the renewal herself.
@Suite struct SubscriptionReminderTests {
  private func reminders(_ bench: SubscriptionBench) async throws -> [OutgoingMessage] {
    try await bench.pool.query(
      """
      select * from outgoing_messages where kind like 'subscription.%' or kind = 'trial.ending'
      order by message_id
      """, in: await bench.scope()
    ).map(OutgoingMessage.init)
  }

  @Test func whoCancelsHearsTwiceOfTheEndAndMayPayToGoOn() async throws {
    try await SubscriptionBench.with(stars: 5_000) { bench in
      try await bench.pay(try await bench.link("pro"))
      let charge = try #require(try await bench.newest().firstChargeID)
      try await bench.advance(days: 10)
      try await bench.book.cancelSubscription(charge)
      try await bench.pump()
      try await bench.work()
      #expect(try await bench.newest().renewalEndedBy == .user)
      #expect(try await reminders(bench).isEmpty)
      try await bench.advance(days: 17.5)
      try await bench.advance(days: 0.5)
      #expect(try await reminders(bench).map(\.kind) == [.subscriptionEnding])
      try await bench.advance(days: 1.5)
      let said = try await reminders(bench)
      #expect(said.map(\.kind) == [.subscriptionEnding, .subscriptionEnding])
      #expect(said.allSatisfy { $0.state == .sent && $0.body.contains("“Pro”") })
      #expect(Set(said.compactMap { $0.button?.url }).count == 2)
      try await bench.pay(try #require(said.last?.button?.url))
      try await bench.advance(days: 2)
      let all = try await bench.subscriptions()
      #expect(all.map(\.plan) == ["pro", "pro"])
      #expect(all.map(\.state) == [.active, .replaced] && all.first?.renewal == .on)
      #expect(try await reminders(bench).count == 2)
      #expect(try await bench.problems().isEmpty)
    }
  }
}
