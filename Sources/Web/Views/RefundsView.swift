/// Refund cases: those that somebody is to decide, the longest waiting first, and all others.
struct RefundsView: Sendable, Equatable {
  enum Show: String, Sendable, CaseIterable {
    case waiting
    case underWay = "under_way"
    case closed, all
  }

  /// What is shown; nil = any.
  struct Filter: Sendable, Equatable {
    var reason: RefundReason?
    var source: RefundSource?
    var botID: Int64?
    var customer: CustomerLabel?
  }

  var show: Show
  var filter = Filter()
  var bots: [BotLabel] = []
  var rule = RefundRule()
  var rows: [RefundRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, path) = (page.strings, Links.refunds(page.slug))
    let isFiltered = filter != Filter()
    return page.page(
      .refunds, title: t["nav.refunds"], place: .refunds,
      [
        "rule": .text(rule.words(page)), "rule_href": .text(Links.refundPolicy(page.slug)),
        "by_itself": .flag(rule.autoApproves),
        "tabs": .records(Show.allCases) { choice in
          [
            "title": .text(t[.init("refunds.\(choice.rawValue)")]),
            "href": .text(Links.with(path, query(choice))), "current": .flag(choice == show),
          ]
        },
        "form": .record(form(page)),
        "only": .optional(filter.customer) { customer in
          var others = self
          others.filter.customer = nil
          return [
            "words": .text(t("refunds.only", ["name": page.name(of: customer)])),
            "href": .text(Links.with(path, others.query(show))),
          ]
        },
        "filtered": isFiltered
          ? .record([
            "clear": .text(Links.with(path, RefundsView(show: show, rows: []).query(show)))
          ])
          : .none,
        "oldest_first": .flag(show == .waiting),
        "results": rows.isEmpty
          ? .none
          : .record([
            "shows_rule": .flag(rows.contains { $0.clause != nil }),
            "rows": .records(rows) { $0.model(page) },
          ]),
        "none": .text(
          t[
            isFiltered
              ? "refunds.none_filtered" : show == .waiting ? "refunds.none_waiting" : "refunds.none"
          ]),
        "none_hint": .text(
          t[
            isFiltered
              ? "refunds.none_filtered_hint"
              : show == .waiting ? "refunds.none_waiting_hint" : "refunds.none_hint"]),
        "paging": paging.model(path: path, query: query(show)),
      ])
  }

  private func query(_ show: Show) -> [(name: String, value: String?)] {
    [
      ("show", show == .waiting ? nil : show.rawValue), ("reason", filter.reason?.rawValue),
      ("source", filter.source?.rawValue), ("bot", filter.botID.map { String($0) }),
      ("customer", filter.customer.map { String($0.id) }),
    ]
  }

  private func form(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "action": .text(Links.refunds(page.slug)),
      "kept": .records(
        query(show).filter { ["show", "customer"].contains($0.name) && $0.value != nil }
      ) { ["name": .text($0.name), "value": .text($0.value ?? "")] },
      "reasons": .records(RefundReason.allCases) { reason in
        [
          "value": .text(reason.rawValue), "selected": .flag(reason == filter.reason),
          "words": .text(t[.init("refund_reason.\(reason.rawValue)")]),
        ]
      },
      "sources": .records(RefundSource.allCases) { source in
        [
          "value": .text(source.rawValue), "selected": .flag(source == filter.source),
          "words": .text(t[.init("refunds.from_\(source.rawValue)")]),
        ]
      },
      "bots": .records(bots) { bot in
        [
          "value": .text(String(bot.id)), "selected": .flag(bot.id == filter.botID),
          "words": .text("@" + bot.username),
        ]
      },
    ]
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
      "proposed": isProposed ? .text(t["refunds.proposed"]) : .none,
      "says": .optional(clause) {
        [
          "words": .text(t[.init("refunds.says_\($0.rawValue)")]), "says_class": .text($0.dot),
        ]
      },
      "reason": .text(t[.init("refund_reason.\(reason.rawValue)")]),
      "time": format.time(openedAt),
    ]
  }
}
