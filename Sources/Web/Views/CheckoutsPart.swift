import Foundation

/// How tries to pay ended, and what became of those that never came to it.
struct CheckoutsPart: Sendable, Equatable {
  struct Reason: Sendable, Equatable {
    var state: CheckoutState
    /// A code.
    var reason: String
    var checkouts: Int64
  }

  struct Carts: Sendable, Equatable {
    var carts: Int64 = 0
    var recovered: Int64 = 0
    var recoveredAfterReminder: Int64 = 0
    var stars: Int64 = 0
  }

  var opened: Int64
  var completed: Int64
  var failed: Int64
  var unpaid: Int64
  var completedBefore: Int64
  var failedBefore: Int64
  var reasons: [Reason]
  var carts: Carts
  var cartsBefore: Carts

  func section(_ page: PageContext) -> AnalyticsView.Section {
    let (t, format) = (page.strings, page.format)
    let figures = [
      FigureCard(
        t["analytics.success"], format.share(completed, of: completed + failed),
        t(
          "analytics.success_note",
          ["n": format.number(completed), "tries": format.number(completed + failed)]),
        change: page.change(of: completedBefore, completedBefore + failedBefore), .in),
      FigureCard(
        t["analytics.failed"], format.number(failed), t["analytics.failed_note"],
        change: page.change(failed, from: failedBefore, say: format.number), .back),
      FigureCard(
        t["analytics.unpaid"], format.number(unpaid),
        t("analytics.unpaid_note", count: opened, ["n": format.number(opened)]), .quiet),
      FigureCard(
        t["analytics.recovery"], format.share(carts.recovered, of: carts.carts),
        t(
          "analytics.recovery_note",
          [
            "n": format.number(carts.recovered), "carts": format.number(carts.carts),
            "reminded": format.number(carts.recoveredAfterReminder),
            "stars": format.stars(carts.stars),
          ]), change: page.change(of: cartsBefore.recovered, cartsBefore.carts), .use),
    ]
    return AnalyticsView.Section(
      id: "checkouts", title: t["analytics.checkouts"], figures: figures,
      tables: [
        DataTable(
          id: "failures", title: t["analytics.failures"], note: t["analytics.failures_note"],
          of: t["checkouts.reason"],
          columns: [
            .init(title: t["payment.state"], isNumber: false), .init(title: t["analytics.share"]),
            .init(title: t["analytics.times"]),
          ],
          rows: reasons.map { reason in
            DataTable.Row(
              name: CheckoutReason.words(reason.reason, t),
              href: Links.with(Links.checkouts(page.slug), [("state", reason.state.rawValue)]),
              cells: [
                t[.init("checkout_state.\(reason.state.rawValue)")],
                format.share(reason.checkouts, of: failed), format.number(reason.checkouts),
              ])
          })
      ])
  }
}
