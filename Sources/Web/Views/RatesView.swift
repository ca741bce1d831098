import Foundation

/// What Stars bring and credits cost, and what that makes of every pack.
struct RatesView: Sendable, Equatable {
  /// As they are, or as they were typed.
  struct Draft: Sendable, Equatable {
    var usd: String
    var currency: String
    var fx: String
    var cost: String
    var version: Int64 = 0
  }

  var draft: Draft
  var problems: [FormProblem] = []
  /// What the figures are computed with.
  var rates: RatesLabel
  var rows: [PackRow]
  var mayEdit: Bool
  var wasSaved = false
  /// What stands there was computed from the form and is not kept.
  var isTrial = false
  var history: [RuleChange] = []
  var changedMeanwhile: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let words = RuleWords(page: page)
    let fields = fields(page.strings)
    return page.page(
      .rates, title: page.strings["catalog_tab.rates"], place: .packs,
      trail: [(title: page.strings["nav.packs"], href: Links.packs(page.slug))],
      [
        "tabs": CatalogTab.model(.rates, page),
        "script": .text(renderer.assets.path("margins.js")),
        "saved": .flag(wasSaved), "trial": .flag(isTrial),
        "rates": .record(rates.model(page)),
        "form": mayEdit
          ? .record([
            "action": .text(Links.rates(page.slug)), "version": .text(String(draft.version)),
            "summary": problems.summary(page, of: fields),
            "fields": .list(fields.map { .record($0.model(problems, page)) }),
          ]) : .none,
        "results": rows.isEmpty
          ? .none : .record(["rows": .records(rows) { $0.model(rates.currency, page) }]),
        "meanwhile": words.history(changedMeanwhile),
        "history": words.history(history),
      ])
  }

  private func fields(_ t: Strings) -> [FormField] {
    [
      FormField(
        id: "usd", label: t["rates.usd"], hint: t["rates.usd_hint"], value: draft.usd,
        kind: .text(max: 16, isNumber: true)),
      FormField(
        id: "currency", label: t["rates.currency"], hint: t["rates.currency_hint"],
        value: draft.currency, kind: .text(max: 3)),
      FormField(
        id: "fx", label: t["rates.fx"], hint: t["rates.fx_hint"], value: draft.fx,
        kind: .text(max: 16, isNumber: true)),
      FormField(
        id: "cost", label: t["rates.cost"], hint: t["rates.cost_hint"], value: draft.cost,
        kind: .text(max: 16, isNumber: true)),
    ]
  }
}
