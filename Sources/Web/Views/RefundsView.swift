/// Refund cases, newest first.
struct RefundsView: Sendable, Equatable {
  /// Only those that a person is to decide.
  var showsWaiting: Bool
  var rows: [RefundRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.refunds(page.slug))
    let query = [(name: "show", value: showsWaiting ? nil : Optional("all"))]
    return page.page(
      .refunds, title: t["nav.refunds"], place: .refunds,
      [
        "tabs": [
          [
            "title": .text(t["refunds.waiting"]), "href": .text(path),
            "current": .flag(showsWaiting),
          ],
          [
            "title": .text(t["refunds.all"]), "href": .text(Links.with(path, [("show", "all")])),
            "current": .flag(!showsWaiting),
          ],
        ],
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "none": .text(t[.init(showsWaiting ? "refunds.none_waiting" : "refunds.none")]),
        "none_hint": .text(
          t[.init(showsWaiting ? "refunds.none_waiting_hint" : "refunds.none_hint")]),
        "paging": paging.model(path: path, query: query),
      ])
  }
}

extension RefundRow {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "href": .text(Links.refund(page.slug, id)),
      "who": .text(customer.map(page.name) ?? t["refund.nobody"]),
      "pack": .text(packTitle ?? t["payment.no_pack"]),
      "stars": .text(format.stars(stars)),
      "state": .text(t[.init("refund_state.\(state.rawValue)")]),
      "state_class": .text(state.rawValue),
      "reason": .text(t[.init("refund_reason.\(reason.rawValue)")]),
      "time": format.time(openedAt),
    ]
  }
}
