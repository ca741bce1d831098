import Foundation

@testable import Web

/// Pages of alerts and their rules.
enum AlertSamples {
  private static func row(
    _ id: Int64, _ kind: AlertKind, _ words: String, _ state: AlertState, minutes: Double,
    sightings: Int64 = 1
  ) -> AlertRow {
    AlertRow(
      id: id, kind: kind, words: words, state: state,
      isMoment: [.paymentFailed, .subscriptionNew].contains(kind),
      openedAt: Samples.ago(minutes * Samples.minute),
      lastSeenAt: Samples.ago(minutes * Samples.minute / 2), sightings: sightings)
  }

  static let open = [
    row(9, .webhookFailing, "Telegram says: “\(Samples.hostile)”.", .open, minutes: 3),
    row(8, .paymentFailed, "A payment of 5,000 ★ for “Max 🚀” failed.", .open, minutes: 61),
    row(
      7, .customerUses, "Customer 9 used 12,000 credits within ten minutes.", .unseen,
      minutes: 600, sightings: 1_204),
  ]
  static let known = [
    row(5, .liabilityHigh, "Customers hold 1,200,000 credits.", .acknowledged, minutes: 9_000)
  ]
  static let over = [
    row(4, .subscriptionNew, "A new subscription: “Pro” for 500 ★.", .over, minutes: 10_000),
    row(2, .webhookSlow, String(repeating: "late ", count: 40), .over, minutes: 90_000),
  ]

  static let list = AlertsView(
    open: open, openPaging: Paging(nextCursor: "7"), acknowledged: known, over: over,
    paging: Paging(nextCursor: "2"), mayEdit: true, hasChat: false)

  static let alert = AlertView(
    row: open[2],
    places: [
      .init(kind: .bot, name: "@figurinhas_bot", href: "/w/x/bots/1"),
      .init(kind: .customer, name: Samples.hostile, href: "/w/x/customers/9"),
      .init(kind: .checkouts, href: "/w/x/checkouts"),
    ], reason: "withdrawn", toldAt: Samples.ago(Samples.hour), endedAt: Samples.ago(Samples.minute),
    mayEdit: true, earlier: over)

  static let rules: [AlertRulesView.Row] = AlertKind.allCases.map { kind in
    .init(kind: kind, isOn: kind != .webhookSlow, inChat: kind != .customerUses)
  }

  static let rulesView: AlertRulesView = {
    var rows = rules
    let measures: [AlertKind: (AlertRulesView.Measure, String)] = [
      .paymentsFailing: (.percent, "5"), .paymentFailed: (.stars, "1000"),
      .attemptsRepeated: (.attempts, "10"), .webhookSlow: (.seconds, "30"),
      .webhookFailing: (.updates, "100"), .customerPurchases: (.purchases, "5"),
      .customerUses: (.credits, "1000"), .customerRefunds: (.refunds, "2"),
      .liabilityHigh: (.credits, ""),
    ]
    for index in rows.indices {
      guard let (measure, threshold) = measures[rows[index].kind] else { continue }
      (rows[index].measure, rows[index].threshold) = (measure, threshold)
    }
    rows[5].mutedUntil = Samples.now.addingTimeInterval(3 * Samples.hour)
    return AlertRulesView(
      rows: rows, mayEdit: true,
      history: [
        RuleChange(
          id: 5, at: Samples.ago(Samples.hour), actor: "ana@estudio.example",
          action: "alert_rule.muted", subject: "New subscription",
          facts: [.init(name: "muted_until", after: "2026-11-21T15:00:00Z")]),
        RuleChange(
          id: 4, at: Samples.ago(Samples.day), actor: "ana@estudio.example",
          action: "alert_rule.edited", subject: "Payments fail",
          facts: [
            .init(name: "threshold", before: "5", after: "1000"),
            .init(name: "in_chat", before: "yes", after: "no"),
          ]),
      ])
  }()

  static let pages: [GoldenTests.Page] = [
    .init(name: "alerts") {
      var frame = Samples.frame()
      frame.openAlerts = 100
      return list.render(with: $0, in: frame)
    },
    .init(name: "alerts-pt") {
      var frame = Samples.frame(.ptBR)
      frame.openAlerts = 1
      var view = list
      (view.mayEdit, view.kind, view.over) = (false, .webhookSlow, [])
      view.openPaging = Paging(isFirst: false)
      return view.render(with: $0, in: frame)
    },
    .init(name: "alerts-none") {
      AlertsView(open: [], mayEdit: true).render(with: $0, in: Samples.frame())
    },
    .init(name: "alert") { alert.render(with: $0, in: Samples.frame()) },
    .init(name: "alert-known-pt") {
      var view = alert
      (view.row, view.places, view.reason, view.earlier) = (known[0], [], nil, [])
      (view.toldAt, view.endedAt) = (nil, nil)
      (view.acknowledgedAt, view.acknowledgedBy) = (
        Samples.ago(Samples.hour), "ana@estudio.example"
      )
      view.mutedUntil = Samples.now.addingTimeInterval(Samples.day)
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "alert-viewer") {
      var view = alert
      (view.row, view.mayEdit, view.toldAt) = (open[1], false, nil)
      return view.render(with: $0, in: Samples.frame())
    },
    .init(name: "alert-rules") { rulesView.render(with: $0, in: Samples.frame()) },
    .init(name: "alert-rules-wrong-pt") {
      var view = rulesView
      view.rows[0].threshold = "\"x\""
      view.rows[0].problems = [.init(field: "threshold", kind: .whole(min: 1, max: 99))]
      (view.saved, view.history) = (.webhookSlow, [])
      return view.render(with: $0, in: Samples.frame(.ptBR))
    },
    .init(name: "alert-rules-viewer") {
      var view = rulesView
      view.mayEdit = false
      return view.render(with: $0, in: Samples.frame())
    },
  ]

  static let words: [String] =
    AlertKind.allCases.flatMap { kind in
      ["kind", "about", "do"].map { "alert_\($0).\(kind.key)" }
    } + AlertState.allCases.map { "alert_state.\($0)" }
    + AlertTab.allCases.map { "alert_tab.\($0)" }
    + AlertRulesView.Measure.allCases.map { "alert_measure.\($0)" }
    + AlertView.Place.Kind.allCases.map { "alert.place_\($0)" }
    + MuteForm.hours.map { "alert_mute.hours_\($0)" }
    + rulesView.rows.filter { $0.measure != nil }.flatMap {
      ["alert_from.\($0.kind.key)", "alert_hint.\($0.kind.key)"]
    }
    + ["rule_edited", "rule_muted", "rule_unmuted", "acknowledged", "all_acknowledged"].map {
      "audit.alert_\($0)"
    }
}
