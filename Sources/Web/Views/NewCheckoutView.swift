import Foundation

/// Opening a checkout for a customer: what is sold, at which price, and how the invoice gets there.
struct NewCheckoutView: Sendable, Equatable {
  /// Something on sale, as the form names it.
  struct Item: Sendable, Equatable {
    /// `pack:start:10`, `plan:pro`.
    var value: String
    var title: String
    var discountPercent = 0
    var isPlan = false
    var stars: Int64
  }

  struct BotChoice: Sendable, Equatable {
    var id: Int64
    var username: String
  }

  /// Why nothing was opened.
  enum Problem: Sendable, Equatable {
    enum Code: String, Sendable, CaseIterable {
      case gone, used, unreachable, suspended
      case notAvailable = "not_available"
      case alreadySubscribed = "already_subscribed"
      case tooManyPurchases = "too_many_purchases"
      case planNeedsLink = "plan_needs_link"
      case beingSent = "being_sent"

      /// The field that it stands beside.
      var field: String {
        switch self {
        case .unreachable, .planNeedsLink, .beingSent: "delivery"
        default: "item"
        }
      }
    }

    case code(Code)
    /// What Telegram said.
    case telegram(String)
  }

  var customer: CustomerLabel
  var items: [Item]
  var bots: [BotChoice]
  /// Sent twice, the form opens one.
  var key: String
  var item = ""
  var delivery = "link"
  var botID: Int64?
  var problem: Problem?

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let fields = fields(page)
    return page.page(
      .newCheckout, title: t("checkouts.new_title", ["name": page.name(of: customer)]),
      place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)),
        (title: page.name(of: customer), href: Links.customer(page.slug, customer.id)),
      ],
      [
        "action": .text(Links.customer(page.slug, customer.id) + "/checkouts"),
        "form_key": .text(key),
        "summary": summary(page, fields),
        "form": items.isEmpty || bots.isEmpty
          ? .none
          : .record([
            "fields": .records(fields) { field in
              var model = field.model([], page)
              if let words = words(page), self.field == field.id {
                model["problem"] = .text(words)
                model["described"] = .text("\(field.id)-hint \(field.id)-problem")
              }
              return model
            }
          ]),
        "none": .text(t[bots.isEmpty ? "checkouts.no_bot" : "checkouts.no_item"]),
      ])
  }

  private func fields(_ page: PageContext) -> [FormField] {
    let t = page.strings
    var fields = [
      FormField(
        id: "item", label: t["checkouts.item"], hint: t["checkouts.item_hint"], value: item,
        kind: .choice(items.map { (value: $0.value, label: words($0, page)) })),
      FormField(
        id: "delivery", label: t["checkouts.delivery"], hint: t["checkouts.delivery_hint"],
        value: delivery,
        kind: .choice([
          (value: "link", label: t["checkouts.delivery_link"]),
          (value: "chat", label: t["checkouts.delivery_chat"]),
        ])),
    ]
    if bots.count > 1 {
      fields.append(
        FormField(
          id: "bot", label: t["payment.bot"], hint: t["checkouts.bot_hint"],
          value: botID.map(String.init) ?? "",
          kind: .choice(bots.map { (value: String($0.id), label: "@" + $0.username) })))
    }
    return fields
  }

  private func words(_ item: Item, _ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    var title = item.title
    if item.isPlan { title = t("checkouts.item_plan", ["title": title]) }
    if item.discountPercent > 0 {
      title += " " + t("checkouts.discount", ["percent": String(item.discountPercent)])
    }
    return "\(title) · \(format.stars(item.stars))"
  }

  private var field: String? {
    switch problem {
    case .code(let code): code.field
    case .telegram: "delivery"
    case nil: nil
    }
  }

  private func words(_ page: PageContext) -> String? {
    switch problem {
    case .code(let code): page.strings[.init("checkouts.problem_\(code.rawValue)")]
    case .telegram(let said): page.strings("checkouts.problem_telegram", ["said": said])
    case nil: nil
    }
  }

  private func summary(_ page: PageContext, _ fields: [FormField]) -> TemplateValue {
    guard let words = words(page), let field else { return .none }
    let label = fields.first { $0.id == field }.map { "\($0.label): " } ?? ""
    return .record([
      "rows": [["href": .text("#" + field), "words": .text(label + words)]]
    ])
  }
}
