@_spi(Guard) @testable import EStars
import Foundation
import HTTPTypes
import Postgres
import Telegram
import TestSupport
import Testing

@_spi(Guard) import Ledger
@testable import Sandbox

/// Abandoned carts: noticed once, reminded once, told once, and left alone once they are paid.
@Suite struct CartTests {
  private func settle(_ bench: MessageBench, discount: Int = 0, reminds: Bool = true) async throws {
    try await CartSettings(
      minutes: 30, reminds: reminds, discountPercent: discount, alerts: true
    ).keep(by: MessageBench.owner, in: bench.scope, bench.platform.pool)
  }

  /// The checkout that a reminder's button leads to.
  private func offered(_ cart: AbandonedCart, _ bench: MessageBench) async throws -> EStars.Checkout
  {
    let row = try #require(
      try await bench.platform.pool.query(
        """
        select r.* from abandoned_carts a join checkouts r using (workspace_id)
        where a.workspace_id = \(bench.scope.workspaceID) and a.checkout_id = \(cart.checkoutID)
          and r.checkout_id = coalesce(a.reminder_checkout_id, a.checkout_id)
        """, in: bench.scope
      ).first)
    return try EStars.Checkout(row)
  }

  @Test func oneReminderWithItsDiscountAndTheRecoveryThatFollows() async throws {
    try await MessageBench.with { bench in
      try await settle(bench, discount: 15)
      let checkout = try await bench.open()
      try await bench.age(checkout, minutes: 29)
      try await bench.work()
      #expect(try await bench.carts().isEmpty)
      try await bench.age(checkout, minutes: 31)
      for round in 0..<3 { try await bench.work(later: Double(round) * 100) }
      let lines = try await bench.book.transcript(
        personID: MessageBench.ann, botID: bench.bot.id)
      #expect(lines.count == 1)
      let message = try #require(lines.first?.message)
      #expect(message.text?.hasPrefix("Você escolheu “") ?? false)
      #expect(message.text?.contains("64 ★") ?? false, "\(message.text ?? "")")
      let cart = try #require(try await bench.carts().first)
      #expect(cart.reminder == .sent && cart.offeredStars == 64 && cart.stars == 75)
      let offer = try await offered(cart, bench)
      #expect(message.replyMarkup?.rows.first?.first?.url == offer.invoiceLink)
      #expect(message.replyMarkup?.rows.first?.first?.text == "Pagar 64 ★")
      #expect(offer.resume == "page 3")
      let old = try await EStars.Checkout.find(
        id: checkout.id, in: bench.scope, bench.platform.pool)
      #expect(old?.state == .cancelled)
      // The reminder's own invoice is no cart, however long it waits.
      try await bench.age(offer, minutes: 600)
      try await bench.work(later: 500)
      #expect(try await bench.carts().count == 1)
      let payment = try await bench.pay(offer)
      let recovered = try #require(try await bench.carts().first)
      #expect(recovered.recoveredCharge == payment.charge)
      let sum = try await CartRecovery.load(in: bench.scope, bench.platform.pool)
      #expect(
        sum
          == CartRecovery(
            carts: 1, reminded: 1, recovered: 1, recoveredAfterReminder: 1, stars: 64))
    }
  }

  @Test func withoutADiscountTheInvoiceItselfIsShownAgain() async throws {
    try await MessageBench.with { bench in
      try await settle(bench)
      let checkout = try await bench.open()
      try await bench.age(checkout, minutes: 31)
      try await bench.work()
      let message = try #require(
        try await bench.book.transcript(personID: MessageBench.ann, botID: bench.bot.id).last?
          .message)
      #expect(message.replyMarkup?.rows.first?.first?.url == checkout.invoiceLink)
      let state = try await EStars.Checkout.find(
        id: checkout.id, in: bench.scope, bench.platform.pool)?
        .state
      #expect(state == .pending)
    }
  }

  /// The keys of jobs have spaces, and no request's key may have one.
  @Test func noKeyOfAClientKeepsAReminderFromBeingSent() async throws {
    try await MessageBench.with { bench in
      try await settle(bench, discount: 15)
      let checkout = try await bench.open()
      let other: Int64 = 7_500_031
      try await bench.meet(other, "Eve", language: "en")
      for key in ["job:cart:\(checkout.id)", "job:carts.notice:\(checkout.id)"] {
        _ = try await EStars.Checkout.open(
          CheckoutRequest(
            telegramID: other, sku: "pop", discountPercent: 0, resume: nil, idempotencyKey: key),
          with: bench.bot, in: bench.scope, bench.platform)
      }
      try await bench.age(checkout, minutes: 31)
      try await bench.work()
      let cart = try #require(try await bench.carts().first { $0.checkoutID == checkout.id })
      #expect(cart.reminder == .sent && cart.offeredStars == 64)
      let key = try await bench.platform.pool.query(
        "select idempotency_key from checkouts where opened_by = 'carts.notice'",
        in: bench.scope
      ).map { try $0.get("idempotency_key", as: String.self) }
      #expect(key == ["job carts.notice \(checkout.id)"])
    }
  }

  /// Neither of a cart that is noticed then, nor by a reminder that waits already; both are made up
  /// for when it goes on.
  @Test func nobodyIsRemindedWhileTheBusinessIsSuspended() async throws {
    try await MessageBench.with { bench in
      try await settle(bench)
      let admin = Actor(.admin, "admin@example.com")
      await bench.book.order(
        .tooManyRequests(retryAfter: 60), botID: bench.bot.id, method: "sendmessage", times: 1)
      let first = try await bench.open()
      try await bench.age(first, minutes: 31)
      try await bench.work()
      #expect(try await bench.message(.cartReminder, String(first.id)).state == .due)
      let other: Int64 = 7_500_032
      try await bench.meet(other, "Eve", language: "en")
      let second = try await bench.open(for: other)
      try await bench.age(second, minutes: 31)
      try await bench.fixture.live.suspend(
        reason: "why", by: admin, at: Date(), bench.platform)
      for round in 1...3 { try await bench.work(later: Double(round) * 100) }
      #expect(try await bench.message(.cartReminder, String(first.id)).state == .due)
      let noticed = try await bench.carts().first { $0.checkoutID == second.id }
      #expect(noticed != nil && noticed?.skip == nil && noticed?.remindedAt == nil)
      #expect(try await bench.said().isEmpty)
      #expect(try await bench.said(to: other).isEmpty)
      try await bench.fixture.live.resume(by: admin, at: Date(), bench.platform)
      for round in 4...5 { try await bench.work(later: Double(round) * 100) }
      #expect(try await bench.said().count == 1)
      #expect(try await bench.said(to: other).count == 1)
    }
  }

  @Test func whoHasPaidSinceIsNotReminded() async throws {
    try await MessageBench.with { bench in
      try await settle(bench)
      let old = try await bench.open("try")
      let checkout = try await bench.open()
      try await bench.age(checkout, minutes: 31)
      // An invoice from before is paid, which leaves the later checkout open.
      try await bench.pay(old)
      try await bench.work()
      let cart = try #require(try await bench.carts().first)
      #expect(cart.skip == .paidSince && cart.remindedAt == nil)
      #expect(try await bench.said().allSatisfy { $0.hasPrefix("Payment received") })
      let sum = try await CartRecovery.load(in: bench.scope, bench.platform.pool)
      #expect(sum.carts == 0 && sum.recovered == 0)
    }
  }

  @Test func whoPaysWhileTheReminderWaitsIsNotReminded() async throws {
    try await MessageBench.with { bench in
      try await settle(bench)
      await bench.book.order(
        .tooManyRequests(retryAfter: 60), botID: bench.bot.id, method: "sendmessage", times: 1)
      let checkout = try await bench.open()
      try await bench.age(checkout, minutes: 31)
      try await bench.work()
      try await bench.work()
      #expect(try await bench.message(.cartReminder, String(checkout.id)).state == .due)
      try await bench.pay(checkout)
      try await bench.work(later: 120)
      #expect(try await bench.message(.cartReminder, String(checkout.id)).state == .dropped)
      let cart = try #require(try await bench.carts().first)
      #expect(cart.skip == .paidSince && cart.remindedAt == nil)
      #expect(try await bench.said().allSatisfy { $0.hasPrefix("Payment received") })
    }
  }

  @Test func nobodyIsRemindedTwiceInADay() async throws {
    try await MessageBench.with { bench in
      try await settle(bench)
      for round in [100.0, 300.0] {
        try await bench.age(try await bench.open(), minutes: 31)
        try await bench.work(later: round)
        try await bench.work(later: round + 100)
      }
      let carts = try await bench.carts()
      #expect(carts.map(\.skip) == [.remindedLately, nil])
      #expect(try await bench.said().count == 1)
    }
  }

  @Test func switchedOffMeansNoticedAlone() async throws {
    try await MessageBench.with { bench in
      try await settle(bench, reminds: false)
      try await bench.age(try await bench.open(), minutes: 31)
      try await bench.work()
      #expect(try await bench.carts().map(\.skip) == [.switchedOff])
      #expect(try await bench.said().isEmpty)
    }
  }

  @Test func theAlertChatHearsOfAllCartsOnce() async throws {
    try await MessageBench.with { bench in
      try await settle(bench, reminds: false)
      let chat: Int64 = 7_500_099
      try await bench.meet(chat, "Boss", language: "en")
      let code = try await AlertChat.makeCode(
        for: bench.bot, by: MessageBench.owner, in: bench.scope, bench.platform.pool)
      try await bench.hear("/start \(code)", in: #"{"id":\#(chat),"type":"private"}"#)
      for id in [Int64(7_500_021), 7_500_022] {
        try await bench.meet(id, "Ann", language: "en")
        try await bench.age(try await bench.open(for: id), minutes: 31)
      }
      for round in 0..<3 { try await bench.work(later: Double(round) * 100) }
      let said = try await bench.said(to: chat)
      #expect(said.count == 2, "\(said)")
      #expect(said.first?.hasPrefix("Este chat passa a receber os alertas") ?? false)
      #expect(said.last?.contains("2 carrinhos ficaram para trás") ?? false)
      #expect(said.last?.components(separatedBy: "75 ★").count == 3)
    }
  }

  @Test func thePageSettlesTheMinutesAndCountsWhoCameBack() async throws {
    try await MessageBench.with { bench in
      let desk = try await Desk(bench.fixture)
      let early = try await desk.post("carts", ["minutes": "4", "discount": "0", "reminds": "1"])
      #expect(early.status == 422 && early.body.contains("value=\"4\""))
      #expect(early.body.contains("href=\"#minutes\""))
      #expect(early.body.contains("Give a whole number from 5 to 1,380."))
      #expect(try await desk.fields("carts")["minutes"] == "30")
      let kept = try await desk.post("carts", ["minutes": "45", "discount": "0", "reminds": "1"])
      #expect(kept.status == 303 && kept.headers[.location]?.hasSuffix("/carts") == true)
      #expect(try await desk.fields("carts")["minutes"] == "45")
      #expect(try await desk.get("carts").body.contains("figure-value\">–<"))
      let checkout = try await bench.open()
      try await bench.age(checkout, minutes: 44)
      try await bench.work()
      #expect(try await bench.carts().isEmpty)
      try await bench.age(checkout, minutes: 46)
      try await bench.work(later: 100)
      #expect(try await desk.get("carts").body.contains("figure-value\">0%<"))
      #expect(try await bench.said().count == 1)
      try await bench.pay(checkout)
      #expect(try await desk.get("carts").body.contains("figure-value\">100%<"))
    }
  }

  @Test func theSearchForCartsUsesItsPartialIndex() async throws {
    try await MessageBench.with { bench in
      let first = try await bench.open()
      try await bench.platform.pool.execute(
        """
        insert into checkouts (workspace_id, bot_id, customer_id, sku, title, description,
          credit_unit, credits, bonus_credits, stars, idempotency_key, fingerprint, created_at,
          expires_at)
        select workspace_id, bot_id, customer_id, sku, title, description, credit_unit, credits,
          bonus_credits, stars, 'k' || n, n, created_at - n * interval '1 minute',
          expires_at + interval '1 year'
        from checkouts, generate_series(1, 3000) n
        where workspace_id = \(bench.scope.workspaceID) and checkout_id = \(first.id)
        """, in: bench.scope)
      // Most of a business's checkouts are closed.
      try await bench.platform.pool.execute(
        """
        update checkouts set state = 'cancelled', state_at = now()
        where workspace_id = \(bench.scope.workspaceID) and fingerprint % 20 <> 0
        """, in: bench.scope)
      let now = bench.scope.now
      let search = CartWatch.unnoticed(
        openedBefore: now.addingTimeInterval(-1800), paying: now.addingTimeInterval(-300),
        in: bench.scope)
      let plan = try await bench.platform.pool.query("explain \(search)", in: bench.scope)
        .map { try $0.get("QUERY PLAN", as: String.self) }.joined(separator: "\n")
      #expect(plan.contains("Index Scan using checkouts_unnoticed"), "\(plan)")
    }
  }
}
