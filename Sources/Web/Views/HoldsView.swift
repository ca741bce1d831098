/// The workspace's holds.
struct HoldsView: Sendable, Equatable {
  enum Filter: String, Sendable, CaseIterable { case open, stuck, closed }

  struct Row: Sendable, Equatable {
    var hold: HoldRow
    var customer: CustomerLabel
  }

  var filter: Filter
  var rows: [Row]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.holds(page.slug))
    func query(_ filter: Filter) -> [(name: String, value: String?)] {
      [(name: "show", value: filter == .open ? nil : filter.rawValue)]
    }
    return page.page(
      .holds, title: t["nav.holds"], place: .holds,
      [
        "tabs": .records(Filter.allCases) { choice in
          [
            "title": .text(t[.init("holds.\(choice.rawValue)")]),
            "href": .text(Links.with(path, query(choice))),
            "current": .flag(choice == filter),
          ]
        },
        "hint": .text(t[.init("holds.hint_\(filter.rawValue)")]),
        "until": .text(t[.init(filter == .closed ? "hold.closed" : "hold.expires")]),
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "none": .text(t[.init("holds.none_\(filter.rawValue)")]),
        "none_hint": .text(t[.init("holds.none_hint_\(filter.rawValue)")]),
        "paging": paging.model(path: path, query: query(filter)),
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    var values = row.hold.model(page)
    values["who"] = .record(page.customer(row.customer))
    values["until_at"] = filter == .closed ? values["closed"] : values["expires"]
    return values
  }
}
