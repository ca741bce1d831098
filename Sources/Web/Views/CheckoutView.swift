import Foundation

/// One checkout: what is sold to whom, every step with its reason, and what was paid.
struct CheckoutView: Sendable, Equatable {
  struct Step: Sendable, Equatable {
    var state: CheckoutState
    /// A code.
    var reason: String
    var at: Date
  }

  /// How the invoice gets to its buyer.
  enum Delivery: Sendable, Equatable {
    /// nil: Telegram has not made it yet.
    case link(String?)
    /// The message's number; nil: Telegram has not said that it is there.
    case chat(Int64?)
  }

  struct Form: Sendable, Equatable {
    var reason = ""
    var problem: FormProblem?
  }

  var row: CheckoutRow
  var sku: String
  var credits: Int64
  var bonusCredits: Int64
  var unit: UnitLabel = .credits
  /// Of a plan: it renews every so often.
  var period: Duration?
  var delivery: Delivery
  /// A bot, an operator or a job.
  var openedBy: String
  /// Without the @.
  var botUsername: String
  var expiresAt: Date
  var resume: String?
  /// In their order.
  var steps: [Step]
  var payments: [PaymentRow]
  /// Calling it off; nil: it is closed, or the reader's role may not.
  var form: Form?
  /// It was closed while the reader looked.
  var wasClosed = false
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    var facts = row.model(page)
    facts["sku"] = .text(sku)
    facts["gives"] = .text(gives(page))
    facts["period"] = .optional(
      period.map {
        t(
          "checkouts.period",
          [
            "time": $0.formatted(
              .units(allowed: [.days, .minutes], width: .wide).locale(page.frame.language.locale))
          ])
      })
    facts["opened_by"] = .text(openedBy)
    facts["bot"] = .text("@" + botUsername)
    facts["expires"] =
      row.state.isOpen ? .record(["time": format.time(expiresAt)]) : TemplateValue.none
    facts["resume"] = .optional(resume)
    return page.page(
      .checkout,
      title: t("checkouts.title", ["what": row.title, "name": page.name(of: row.customer)]),
      place: .checkouts, trail: [(title: t["nav.checkouts"], href: Links.checkouts(page.slug))],
      [
        "warning": wasClosed ? .text(t["checkouts.was_closed"]) : .none,
        "checkout": .record(facts),
        "delivery": .record(deliveryModel(page)),
        "steps": .records(steps) { $0.model(page) },
        "payments": payments.isEmpty
          ? .none
          : .record(["shows_customer": true, "rows": .records(payments) { $0.model(page) }]),
        "form": .optional(form) { model($0, page) },
        "audit": PaymentView.audit(audit, page),
      ])
  }

  private func gives(_ page: PageContext) -> String {
    let credits = page.amount(credits, unit)
    return bonusCredits == 0
      ? credits
      : page.strings(
        "checkouts.with_bonus",
        ["credits": credits, "bonus": page.format.number(bonusCredits)])
  }

  private func deliveryModel(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let words: String
    var link: String?
    switch delivery {
    case .link(let made):
      let isOpen = row.state.isOpen
      link = isOpen ? made : nil
      words =
        t[
          !isOpen
            ? "checkouts.link_over"
            : made == nil ? "checkouts.link_missing" : "checkouts.link_hint"
        ]
    case .chat(let message):
      words = t[message == nil ? "checkouts.chat_unsure" : "checkouts.chat_sent"]
    }
    return ["link": .optional(link), "words": .text(words)]
  }

  private func model(_ form: Form, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let problems = form.problem.map { [$0] } ?? []
    let field = FormField(
      id: "reason", label: t["grant.reason"], hint: t["checkouts.reason_hint"],
      value: form.reason, kind: .area(rows: 2, max: 500))
    return [
      "action": .text(Links.checkout(page.slug, row.id) + "/cancellation"),
      "open": .flag(!problems.isEmpty),
      "summary": problems.summary(page, of: [field]),
      "fields": .records([field]) { $0.model(problems, page) },
    ]
  }
}

extension CheckoutView.Step {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "state": .text(t[.init("checkout_state.\(state.rawValue)")]),
      "state_class": .text(state.dot), "reason": .text(CheckoutReason.words(reason, t)),
      "time": page.format.time(at),
    ]
  }
}
