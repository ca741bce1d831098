/// What the bots were told, newest first.
struct EventsView: Sendable, Equatable {
  /// What is shown; nil = any.
  struct Filter: Sendable, Equatable {
    var state: EventState?
    var botID: Int64?
    var kind: String?
  }

  var filter = Filter()
  var bots: [BotLabel]
  var kinds: [String]
  var rows: [EventRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.events(page.slug))
    let query: [(name: String, value: String?)] = [
      ("state", filter.state?.rawValue), ("bot", filter.botID.map(String.init)),
      ("kind", filter.kind),
    ]
    return page.page(
      .events, title: t["nav.events"], place: .events,
      [
        "action": .text(path),
        "states": .records(EventState.allCases) { state in
          [
            "value": .text(state.rawValue),
            "words": .text(t[.init("event_state.\(state.rawValue)")]),
            "selected": .flag(state == filter.state),
          ]
        },
        "bots": .records(bots) { bot in
          [
            "value": .text(String(bot.id)), "words": .text("@" + bot.username),
            "selected": .flag(bot.id == filter.botID),
          ]
        },
        "kinds": .records(kinds) { kind in
          ["value": .text(kind), "words": .text(kind), "selected": .flag(kind == filter.kind)]
        },
        "filtered": filter == Filter() ? .none : .record(["clear": .text(path)]),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: path, query: query),
      ])
  }
}
