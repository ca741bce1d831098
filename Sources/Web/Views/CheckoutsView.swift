/// The workspace's checkouts, newest first.
struct CheckoutsView: Sendable, Equatable {
  enum Filter: String, Sendable, CaseIterable {
    case open, completed, rejected, failed, cancelled, expired, all

    var states: [CheckoutState] {
      switch self {
      case .open: CheckoutState.allCases.filter(\.isOpen)
      case .completed: [.processing, .completed]
      case .rejected: [.rejected]
      case .failed: [.failed]
      case .cancelled: [.cancelled]
      case .expired: [.expired]
      case .all: CheckoutState.allCases
      }
    }
  }

  var filter: Filter
  /// Whose they are; nil: everybody's.
  var customer: CustomerLabel?
  var rows: [CheckoutRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.checkouts(page.slug))
    func query(_ filter: Filter) -> [(name: String, value: String?)] {
      [
        (name: "state", value: filter == .open ? nil : filter.rawValue),
        (name: "customer", value: customer.map { String($0.id) }),
      ]
    }
    return page.page(
      .checkouts, title: t["nav.checkouts"], place: .checkouts,
      [
        "tabs": .records(Filter.allCases) { choice in
          [
            "title": .text(t[.init("checkouts.\(choice.rawValue)")]),
            "href": .text(Links.with(path, query(choice))),
            "current": .flag(choice == filter),
          ]
        },
        "hint": .text(t[.init("checkouts.hint_\(filter.rawValue)")]),
        "only": .optional(customer) { customer in
          [
            "words": .text(t("checkouts.only", ["name": page.name(of: customer)])),
            "all": .text(
              Links.with(path, [("state", filter == .open ? nil : filter.rawValue)])),
          ]
        },
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "none": .text(t["checkouts.none"]),
        "none_hint": .text(t["checkouts.none_hint"]),
        "paging": paging.model(path: path, query: query(filter)),
      ])
  }
}
