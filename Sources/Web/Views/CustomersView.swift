import Foundation

/// Find a customer: by name, or by what has exactly this id.
struct CustomersView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var customer: CustomerLabel
    var balance: Int64
    var hasPurchased: Bool
    var lastSeenAt: Date
  }

  /// What has exactly the id that was typed, where there is more than one such thing.
  enum Match: Sendable, Equatable {
    case customer(CustomerLabel)
    case payment(PaymentRow)
    case checkout(id: Int64, title: String, stars: Int64)
  }

  var query = ""
  var matches: [Match] = []
  var rows: [Row]
  /// More people match than there are rows.
  var hasMore = false
  /// The rows match when a letter of what was typed is put right.
  var isCorrected = false
  /// Whether the reader's role may give opening balances.
  var mayOpen = false
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.customers(page.slug)
    return page.page(
      .customers, title: t["nav.customers"], place: .customers,
      [
        "action": .text(path),
        "query": .text(query),
        "searched": query.isEmpty
          ? .none
          : .record([
            "clear": .text(path), "none": .text(t("customers.none_found", ["query": query])),
          ]),
        "matches": matches.isEmpty
          ? .none : .record(["rows": .records(matches) { model($0, page) }]),
        "corrected": isCorrected ? .text(t("customers.corrected", ["query": query])) : .none,
        "more": hasMore ? .text(t["customers.more"]) : .none,
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "nothing": .flag(rows.isEmpty && matches.isEmpty),
        "new": mayOpen ? .text(Links.newCustomer(page.slug)) : .none,
        "policy": .text(Links.creditPolicy(page.slug)),
        "paging": paging.model(path: path, query: [(name: "q", value: query)]),
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    [
      "who": .record(page.customer(row.customer)),
      "balance": .text(page.format.number(row.balance)),
      "debt": .flag(row.balance < 0),
      "purchased": .text(page.strings[row.hasPurchased ? "customers.bought" : "customers.not_yet"]),
      "purchased_class": .text(row.hasPurchased ? "good" : "unknown"),
      "time": page.format.time(row.lastSeenAt),
    ]
  }

  private func model(_ match: Match, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    func line(_ kind: Strings.Key, _ words: String, _ href: String) -> [String: TemplateValue] {
      ["kind": .text(t[kind]), "words": .text(words), "href": .text(href)]
    }
    switch match {
    case .customer(let customer):
      return line(
        "customers.match_customer",
        "\(page.name(of: customer)), \(t("customer.unnamed", ["n": String(customer.id)]))",
        Links.customer(page.slug, customer.id))
    case .payment(let payment):
      return line(
        "customers.match_payment",
        "\(format.stars(payment.stars)), \(page.name(of: payment.customer))",
        Links.payment(page.slug, payment.key))
    case .checkout(let id, let title, let stars):
      return line(
        "customers.match_checkout", "#\(id): \(title), \(format.stars(stars))",
        Links.checkout(page.slug, id))
    }
  }
}
