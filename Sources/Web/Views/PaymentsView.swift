/// Payments, newest first.
struct PaymentsView: Sendable, Equatable {
  var rows: [PaymentRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    return page.page(
      .payments, title: page.strings["nav.payments"], place: .payments,
      [
        "results": rows.isEmpty
          ? .none : .record(["shows_customer": true, "rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: Links.payments(page.slug)),
      ])
  }
}
