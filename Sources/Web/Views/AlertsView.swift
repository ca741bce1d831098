/// What needs a look, what is known and goes on, and what was.
struct AlertsView: Sendable, Equatable {
  /// Where the list of those that need a look goes on; the history has `after`.
  static let openCursor = "open_after"

  /// Nobody has looked at these, newest first.
  var open: [AlertRow]
  var openPaging = Paging()
  /// Somebody has, and they still go on.
  var acknowledged: [AlertRow] = []
  var over: [AlertRow] = []
  var paging = Paging()
  /// Of what is over; nil = every kind.
  var kind: AlertKind?
  var mayEdit: Bool
  /// Whether a chat is linked, so that somebody hears of alerts who does not look here.
  var hasChat = true

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.alerts(page.slug))
    func rows(_ rows: [AlertRow], offers: Bool = false) -> TemplateValue {
      rows.isEmpty
        ? .none
        : .record([
          "rows": .records(rows) { $0.model(page, offers: offers) }, "offers": .flag(offers),
        ])
    }
    return page.page(
      .alerts, title: t["nav.alerts"], place: .alerts,
      [
        "tabs": AlertTab.model(.alerts, page),
        "no_chat": hasChat ? .none : .text(Links.alertChats(page.slug)),
        "open": rows(open, offers: mayEdit), "acknowledged": rows(acknowledged),
        "over": rows(over),
        "more": openPaging.nextCursor == nil
          ? .none : .text(t("alerts.more", ["n": page.format.number(Int64(open.count))])),
        "open_paging": .record(["paging": openPages(path)]),
        "all": mayEdit && open.count > 1
          ? .record([
            "action": .text(path + "/acknowledgement"),
            "oldest": .text(String(open.map(\.id).min() ?? 0)),
            "newest": .text(String(open.map(\.id).max() ?? 0)),
          ]) : .none,
        "filter": .record([
          "action": .text(path),
          "kinds": .records(AlertKind.allCases) {
            [
              "value": .text($0.name), "words": .text($0.title(t)),
              "selected": .flag($0 == kind),
            ]
          },
          "clear": kind == nil ? .none : .text(path),
        ]),
        "none_over": .text(t[kind == nil ? "alerts.none_over" : "alerts.none_found"]),
        "paging": paging.model(path: path, query: [("kind", kind?.name)]),
      ])
  }

  private func openPages(_ path: String) -> TemplateValue {
    var pages = openPaging
    pages.parameter = Self.openCursor
    return pages.model(path: path, query: [("kind", kind?.name)])
  }
}
