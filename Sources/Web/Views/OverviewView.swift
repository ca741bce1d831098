import Foundation

/// The workspace in one glance.
struct OverviewView: Sendable, Equatable {
  struct Verification: Sendable, Equatable {
    var at: Date
    var entries: Int64
    var problems: Int64
  }

  var customers: Int64
  /// Customers who have bought at least once.
  var payingCustomers: Int64
  var starsReceived30Days: Int64
  /// Positive.
  var starsRefunded30Days: Int64
  var creditsIssued30Days: Int64
  /// Positive.
  var creditsUsed30Days: Int64
  var unspentCredits: Int64
  /// Updates that could not be handled yet.
  var openInboxProblems: Int64
  /// Cases that a person is to decide.
  var waitingRefunds: Int64
  var lastVerification: Verification?
  var recentPayments: [PaymentRow]
  var recentActivity: [StripRow]
  /// Oldest first, a day each, today last.
  var usedPerDay: [DayAmount]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let format = page.format
    return page.page(
      .overview, title: page.strings["overview.title"], place: .overview,
      [
        "figures": .list(figures(page)),
        "health": .list([inbox(page), refunds(page), verification(page)]),
        "chart": usedPerDay.isEmpty
          ? .none
          : .record([
            "svg": .html(
              BarChart(days: usedPerDay).svg(
                label: page.strings["overview.chart"], format: format)),
            "rows": .records(usedPerDay.reversed()) { day in
              [
                "day": .text(format.day(isoDay: day.isoDay)),
                "used": .text(format.number(day.amount)),
              ]
            },
          ]),
        "payments": recentPayments.isEmpty
          ? .none
          : .record([
            "shows_customer": true, "is_compact": true,
            "rows": .records(recentPayments) { $0.model(page) },
          ]),
        "payments_href": .text(Links.payments(page.slug)),
        "activity": recentActivity.isEmpty
          ? .none : .record(["strip": page.strip(recentActivity)]),
      ])
  }

  private func figures(_ page: PageContext) -> [TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let net = starsReceived30Days - starsRefunded30Days
    return [
      figure(
        t["overview.stars"], format.stars(net),
        t(
          "overview.stars_note",
          ["in": format.stars(starsReceived30Days), "back": format.stars(starsRefunded30Days)]),
        tone: .stars),
      figure(
        t["overview.used"], format.number(creditsUsed30Days),
        t("overview.used_note", ["n": format.number(creditsIssued30Days)]), tone: .use),
      figure(
        t["overview.unspent"], format.number(unspentCredits), t["overview.unspent_note"],
        tone: .in),
      figure(
        t["overview.customers"], format.number(customers),
        t("overview.customers_note", count: payingCustomers, ["n": format.number(payingCustomers)]),
        tone: .quiet),
    ]
  }

  private func figure(
    _ label: String, _ value: String, _ note: String, tone: Tone
  ) -> TemplateValue {
    [
      "label": .text(label), "value": .text(value), "note": .text(note),
      "tone": .text(tone.rawValue),
    ]
  }

  private func inbox(_ page: PageContext) -> TemplateValue {
    let t = page.strings
    let n = openInboxProblems
    return [
      "state": .text(n == 0 ? "good" : "bad"),
      "word": .text(n == 0 ? t["overview.inbox_clear"] : t["overview.inbox_open"]),
      "detail": .text(
        n == 0
          ? t["overview.inbox_clear_detail"]
          : t("overview.inbox_open_detail", count: n, ["n": page.format.number(n)])),
    ]
  }

  private func refunds(_ page: PageContext) -> TemplateValue {
    let t = page.strings
    let n = waitingRefunds
    return [
      "state": .text(n == 0 ? "good" : "requested"),
      "word": .text(
        n == 0
          ? t["overview.refunds_clear"]
          : t("overview.refunds_waiting", count: n, ["n": page.format.number(n)])),
      "href": n == 0 ? .none : .text(Links.refunds(page.slug)),
      "detail": .text(
        t[n == 0 ? "overview.refunds_clear_detail" : "overview.refunds_waiting_detail"]),
    ]
  }

  private func verification(_ page: PageContext) -> TemplateValue {
    let (t, format) = (page.strings, page.format)
    guard let run = lastVerification else {
      return [
        "state": "unknown", "word": .text(t["overview.verify_never"]),
        "detail": .text(t["overview.verify_never_detail"]),
      ]
    }
    let healthy = run.problems == 0
    return [
      "state": .text(healthy ? "good" : "bad"),
      "word": .text(
        healthy
          ? t["overview.verify_good"]
          : t("overview.verify_bad", count: run.problems, ["n": format.number(run.problems)])),
      "detail": .text(
        t("overview.verify_entries", count: run.entries, ["n": format.number(run.entries)])),
      "time": format.time(run.at),
    ]
  }
}

extension PaymentRow {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    [
      "charge": .record(page.payment(key)),
      "who": .record(page.customer(customer)),
      "pack": .text(packTitle ?? page.strings["payment.no_pack"]),
      "stars": .text(page.format.stars(stars)),
      "state": .text(page.strings[.init("payment_state.\(state.rawValue)")]),
      "state_class": .text(state.rawValue),
      "time": page.format.time(paidAt),
    ]
  }
}
