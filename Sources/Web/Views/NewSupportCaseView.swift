import Foundation

/// The form by which an operator opens a support case for a customer.
struct NewSupportCaseView: Sendable, Equatable {
  struct Choice: Sendable, Equatable {
    var value: String
    var title: String
  }

  var customer: CustomerLabel
  /// The customer's payments, and none.
  var payments: [PaymentRow]
  /// Bots that could speak with the customer.
  var bots: [BotLabel]
  var key: String
  /// Of `payments`, by its number in a form.
  var payment = ""
  var topic: SupportTopic = .creditsMissing
  var subject = ""
  var note = ""
  var botID: Int64?
  var problems: [FormProblem] = []

  /// How a form names a payment.
  static func value(of payment: PaymentKey) -> String { "\(payment.botID):\(payment.chargeID)" }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let fields = fields(page)
    let customerPath = Links.customer(page.slug, customer.id)
    return page.page(
      .newSupportCase, title: t("support.new_title", ["name": page.name(of: customer)]),
      place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)),
        (title: page.name(of: customer), href: customerPath),
      ],
      [
        "action": .text(customerPath + "/support-cases"), "key": .text(key),
        "no_bot": .flag(bots.isEmpty),
        "summary": problems.summary(page, of: fields),
        "fields": .records(fields) { $0.model(problems, page) },
      ])
  }

  private func fields(_ page: PageContext) -> [FormField] {
    let (t, format) = (page.strings, page.format)
    var fields = [
      FormField(
        id: "topic", label: t["support.topic"], value: topic.rawValue,
        kind: .choice(SupportTopic.allCases.map { (value: $0.rawValue, label: $0.words(t)) })),
      FormField(
        id: "subject", label: t["support.subject"], hint: t["support.subject_hint"],
        value: subject, kind: .text(max: 120)),
      FormField(
        id: "payment", label: t["support.about_payment"], value: payment,
        kind: .choice(
          [(value: "", label: t["support.about_none"])]
            + payments.map {
              (
                value: Self.value(of: $0.key),
                label: "\(format.stars($0.stars)) · \($0.packTitle ?? t["support.no_product"]) · "
                  + format.day($0.paidAt)
              )
            })),
      FormField(
        id: "note", label: t["support.what"], hint: t["support.what_hint"], value: note,
        kind: .area(rows: 4, max: 4096)),
    ]
    if bots.count > 1 {
      fields.append(
        FormField(
          id: "bot", label: t["support.by_bot"], hint: t["support.by_bot_hint"],
          value: botID.map(String.init) ?? "",
          kind: .choice(bots.map { (value: String($0.id), label: "@" + $0.username) })))
    }
    return fields
  }
}
