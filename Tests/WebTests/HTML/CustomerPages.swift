import Foundation

@testable import Web

/// The pages about customers that came with the desk.
enum CustomerPages {
  static let pages: [GoldenTests.Page] = [
    .init(name: "customers-matches") {
      CustomersView(
        query: "12",
        matches: [
          .customer(Samples.mallory), .payment(Samples.payments[1]),
          .checkout(id: 12, title: Samples.hostile, stars: 75),
        ], rows: []
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "customers-corrected-pt") {
      CustomersView(
        query: Samples.hostile,
        rows: [
          .init(
            customer: Samples.ana, balance: 1, hasPurchased: true, lastSeenAt: Samples.ago(60))
        ], hasMore: true, isCorrected: true
      ).render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "customer-filtered-pt") {
      var view = Samples.indebted
      view.unit = .credits
      view.filter = .cases
      view.lifetime = .init(payments: 1, starsPaid: 75, netMicros: 5_265_000, costMicros: 4_000)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "customer-erased") {
      CustomerView(
        customer: Samples.erased, hasPurchased: true, since: Samples.ago(9 * Samples.day),
        erasedAt: Samples.ago(Samples.hour),
        accounts: [.init(available: 3, held: 0, lots: [], fate: .init(came: 3))], access: [],
        holds: [], payments: [],
        timeline: [
          StripRow(
            event: .action("customer.erased", by: "ana@estudio.example"), amount: 0,
            at: Samples.ago(Samples.hour), givenBy: "ana@estudio.example")
        ]
      ).render(with: $0, in: Samples.frame())
    },
    .init(name: "credit-answer") { answer().render(with: $0, in: Samples.frame()) },
    .init(name: "credit-answer-wrong-pt") {
      var view = answer()
      view.customer = Samples.mallory
      view.languageCode = ""
      view.bots.append(.init(id: 2, username: "outro_bot"))
      view.form.botID = 2
      view.form.text = ""
      view.form.problem = .missing
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "credit-answer-nobody") {
      var view = answer()
      view.bots = []
      view.form.problem = .bot
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "erasure") { erasure().render(with: $0, in: Samples.frame()) },
    .init(name: "erasure-unsure-pt") {
      var view = erasure()
      view.isUnsure = true
      view.messages = 1
      view.credits = -3
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "erasure-subscription") {
      var view = erasure()
      view.obstacle = .subscription(3)
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "erasure-refund-pt") {
      var view = erasure()
      view.customer = Samples.mallory
      view.obstacle = .refund(31)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
  ]

  private static func answer() -> CreditAnswerView {
    CreditAnswerView(
      customer: Samples.ana, languageCode: "pt-br",
      bots: [.init(id: 77_001, username: "figurinhas_demo_bot")],
      form: CreditAnswerForm(
        key: "form-key-1", language: "pt-br", text: "Olá!\n\n• " + Samples.hostile))
  }

  private static func erasure() -> ErasureView {
    ErasureView(
      customer: Samples.ana, messages: 12, supportCases: 1, openCheckouts: 2, payments: 3,
      credits: 1_000)
  }
}
