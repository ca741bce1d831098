import Foundation

/// Find a customer by name, username, Telegram id or charge id.
struct CustomersView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var customer: CustomerLabel
    var balance: Int64
    var hasPurchased: Bool
    var lastSeenAt: Date
  }

  var query = ""
  var rows: [Row]
  /// Whether the reader's role may give opening balances.
  var mayOpen = false
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
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
        "results": rows.isEmpty
          ? .none
          : .record([
            "rows": .records(rows) { row in
              [
                "who": .record(page.customer(row.customer)),
                "balance": .text(format.number(row.balance)),
                "debt": .flag(row.balance < 0),
                "purchased": .text(t[row.hasPurchased ? "customers.bought" : "customers.not_yet"]),
                "purchased_class": .text(row.hasPurchased ? "good" : "unknown"),
                "time": format.time(row.lastSeenAt),
              ]
            }
          ]),
        "new": mayOpen ? .text(Links.newCustomer(page.slug)) : .none,
        "policy": .text(Links.creditPolicy(page.slug)),
        "paging": paging.model(path: path, query: [(name: "q", value: query)]),
      ])
  }
}
