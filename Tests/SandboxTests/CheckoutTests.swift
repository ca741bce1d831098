import Foundation
import Telegram
import Testing

@testable import Sandbox

@Suite struct CheckoutTests {
  @Test func anAcceptedPaymentMovesTheStarsOnce() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let shop = runShop(client)
      defer { shop.cancel() }
      try await bench.book.sendText("/start", from: Workbench.ann, to: Workbench.botID)
      let message = try await client.sendInvoice(to: Workbench.ann, invoice())
      let slug = try await bench.book.invoiceSlug(
        messageID: message.messageID, personID: Workbench.ann, botID: Workbench.botID)
      guard
        case .paid(let charge) = try await bench.book.pay(
          invoice: slug, personID: Workbench.ann)
      else { throw Refusal.invalid("not paid") }
      #expect(charge.hasPrefix("stx"))
      #expect(try await bench.book.person(Workbench.ann).stars == 925)
      #expect(try await client.getMyStarBalance().amount == 75)
      let rows = try await client.getStarTransactions()
      #expect(rows.map(\.id) == [charge])
      #expect(rows[0].source?.transactionType == "invoice_payment")
      #expect(rows[0].source?.invoicePayload == "order")
      await #expect(throws: Refusal.self) {
        try await bench.book.pay(invoice: slug, personID: Workbench.ann)
      }
    }
  }

  @Test func aRefusedPaymentTakesNothing() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let shop = runShop(client, refusal: "Sold out.")
      defer { shop.cancel() }
      let link = try await client.createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      let outcome = try await bench.book.pay(invoice: slug, personID: Workbench.ann)
      #expect(outcome == .refused(message: "Sold out."))
      #expect(try await bench.book.person(Workbench.ann).stars == 1000)
      #expect(try await client.getStarTransactions().isEmpty)
    }
  }

  @Test func anUnansweredPaymentFailsAndALateAnswerIsRefused() async throws {
    var pace = quickPace()
    pace.preCheckoutAnswer = .milliseconds(300)
    try await withSandbox(pace: pace) { bench in
      let client = try bench.client()
      let link = try await client.createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      #expect(try await bench.book.pay(invoice: slug, personID: Workbench.ann) == .noAnswer)
      let query = try #require(try await client.getUpdates().first?.preCheckoutQuery)
      let error = await #expect(throws: TelegramError.self) {
        try await client.acceptPreCheckoutQuery(query.id)
      }
      #expect("\(error!)".contains("query is too old"))
      #expect(try await bench.book.person(Workbench.ann).stars == 1000)
      #expect(try await client.getMyStarBalance().amount == 0)
    }
  }

  @Test func theClockEndsAPaymentThatWaits() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let link = try await client.createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      async let outcome = bench.book.pay(invoice: slug, personID: Workbench.ann)
      #expect(await eventually { !(await bench.book.state.checkouts.isEmpty) })
      try await bench.book.advanceClock(seconds: 11)
      #expect(try await outcome == .noAnswer)
    }
  }

  @Test func aLinkIsPaidAgainAndAgainWhileStarsLast() async throws {
    try await withSandbox(stars: 200) { bench in
      let client = try bench.client()
      let shop = runShop(client)
      defer { shop.cancel() }
      let link = try await client.createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      var charges: Set<String> = []
      for _ in 0..<2 {
        guard
          case .paid(let id) = try await bench.book.pay(
            invoice: slug, personID: Workbench.ann)
        else { continue }
        charges.insert(id)
      }
      #expect(charges.count == 2)
      let refusal = await #expect(throws: Refusal.self) {
        try await bench.book.pay(invoice: slug, personID: Workbench.ann)
      }
      #expect(refusal?.code == "balance_too_low")
      #expect(try await bench.book.person(Workbench.ann).stars == 50)
    }
  }

  @Test func twoPaymentsAtOnceNeverOverdraw() async throws {
    try await withSandbox(stars: 100) { bench in
      let client = try bench.client()
      let link = try await client.createInvoiceLink(invoice())
      let slug = try #require(TranscriptView.slug(in: link))
      async let first = bench.book.pay(invoice: slug, personID: Workbench.ann)
      async let second = bench.book.pay(invoice: slug, personID: Workbench.ann)
      #expect(await eventually { await bench.book.state.checkouts.count == 2 })
      let shop = runShop(client)
      defer { shop.cancel() }
      let outcomes = try await [first, second]
      #expect(outcomes.filter { $0 == .balanceTooLow }.count == 1)
      #expect(try await bench.book.person(Workbench.ann).stars == 25)
    }
  }

  @Test func someChargeIDsAreLongerThan128Characters() async throws {
    try await withSandbox { bench in
      let shop = runShop(try bench.client())
      defer { shop.cancel() }
      let link = try await bench.client().createInvoiceLink(invoice(stars: 1))
      let slug = try #require(TranscriptView.slug(in: link))
      for _ in 0..<5 {
        _ = try await bench.book.pay(invoice: slug, personID: Workbench.ann)
      }
      let lengths = try await bench.book.charges(of: Workbench.ann).map(\.id.count)
      #expect(lengths.filter { $0 > 128 }.count == 1)
      #expect(lengths.count == 5)
    }
  }
}
