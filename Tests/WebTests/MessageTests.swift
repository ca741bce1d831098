@_spi(Guard) @testable import EStars
import Foundation
import Postgres
import Telegram
import TestSupport
import Testing

@testable import Sandbox

/// Receipts and whatever else a bot says, against a Telegram that fails in every way there is.
@Suite struct MessageTests {
  @Test func everyBuyerReadsOneReceiptInTheirLanguage() async throws {
    try await MessageBench.with { bench in
      let people: [(Int64, String?, String, String)] = [
        (7_500_011, "en", "Payment received: 75 ★ for “", "Your balance: 10 credits."),
        (7_500_012, "pt-br", "Pagamento recebido: 75 ★ por “", "Seu saldo: 10 créditos."),
        (7_500_013, "es", "Pago recibido: 75 ★ por «", "Tu saldo: 10 créditos."),
        (7_500_014, "ru", "Оплата получена: 75 ★ за «", "Баланс: 10 кредитов."),
        // The workspace is Brazilian.
        (7_500_015, "ja", "Pagamento recebido: 75 ★ por “", "Seu saldo: 10 créditos."),
        (7_500_016, nil, "Pagamento recebido: 75 ★ por “", "Seu saldo: 10 créditos."),
      ]
      for (id, language, _, _) in people {
        try await bench.meet(id, "Ann", language: language)
        let checkout = try await bench.open(for: id)
        for _ in 0..<2 {
          try await bench.pay(checkout, by: id, language: language, charge: "stx\(id)")
        }
      }
      try await bench.work()
      try await bench.work(later: 3600)
      for (id, language, first, balance) in people {
        let said = try await bench.said(to: id)
        #expect(said.count == 1, "\(language ?? "none"): \(said)")
        let text = said.first ?? ""
        #expect(text.hasPrefix(first), "\(text)")
        #expect(text.contains(balance) && text.contains("stx\(id)"), "\(text)")
        #expect(text.contains("/paysupport"))
      }
    }
  }

  @Test func withoutAnAnswerAReceiptIsSaidTwiceAtMost() async throws {
    try await MessageBench.with { bench in
      await bench.book.order(.dropConnection, botID: bench.bot.id, method: "sendmessage", times: 9)
      let payment = try await bench.pay(try await bench.open())
      for round in 0..<6 { try await bench.work(later: Double(round) * 1000) }
      let message = try await bench.message(.receipt, String(payment.id))
      #expect(message.state == .failed)
      #expect(message.lastError.map(MessageProblem.init(stored:)) == .code(.noAnswer))
      #expect(try await bench.said().count == 2)
    }
  }

  @Test func theSecondTryThatIsAnsweredIsTheLast() async throws {
    try await MessageBench.with { bench in
      await bench.book.order(.internalError, botID: bench.bot.id, method: "sendmessage", times: 1)
      let payment = try await bench.pay(try await bench.open())
      for round in 0..<4 { try await bench.work(later: Double(round) * 1000) }
      #expect(try await bench.message(.receipt, String(payment.id)).state == .sent)
      #expect(try await bench.said().count == 1)
    }
  }

  @Test func tooManyRequestsHoldTheWholeBotForAsLongAsTelegramSays() async throws {
    try await MessageBench.with { bench in
      try await bench.meet(7_500_002, "Bo", language: "en")
      await bench.book.order(
        .tooManyRequests(retryAfter: 60), botID: bench.bot.id, method: "sendmessage", times: 1)
      try await bench.pay(try await bench.open())
      try await bench.pay(try await bench.open(for: 7_500_002), by: 7_500_002)
      func count() async throws -> Int {
        try await bench.said().count + bench.said(to: 7_500_002).count
      }
      try await bench.work()
      #expect(try await count() == 0)
      try await bench.work(later: 30)
      #expect(try await count() == 0)
      try await bench.work(later: 120)
      #expect(try await count() == 2)
    }
  }

  @Test func whoBlockedTheBotIsNotAskedAgain() async throws {
    try await MessageBench.with { bench in
      try await bench.book.setChat(
        personID: MessageBench.ann, botID: bench.bot.id, isBlocked: true)
      let payment = try await bench.pay(try await bench.open())
      try await bench.work()
      let message = try await bench.message(.receipt, String(payment.id))
      #expect(message.state == .blocked)
      #expect(message.lastError == "Forbidden: bot was blocked by the user")
      try await bench.book.setChat(
        personID: MessageBench.ann, botID: bench.bot.id, isBlocked: false)
      try await bench.work(later: 4000)
      #expect(try await bench.said().isEmpty)
      // An operator may try again by hand.
      #expect(
        try await payment.sayReceiptAgain(
          key: "k", by: MessageBench.owner, in: bench.scope, bench.platform.pool))
      await bench.platform.messages.sendNow(
        .receiptAgain, about: "\(payment.id):k", in: bench.scope)
      #expect(try await bench.said().count == 1)
    }
  }

  @Test func aReceiptIsSentAgainOncePerForm() async throws {
    try await MessageBench.with { bench in
      let payment = try await bench.pay(try await bench.open())
      try await bench.work()
      let session = try await bench.fixture.operatorSession(.support)
      for _ in 0..<2 {
        let answer = try await bench.fixture.send(
          .post,
          "/w/\(bench.fixture.workspace.slug)/payments/\(bench.bot.id)/\(payment.chargeID)/receipts",
          headers: [
            .cookie: session.cookie, .contentType: "application/x-www-form-urlencoded",
          ], body: "csrf=\(session.csrf)&form_key=one")
        #expect(answer.status == 303)
      }
      let said = try await bench.said()
      #expect(said.count == 2, "\(said)")
      #expect(said.last?.hasPrefix("Your receipt: 75 ★ for “") ?? false)
      let page = try await bench.fixture.send(
        .get, "/w/\(bench.fixture.workspace.slug)/payments/\(bench.bot.id)/\(payment.chargeID)",
        headers: [.cookie: session.cookie])
      #expect(page.body.components(separatedBy: "state-good\">Sent").count == 3)
      let lines = try await AuditEntry.about(
        "payment", String(payment.id), in: bench.scope, bench.platform.pool)
      #expect(lines.filter { $0.action == "payment.receipt_resent" }.count == 1)
    }
  }

  @Test func aBotThatConfirmsByItselfIsLeftToIt() async throws {
    try await MessageBench.with { bench in
      try await bench.bot.sendReceipts(
        false, by: MessageBench.owner, in: bench.scope, bench.platform)
      try await bench.pay(try await bench.open())
      try await bench.work()
      #expect(try await bench.said().isEmpty)
    }
  }

  @Test func whatWasRefundedMeanwhileIsNotConfirmed() async throws {
    try await MessageBench.with { bench in
      let payment = try await bench.pay(try await bench.open())
      try await bench.receive(
        #""message":{"message_id":9,"date":1795000500,"chat":{"id":\#(MessageBench.ann),"#
          + #""type":"private"},"refunded_payment":{"currency":"XTR","total_amount":75,"#
          + #""invoice_payload":"x","telegram_payment_charge_id":"\#(payment.chargeID)"}}"#)
      try await bench.work()
      #expect(try await bench.message(.receipt, String(payment.id)).state == .dropped)
      #expect(try await bench.said().isEmpty)
    }
  }

  @Test func aTextThatIsTooLongIsCutAndNotRefused() {
    let long = String(repeating: "😀", count: 3000)
    let text = OutgoingMessage.fitting(long + "\0")
    #expect(text.utf16.count == 4096 && long.hasPrefix(text))
    #expect(CountedNoun.credits(.ru).text(21, .ru) == "21 кредит")
    #expect(CountedNoun.credits(.ru).text(12, .ru) == "12 кредитов")
    #expect(CountedNoun.credits(.ru).text(23, .ru) == "23 кредита")
  }
}
