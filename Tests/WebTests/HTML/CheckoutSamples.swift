import Foundation

@testable import Web

/// Pages of checkouts, as goldens draw them.
enum CheckoutSamples {
  private static let rows: [CheckoutRow] = CheckoutState.allCases.enumerated().map {
    index, state in
    CheckoutRow(
      id: 100 - Int64(index),
      customer: index.isMultiple(of: 2) ? Samples.ana : Samples.mallory,
      title: index == 1 ? Samples.hostile : "Start", isPlan: index == 2,
      stars: 75 * Int64(index + 1), discountPercent: index == 3 ? 15 : 0, state: state,
      reason: index == 4 ? "withdrawn" : "opened",
      openedAt: Samples.ago(Double(index) * Samples.hour),
      stateAt: Samples.ago(Double(index) * Samples.minute))
  }

  private static let open = CheckoutView(
    row: rows[0], sku: "start", credits: 10, bonusCredits: 4,
    delivery: .link("https://t.me/$abcdef"), openedBy: "@figurinhas_bot",
    botUsername: "figurinhas_bot", expiresAt: Samples.now.addingTimeInterval(80_000),
    resume: "{\"job\":\"<17>\"}",
    steps: [.init(state: .pending, reason: "opened", at: Samples.ago(Samples.hour))],
    payments: [], form: .init())

  private static let paid: CheckoutView = {
    var view = open
    view.row = rows[3]
    view.row.isPlan = true
    view.period = .seconds(2_592_000)
    view.delivery = .chat(nil)
    view.resume = nil
    view.steps += [
      .init(state: .rejected, reason: "withdrawn", at: Samples.ago(Samples.minute * 9)),
      .init(state: .validating, reason: "accepted", at: Samples.ago(Samples.minute * 8)),
      .init(state: .processing, reason: "<unheard>", at: Samples.ago(Samples.minute * 7)),
      .init(state: .completed, reason: "credited", at: Samples.ago(Samples.minute * 7)),
    ]
    view.payments = Samples.payments
    view.form = nil
    view.wasClosed = true
    view.audit = [
      .init(
        at: Samples.ago(Samples.hour), actor: "owner@estudio.example", action: "checkout.opened",
        detail: Samples.hostile)
    ]
    return view
  }()

  private static let new = NewCheckoutView(
    customer: Samples.ana,
    items: [
      .init(value: "pack:start:0", title: "Start", stars: 75),
      .init(value: "pack:start:15", title: "Start", discountPercent: 15, stars: 64),
      .init(value: "plan:pro", title: Samples.hostile, isPlan: true, stars: 2_000),
    ],
    bots: [.init(id: 1, username: "figurinhas_bot"), .init(id: 2, username: "loja_bot")],
    key: "form:abc")

  static let pages: [GoldenTests.Page] = [
    .init(name: "checkouts") {
      CheckoutsView(filter: .all, rows: rows, paging: Paging(nextCursor: "93", isFirst: true))
        .render(with: $0, in: Samples.frame())
    },
    .init(name: "checkouts-none-pt") {
      CheckoutsView(filter: .open, customer: Samples.mallory, rows: [])
        .render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "checkout") { open.render(with: $0, in: Samples.frame()) },
    .init(name: "checkout-paid-pt") { paid.render(with: $0, in: Samples.frame(.ptBR)) },
    .init(name: "checkout-cancel-missing") {
      var view = open
      view.form = .init(problem: .init(field: "reason", kind: .missing))
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "new-checkout") { new.render(with: $0, in: Samples.frame()) },
    .init(name: "new-checkout-refused-pt") {
      var view = new
      view.item = "plan:pro"
      view.delivery = "chat"
      view.problem = .code(.planNeedsLink)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "new-checkout-nothing") {
      var view = new
      view.bots = []
      return view.render(with: $0, in: Samples.frame())
    },
  ]
}
