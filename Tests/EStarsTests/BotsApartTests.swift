import Foundation
import Ledger
import Testing

@_spi(Guard) @testable import EStars

/// Two bots of one workspace with the same idempotency key and the same request: the second one is
/// told that the key is taken, and never what the first one got.
@Suite struct BotsApartTests {
  @Test func noBotReplaysAnothersWrite() async throws {
    try await Fixture.with { fixture in
      let (scope, platform) = (fixture.scope, fixture.platform)
      let other = try await Bot.register(
        token: "7000000002:AAOtherOtherOtherOtherOtherOtherOth", username: "other_bot",
        name: "Other", segment: .aiBot, endpoint: .sandbox(URL(filePath: "/")),
        in: fixture.workspace, at: Date(), platform)
      try await fixture.give(20, to: 530)
      let check = CheckRequest(telegramID: 530, action: "sticker", units: 1)
      for (bot, debited, held) in [
        (fixture.bot, UsageStatus.applied, UsageStatus.applied),
        (fixture.bot, .replayed, .replayed), (other, .conflict, .conflict),
      ] {
        let debit = try await platform.usage.debit(
          DebitRequest(check: check, ref: nil, idempotencyKey: "d", botID: bot.id), in: scope)
        #expect(debit.status == debited)
        let hold = try await platform.usage.hold(
          HoldRequest(check: check, ref: nil, seconds: 60, idempotencyKey: "h", botID: bot.id),
          in: scope)
        #expect(hold.usage.status == held)
      }
      _ = try await fixture.checkout("start", for: 530, key: "c")
      let trial = TrialRequest(
        telegramID: 531, engagement: 5, intent: 5, source: "", idempotencyKey: "t")
      _ = try await TrialGrant.decide(trial, with: fixture.bot, in: scope, fixture.pool)
      #expect(
        try await !TrialGrant.decide(trial, with: fixture.bot, in: scope, fixture.pool).isNew)
      await #expect(throws: Checkout.Refusal.keyReused) {
        try await TrialGrant.decide(trial, with: other, in: scope, fixture.pool)
      }
      let sold = CheckoutRequest(
        telegramID: 530, sku: "start", discountPercent: 0, resume: nil, idempotencyKey: "c")
      await #expect(throws: Checkout.Refusal.keyReused) {
        try await Checkout.open(sold, with: other, in: scope, platform)
      }
    }
  }
}
