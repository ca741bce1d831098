import Foundation

/// Who subscribes to what, and what that brings in a month.
struct SubscriptionsView: Sendable, Equatable {
  enum Filter: String, Sendable, CaseIterable {
    case running, active, ending, trial, grace, expired, replaced, all
  }

  /// What the running subscriptions of a plan come to.
  struct Standing: Sendable, Equatable {
    var plan: String
    var title: String
    var tier: String
    var trials: Int64
    var active: Int64
    /// Of the active ones.
    var renewing: Int64
    var inGrace: Int64
    /// Stars a month.
    var monthlyStars: Int64
  }

  struct Row: Sendable, Equatable {
    var subscription: SubscriptionRow
    var customer: CustomerLabel
  }

  var filter = Filter.running
  /// Only of this plan.
  var plan: String?
  var standings: [Standing]
  var rows: [Row]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.subscriptions(page.slug))
    func query(_ filter: Filter, _ plan: String?) -> [(name: String, value: String?)] {
      [
        (name: "show", value: filter == .running ? nil : filter.rawValue),
        (name: "plan", value: plan),
      ]
    }
    return page.page(
      .subscriptions, title: t["nav.subscriptions"], place: .subscriptions,
      [
        "figures": .records(figures(page)) { $0 },
        "standings": standings.isEmpty
          ? .none : .record(["rows": .records(standings) { model($0, page) }]),
        "tabs": .records(Filter.allCases) { choice in
          [
            "title": .text(t[.init("subscriptions.\(choice.rawValue)")]),
            "href": .text(Links.with(path, query(choice, plan)) + "#list"),
            "current": .flag(choice == filter),
          ]
        },
        "hint": .text(t[.init("subscriptions.hint_\(filter.rawValue)")]),
        "of_plan": .optional(plan) { plan in
          [
            "words": .text(
              t(
                "subscriptions.of_plan",
                ["plan": standings.first { $0.plan == plan }?.title ?? plan])),
            "all": .text(Links.with(path, query(filter, nil)) + "#list"),
          ]
        },
        "ends_label": .text(
          t[filter == .expired || filter == .replaced ? "subscription.ended" : "subscription.ends"]),
        "results": rows.isEmpty
          ? .none
          : .record([
            "rows": .records(rows) { row in
              var values = row.subscription.model(page)
              values["who"] = .text(page.name(of: row.customer))
              return values
            }
          ]),
        "none_hint": .text(
          t[.init(standings.isEmpty ? "subscriptions.no_plans" : "subscriptions.none_hint")]),
        "paging": paging.model(path: path, query: query(filter, plan)),
      ])
  }

  private func figures(_ page: PageContext) -> [[String: TemplateValue]] {
    let (t, format) = (page.strings, page.format)
    func sum(_ value: (Standing) -> Int64) -> Int64 { standings.reduce(0) { $0 + value($1) } }
    func figure(
      _ label: Strings.Key, _ value: String, _ note: String, tone: String
    ) -> [String: TemplateValue] {
      ["label": .text(t[label]), "value": .text(value), "note": .text(note), "tone": .text(tone)]
    }
    let renewing = sum(\.renewing)
    return [
      figure(
        "subscriptions.mrr", format.stars(sum(\.monthlyStars)), t["subscriptions.mrr_note"],
        tone: "stars"),
      figure(
        "subscriptions.active_figure", format.number(sum(\.active)),
        t("subscriptions.active_note", ["n": format.number(sum(\.active) - renewing)]),
        tone: "in"),
      figure(
        "subscriptions.trial_figure", format.number(sum(\.trials)), t["subscriptions.trial_note"],
        tone: "use"),
      figure(
        "subscriptions.grace_figure", format.number(sum(\.inGrace)), t["subscriptions.grace_note"],
        tone: "quiet"),
    ]
  }

  private func model(_ standing: Standing, _ page: PageContext) -> [String: TemplateValue] {
    let format = page.format
    return [
      "plan": .text(standing.title), "tier": .text(standing.tier),
      "href": .text(Links.plan(page.slug, standing.plan)),
      "trials": .text(format.number(standing.trials)),
      "active": .text(format.number(standing.active)),
      "renewing": .text(format.number(standing.renewing)),
      "grace": .text(format.number(standing.inGrace)),
      "stars": .text(format.stars(standing.monthlyStars)),
    ]
  }
}
