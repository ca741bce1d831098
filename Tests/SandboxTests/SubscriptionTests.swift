import Foundation
import Telegram
import Testing

@testable import Sandbox

@Suite struct SubscriptionTests {
  private static let month = 2_592_000

  private func withSubscription(
    stars: Int64 = 1000,
    _ body: @Sendable @escaping (Workbench, TelegramClient, String) async throws -> Void
  ) async throws {
    try await withSandbox(stars: stars) { bench in
      let client = try bench.client()
      let shop = runShop(client)
      let link = try await client.createInvoiceLink(
        invoice(stars: 100, payload: "plan", period: Self.month))
      let slug = try #require(TranscriptView.slug(in: link))
      guard
        case .paid(let charge) = try await bench.book.pay(
          invoice: slug, personID: Workbench.ann)
      else { throw Refusal.invalid("not paid") }
      #expect(
        try await eventually { try await bench.book.pendingCount(of: Workbench.botID) == 0 })
      shop.cancel()
      _ = await shop.result
      // The clock need not wait for a shop that has stopped.
      await bench.book.forgetPolls()
      try await body(bench, client, charge)
    }
  }

  /// Reads and confirms what waits.
  private func drain(_ client: TelegramClient) async throws -> [Update] {
    let updates = try await client.getUpdates()
    if let last = updates.last {
      _ = try await client.getUpdates(offset: last.updateID + 1)
    }
    return updates
  }

  @Test func theFirstPaymentSaysWhenItEnds() async throws {
    try await withSubscription { bench, client, charge in
      let rows = try await client.getStarTransactions()
      #expect(rows[0].source?.subscriptionPeriod == Self.month)
      let lines = try await bench.book.transcript(
        personID: Workbench.ann, botID: Workbench.botID)
      let payment = try #require(lines.last?.message.successfulPayment)
      #expect(payment.isRecurring == true && payment.isFirstRecurring == true)
      let date = try #require(lines.last?.message.date)
      #expect(payment.subscriptionExpirationDate == date + Int64(Self.month))
    }
  }

  @Test func theClockRenewsAtTheProperTimes() async throws {
    try await withSubscription { bench, client, charge in
      let start = await bench.book.nowSeconds
      try await bench.book.advanceClock(seconds: Double(3 * Self.month + 3600))
      let payments = try await drain(client).compactMap(\.message)
      #expect(payments.count == 3)
      for (index, message) in payments.enumerated() {
        let payment = try #require(message.successfulPayment)
        #expect(payment.isRecurring == true && payment.isFirstRecurring == nil)
        #expect(payment.invoicePayload == "plan")
        #expect(abs(message.date - start - Int64((index + 1) * Self.month)) < 60)
      }
      let ids = Set(payments.compactMap(\.successfulPayment?.telegramPaymentChargeID))
      #expect(ids.count == 3 && !ids.contains(charge))
      #expect(try await bench.book.person(Workbench.ann).stars == 600)
      #expect(try await client.getMyStarBalance().amount == 400)
    }
  }

  @Test func aCanceledOneRunsOut() async throws {
    try await withSubscription { bench, client, charge in
      try await bench.book.cancelSubscription(charge)
      let update = try #require(try await drain(client).first?.subscription)
      #expect(update.state == .canceled && update.invoicePayload == "plan")
      try await bench.book.advanceClock(seconds: Double(2 * Self.month))
      #expect(try await drain(client).isEmpty)
      #expect(try await bench.book.person(Workbench.ann).stars == 900)
    }
  }

  @Test func aCanceledOneIsSwitchedOnAgain() async throws {
    try await withSubscription { bench, client, charge in
      try await bench.book.cancelSubscription(charge)
      try await bench.book.resumeSubscription(charge)
      #expect(try await drain(client).compactMap(\.subscription?.state) == [.canceled, .active])
      try await bench.book.advanceClock(seconds: Double(Self.month + 60))
      #expect(try await drain(client).count == 1)
    }
  }

  @Test func missingStarsFailTheRenewalUntilThereAreSome() async throws {
    try await withSubscription(stars: 150) { bench, client, charge in
      try await bench.book.advanceClock(seconds: Double(5 * Self.month))
      #expect(try await drain(client).compactMap(\.subscription?.state) == [.failed])
      await #expect(throws: Refusal.self) { try await bench.book.resumeSubscription(charge) }
      try await bench.book.topUp(personID: Workbench.ann, stars: 100)
      try await bench.book.resumeSubscription(charge)
      let paid = try #require(try await drain(client).first?.message?.successfulPayment)
      #expect(paid.isFirstRecurring == nil)
      let until = try #require(paid.subscriptionExpirationDate)
      let now = await bench.book.nowSeconds
      #expect(abs(until - now - Int64(Self.month)) < 60)
    }
  }

  @Test func theBotStopsOneAndOnlyAllowsItAgain() async throws {
    try await withSubscription { bench, client, charge in
      try await client.editUserStarSubscription(
        userID: Workbench.ann, chargeID: charge, isCanceled: true)
      await #expect(throws: Refusal.self) { try await bench.book.resumeSubscription(charge) }
      try await client.editUserStarSubscription(
        userID: Workbench.ann, chargeID: charge, isCanceled: false)
      #expect(try await bench.book.subscriptions(of: Workbench.ann)[0].state == "canceled")
      try await bench.book.resumeSubscription(charge)
      #expect(try await bench.book.subscriptions(of: Workbench.ann)[0].state == "active")
      let error = await #expect(throws: TelegramError.self) {
        try await client.editUserStarSubscription(
          userID: Workbench.ann, chargeID: "stxOther", isCanceled: true)
      }
      #expect(error?.name == "CHARGE_ID_INVALID")
    }
  }
}

extension SandboxBook {
  func forgetPolls() { polledAt = [:] }
}
