import Foundation

/// The workspace's support cases: how hard they press, and a list of those that are asked for.
struct SupportCasesView: Sendable, Equatable {
  enum Show: String, Sendable, CaseIterable { case open, waiting, closed, all }
  enum Owner: String, Sendable, CaseIterable { case anybody, mine, nobody }

  struct Filter: Sendable, Equatable {
    var show = Show.open
    var owner = Owner.anybody
    /// nil: any.
    var topic: SupportTopic?
    var isOverdue = false

    var query: [(name: String, value: String?)] {
      [
        ("state", show == .open ? nil : show.rawValue),
        ("owner", owner == .anybody ? nil : owner.rawValue), ("topic", topic?.rawValue),
        ("overdue", isOverdue ? "1" : nil),
      ]
    }

    /// Whether more than the state is asked for.
    var isNarrow: Bool { self != Filter(show: show) }
  }

  struct Pressure: Sendable, Equatable {
    struct Part: Sendable, Equatable {
      /// A product's name, empty where there is none; or a segment.
      var name: String
      var cases: Int64
      var points: Int64
    }

    var cases: Int64
    var overdue: Int64
    var points: Int64
    var byProduct: [Part]
    var bySegment: [Part]
  }

  /// How soon buyers are to be answered, as it stands in the form.
  struct SLA: Sendable, Equatable {
    var minutes: String
    var problems: [FormProblem] = []
  }

  /// Rows of the tables that say where it presses; analytics has all.
  private static let mostParts = 8

  var filter = Filter()
  var pressure: Pressure
  var sla: SLA
  /// Whether the reader's role may set it.
  var maySetSLA: Bool
  var rows: [SupportCaseRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.supportCases(page.slug))
    return page.page(
      .supportCases, title: t["nav.support"], place: .support,
      [
        "figures": .list(pressure.figures(page, promise: promise(page)).map(\.model)),
        "where": pressure.cases == 0
          ? .none
          : .record([
            "tables": .records(pressure.tables(page, limit: Self.mostParts)) { $0.model(page) }
          ]),
        "tabs": .records(Show.allCases) { choice in
          var other = filter
          other.show = choice
          if choice != .open { other.isOverdue = false }
          return [
            "words": .text(t[.init("support.show_\(choice.rawValue)")]),
            "href": .text(Links.with(path, other.query)), "current": .flag(choice == filter.show),
          ]
        },
        "hint": .text(t[.init("support.hint_\(filter.show.rawValue)")]),
        "form": .record(form(page)),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "since_label": .text(t[filter.show == .open ? "support.waits_since" : "support.last_word"]),
        "none": .text(
          t[filter.isNarrow ? "support.none_found" : .init("support.none_\(filter.show.rawValue)")]),
        "none_hint": .text(
          t[
            filter.isNarrow
              ? "support.none_found_hint" : .init("support.none_hint_\(filter.show.rawValue)")]),
        "paging": paging.model(path: path, query: filter.query),
        "templates": .text(Links.replyTemplates(page.slug)),
        "promise": .text(t("support.promise", ["time": promise(page)])),
        "sla": maySetSLA ? .record(slaForm(page)) : .none,
      ])
  }

  private func form(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "action": .text(Links.supportCases(page.slug)),
      "state": filter.show == .open ? .none : .text(filter.show.rawValue),
      "owners": .records(Owner.allCases) { owner in
        [
          "value": .text(owner == .anybody ? "" : owner.rawValue),
          "words": .text(t[.init("support.owner_\(owner.rawValue)")]),
          "selected": .flag(owner == filter.owner),
        ]
      },
      "topics": .records(SupportTopic.allCases) { topic in
        [
          "value": .text(topic.rawValue), "words": .text(topic.words(t)),
          "selected": .flag(topic == filter.topic),
        ]
      },
      "may_be_late": .flag(filter.show == .open), "late": .flag(filter.isOverdue),
      "clear": filter.isNarrow
        ? .text(
          Links.with(
            Links.supportCases(page.slug), Filter(show: filter.show).query)) : .none,
    ]
  }

  /// `8 hours`, or minutes where hours do not say it.
  private func promise(_ page: PageContext) -> String {
    guard let minutes = Int64(sla.minutes) else { return sla.minutes }
    let style = Duration.UnitsFormatStyle(
      allowedUnits: minutes.isMultiple(of: 1440)
        ? [.days] : minutes.isMultiple(of: 60) ? [.hours] : [.minutes], width: .wide
    ).locale(page.frame.language.locale)
    return Duration.seconds(minutes * 60).formatted(style)
  }

  private func slaForm(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let field = FormField(
      id: "minutes", label: t["support.sla_minutes"], hint: t["support.sla_hint"],
      value: sla.minutes, kind: .text(max: 6, isNumber: true))
    return [
      "action": .text(Links.supportSLA(page.slug)), "open": .flag(!sla.problems.isEmpty),
      "summary": sla.problems.summary(page, of: [field]),
      "fields": .records([field]) { $0.model(sla.problems, page) },
    ]
  }
}
