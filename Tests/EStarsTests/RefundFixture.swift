import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@_spi(Guard) @testable import EStars

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
      payment, reason: .customerAsked, note: "asked in chat", by: RefundDecisionTests.manager,
      in: scope,
      pool
    ).refund
  }

  @discardableResult
  func decide(_ refund: Refund, _ outcome: RefundDecision.Outcome) async throws -> Refund {
    try await Refund.decide(
      refund.id, RefundDecision(outcome), by: RefundDecisionTests.manager, in: scope, pool)
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
