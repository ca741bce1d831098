import Foundation

/// What was typed into a form that gives credits, and what is wrong with it.
struct CreditGrantForm: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable {
    case credits
    case aboveCap = "above_cap"
    case days, reason, lots, telegram, name
    /// The form was sent before with other values.
    case used

    /// The field that it stands beside; nil: the form as a whole.
    fileprivate var field: String? {
      switch self {
      case .credits, .aboveCap, .lots: "credits"
      case .days: "days"
      case .reason: "reason"
      case .telegram: "telegram"
      case .name: "name"
      case .used: nil
      }
    }
  }

  /// Sent twice, the form gives once.
  var key: String
  var source: LotSource = .goodwill
  var unit: Int16 = 1
  var credits = ""
  var days = ""
  var reason = ""
  /// Of an opening balance.
  var telegramID = ""
  var name = ""
  var problems: [Problem] = []
}

/// What a grant would do, before it is done.
struct CreditGrantReview: Sendable, Equatable {
  var source: LotSource
  var credits: Int64
  var unit: UnitLabel
  var expiresAt: Date?
  var balanceBefore: Int64
  /// Of an opening balance for somebody who is known already.
  var known: CustomerLabel?

  fileprivate func model(
    _ form: CreditGrantForm, action: String, who: String, _ page: PageContext
  ) -> TemplateValue {
    let (t, format) = (page.strings, page.format)
    let hidden = [
      ("form_key", form.key), ("source", form.source.rawValue), ("unit", String(form.unit)),
      ("credits", form.credits), ("days", form.days), ("reason", form.reason),
      ("telegram", form.telegramID), ("name", form.name),
    ]
    return [
      "action": .text(action),
      "what": .text(t[.init("credit.\(source.rawValue)")]),
      "quantity": .text(page.signedAmount(credits, unit)),
      "who": .text(who),
      "expires": .text(
        expiresAt.map { t("grant.expires_on", ["day": format.day($0)]) } ?? t["grant.no_expiry"]),
      "balance": .text(
        t(
          "refund.balance",
          [
            "before": format.number(balanceBefore), "after": format.number(balanceBefore + credits),
          ])),
      "reason": .text(form.reason),
      "known": .optional(
        known.map { t("grant.known", ["name": page.name(of: $0)]) }),
      "hidden": .records(hidden.filter { !$0.1.isEmpty }) {
        ["name": .text($0.0), "value": .text($0.1)]
      },
      "button": .text(t("grant.give", ["credits": page.amount(credits, unit)])),
    ]
  }
}

/// Giving a customer goodwill or promo credits: the form, then what it would do.
struct CreditGrantView: Sendable, Equatable {
  /// What the reader's role may give this customer.
  struct Room: Sendable, Equatable {
    var left: Int64
    var cap: Int64
  }

  var customer: CustomerLabel
  /// What the reader may give.
  var sources: [LotSource]
  var units: [UnitLabel]
  /// nil: no cap but the platform's.
  var room: Room?
  var form: CreditGrantForm
  /// nil: the form is shown.
  var review: CreditGrantReview?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let action = Links.grants(page.slug, customer.id)
    var values = form.model(action: action, units: units, page)
    values["sources"] = .records(sources) { source in
      [
        "id": .text("source-" + source.rawValue), "value": .text(source.rawValue),
        "words": .text(t[.init("source.\(source.rawValue)")]),
        "hint": .text(t[.init("grant.hint_\(source.rawValue)")]),
        "checked": .flag(source == form.source),
      ]
    }
    values["may_expire"] = .flag(sources.contains(.promo))
    values["room"] = .optional(
      room.map {
        t(
          "grant.room",
          ["left": page.format.number($0.left), "cap": page.format.number($0.cap)])
      })
    values["review"] = .optional(review) { review in
      ["card": review.model(form, action: action, who: page.name(of: customer), page)]
    }
    return page.page(
      .creditGrant,
      title: t(review == nil ? "grant.title" : "grant.review", ["name": page.name(of: customer)]),
      place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)),
        (title: page.name(of: customer), href: Links.customer(page.slug, customer.id)),
      ], values)
  }
}

/// An opening balance for a Telegram id, one by one: the form, then what it would do.
struct NewCustomerView: Sendable, Equatable {
  var units: [UnitLabel]
  var form: CreditGrantForm
  var review: CreditGrantReview?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let action = Links.customers(page.slug)
    var values = form.model(action: action, units: units, page)
    let who = review?.known.map(page.name) ?? (form.name.isEmpty ? form.telegramID : form.name)
    values["review"] = .optional(review) { review in
      ["card": review.model(form, action: action, who: "\(who), \(form.telegramID)", page)]
    }
    return page.page(
      .newCustomer, title: t[review == nil ? "grant.opening" : "grant.opening_review"],
      place: .customers,
      trail: [(title: t["nav.customers"], href: Links.customers(page.slug))], values)
  }
}

extension CreditGrantForm {
  fileprivate func model(
    action: String, units: [UnitLabel], _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    func words(_ problem: Problem) -> String { t[.init("grant.problem_\(problem.rawValue)")] }
    func beside(_ field: String) -> TemplateValue {
      .optional(problems.first { $0.field == field }.map(words))
    }
    return [
      "action": .text(action), "form_key": .text(key),
      "credits": .text(credits), "credits_problem": beside("credits"),
      "days": .text(days), "days_problem": beside("days"),
      "reason": .text(reason), "reason_problem": beside("reason"),
      "telegram": .text(telegramID), "telegram_problem": beside("telegram"),
      "name": .text(name), "name_problem": beside("name"),
      "units": units.count < 2
        ? .none
        : .record([
          "choices": .records(units) {
            [
              "value": .text(String($0.number)), "words": .text(page.name(of: $0)),
              "selected": .flag($0.number == unit),
            ]
          }
        ]),
      "summary": problems.isEmpty
        ? .none
        : .record([
          "rows": .records(problems) { problem in
            [
              "href": .text("#" + (problem.field ?? "form")), "words": .text(words(problem)),
            ]
          }
        ]),
    ]
  }
}
