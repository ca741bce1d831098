@_spi(Guard) @testable import EStars
import Foundation
@_spi(Guard) import Ledger
import Postgres
import TestSupport
import Testing

/// "Where did my credits go?", answered from the ledger.
@Suite struct CreditAnswerTests {
  private static let support = Actor(.operator, "support@example.com")

  /// Ten seconds later, by the test side's clock.
  private func later(_ fixture: Fixture) -> WorkspaceScope {
    WorkspaceScope(workspaceID: fixture.workspace.id, clockOffsetSeconds: 10)
  }

  private func buy(_ sku: String, _ stars: Int64, _ number: Int64, _ fixture: Fixture) async throws
  {
    let sale = try await fixture.checkout(sku, for: 301)
    _ = try await fixture.receive(
      Sent.payment(
        update: number, from: 301, stars: stars, payload: sale.payload ?? "",
        charge: "a\(number)"))
  }

  /// Bought, used, given something that expires unused, with a hold and a refund.
  private func ann(_ fixture: Fixture) async throws -> Customer {
    try await buy("start", 75, 1, fixture)
    let customer = try #require(
      try await Customer.find(telegramID: 301, in: fixture.scope, fixture.pool))
    for number in 0..<4 {
      _ = try await fixture.platform.usage.debit(
        DebitRequest(
          check: CheckRequest(telegramID: 301, action: "sticker", units: 1), ref: nil,
          idempotencyKey: "d\(number)"), in: fixture.scope)
    }
    let (scope, account) = (fixture.scope, Account(customer.id))
    try await fixture.pool.transaction(in: scope) { tx in
      _ = try await tx.credit(
        Grant(7, source: .promo, expiresAt: scope.now.addingTimeInterval(5)), to: account,
        key: "job:promo", in: scope, at: scope.now)
      _ = try await tx.hold(
        Debit(2, key: "api:hold", action: "sticker"), from: account,
        until: scope.now.addingTimeInterval(600), in: scope, at: scope.now)
    }
    _ = try await fixture.receive(
      Sent.refund(update: 8, payer: 301, stars: 75, payload: "", charge: "a1"))
    try await buy("start", 75, 2, fixture)
    return customer
  }

  @Test func whatCameIsWhatWentAndWhatIsLeft() async throws {
    try await Fixture.with { fixture in
      let customer = try await ann(fixture)
      for isBooked in [false, true] {
        let scope = later(fixture)
        if isBooked {
          _ = try await fixture.pool.transaction(in: scope) { tx in
            try await tx.expire(Account(customer.id), in: scope, at: scope.now)
          }
        }
        let answers = try await CreditAnswer.all(of: customer.id, in: scope, fixture.pool)
        let answer = try #require(answers.first)
        #expect(answers.count == 1)
        #expect(answer.came == 27 && answer.used == 4 && answer.expired == 5)
        #expect(answer.takenBack == 6 && answer.held == 2 && answer.available == 10)
        #expect(answer.uses.map(\.units) == [4])
        #expect(answer.purchases.map(\.credits) == [10, 10])
        #expect(answer.gifts == [.init(source: .promo, credits: 7)])
        #expect(answer.rest.reduce(0) { $0 + $1.credits } == answer.available)
        #expect(
          answer.came - answer.used - answer.expired - answer.takenBack - answer.held
            == answer.available)
      }
    }
  }

  @Test func itIsSaidInTheBuyersLanguage() async throws {
    try await Fixture.with { fixture in
      let customer = try await ann(fixture)
      let scope = later(fixture)
      let expected: [(BuyerLanguage, [String])] = [
        (
          .en,
          [
            "Hello, Ann!", "Now you have 10 credits.", "in progress: 2 credits.", "+10 credits, “",
            "75 ★ (the Stars went back to you on ", "• +7 credits: a promotion", "• −4 credits: ",
            " × 4", "• −5 credits: expired unused", "• −6 credits: went back with a refund",
            "/paysupport",
          ]
        ),
        (
          .ptBR,
          [
            "Olá, Ann!", "Agora você tem 10 créditos.", "+7 créditos: uma promoção",
            "−5 créditos: venceram sem uso", "−6 créditos: voltaram com um estorno",
          ]
        ),
        (
          .es,
          [
            "¡Hola, Ann!", "Ahora tienes 10 créditos.", "«", "+7 créditos: una promoción",
            "−5 créditos: caducaron sin usarse",
          ]
        ),
        (
          .ru,
          [
            "Здравствуйте, Ann!", "Сейчас у вас: 10 кредитов.", "+7 кредитов: по акции",
            "−4 кредита: ", "−5 кредитов: срок вышел", "2 кредита.",
          ]
        ),
      ]
      for (language, parts) in expected {
        let text = try await CreditAnswer.text(of: customer, language, in: scope, fixture.pool)
        for part in parts { #expect(text.contains(part), "\(language): \(part) in \(text)") }
        #expect(text.utf16.count < Limits.messageUnits)
      }
      // Telegram says that she speaks Portuguese.
      let own = try await CreditAnswer.text(of: customer, in: scope, fixture.pool)
      #expect(own.hasPrefix("Olá, Ann!"))
    }
  }

  @Test func manyPurchasesAndActionsAreSummedUp() async throws {
    try await Fixture.with { fixture in
      for number in 1...Int64(Limits.answerPurchases + 3) {
        try await buy("start", 75, number, fixture)
      }
      let customer = try #require(
        try await Customer.find(telegramID: 301, in: fixture.scope, fixture.pool))
      let answer = try #require(
        try await CreditAnswer.all(of: customer.id, in: fixture.scope, fixture.pool).first)
      #expect(answer.purchases.count == Limits.answerPurchases)
      #expect(answer.earlierPurchases == 3 && answer.earlierCredits == 30)
      #expect(answer.came == answer.available)
      let text = try await CreditAnswer.text(of: customer, .ru, in: fixture.scope, fixture.pool)
      #expect(text.contains("раньше: +30 кредитов, 3 покупки"), "\(text)")
    }
  }

  @Test func anAnswerIsSentOnceAForm() async throws {
    try await Fixture.with { fixture in
      let customer = try await ann(fixture)
      #expect(
        try await Customer.bots(of: customer.id, in: fixture.scope, fixture.pool)
          == [fixture.bot.id])
      for _ in 0..<2 {
        let subject = try await CreditAnswer.send(
          "They are here.", to: customer.id, with: fixture.bot, key: "form-key",
          by: Self.support, in: fixture.scope, fixture.pool)
        let message = try #require(
          try await OutgoingMessage.find(
            .creditsAnswer, about: subject, in: fixture.scope, fixture.pool))
        #expect(message.body == "They are here." && message.askedBy == Self.support.name)
      }
      let lines = try await AuditEntry.about(
        "customer", String(customer.id), in: fixture.scope, fixture.pool)
      #expect(lines.map(\.action) == ["customer.answered"])
      await #expect(throws: CreditAnswer.SendRefusal.notFound) {
        _ = try await CreditAnswer.send(
          "x", to: customer.id + 99, with: fixture.bot, key: "form-key", by: Self.support,
          in: fixture.scope, fixture.pool)
      }
    }
  }
}
