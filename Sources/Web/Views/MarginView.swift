import Foundation

/// The calculator: what a pack brings, and what a whole price list would.
struct MarginView: Sendable {
  struct Result: Sendable, Equatable {
    var currency: String
    var pack: MarginFigures
    /// The lowest price that does not lose; nil where none that Telegram takes does.
    var breakEvenStars: Int64?
    /// Of the rows of the content's price list.
    var packs: [MarginFigures]
  }

  let content: MarginContent
  let draft: MarginDraft
  let problems: [FormProblem]
  /// nil where there are problems.
  var result: Result?

  init(content: MarginContent, draft: MarginDraft, problems: [FormProblem]) {
    (self.content, self.draft, self.problems) = (content, draft, problems)
  }

  /// - Parameter body: the page's text beneath.
  func model(_ frame: SiteFrame, _ body: Markdown) -> [String: TemplateValue] {
    let page = PlainPage(renderer: frame.renderer, language: frame.language)
    let groups = groups(frame.strings)
    let format = Formatting(
      strings: frame.strings, timeZone: .gmt, now: Date(timeIntervalSince1970: 0))
    return [
      "lede": .text(content.lede), "action": .text(frame.app(frame.link(.margin))),
      "summary": page.summary(problems, of: groups.flatMap(\.fields)),
      "groups": .records(groups) { group in
        [
          "legend": .text(group.legend),
          "fields": .list(group.fields.map { page.field($0, problems) }),
        ]
      },
      "result": .optional(result) { model(of: $0, frame.strings, format) },
      "body": .html(body.html),
    ]
  }

  private func groups(_ t: Strings) -> [(legend: String, fields: [FormField])] {
    let pack = [
      number("stars", t["packs.stars_label"], nil, draft.stars),
      number("credits", t["packs.credits_label"], nil, draft.credits),
      number("bonus", t["packs.bonus_label"], t["calculator.bonus_hint"], draft.bonus),
    ]
    let cost = [
      number("cost", t["calculator.cost"], t["calculator.cost_hint"], draft.cost),
      FormField(
        id: "per", label: t["calculator.per"], value: draft.per,
        kind: .choice(
          MarginDraft.Basis.allCases.map {
            ($0.rawValue, t[.init("calculator.per_\($0.rawValue)")])
          })),
    ]
    let rates = [
      number("usd", t["rates.usd"], t["rates.usd_hint"], draft.usd),
      FormField(
        id: "currency", label: t["rates.currency"], hint: t["rates.currency_hint"],
        value: draft.currency, kind: .text(max: 3)),
      number("fx", t["rates.fx"], t["rates.fx_hint"], draft.fx),
    ]
    return [
      (t["calculator.pack"], pack), (t["calculator.costs"], cost), (t["calculator.rates"], rates),
    ]
  }

  private func number(
    _ id: String, _ label: String, _ hint: String?, _ value: String
  ) -> FormField {
    FormField(
      id: id, label: label, hint: hint, value: value, kind: .text(max: 16, isNumber: true))
  }

  private func model(
    of result: Result, _ t: Strings, _ format: Formatting
  ) -> [String: TemplateValue] {
    let (pack, currency) = (result.pack, result.currency)
    let figures = [
      FigureCard(
        t["margin.revenue"], format.money(format.number(pack.revenue), currency),
        t("calculator.for_stars", ["stars": format.stars(pack.stars)]), .stars),
      FigureCard(
        t["margin.cost"], format.cost(pack.cost, currency),
        format.credits(pack.credits + pack.bonus), .use),
      FigureCard(
        t["site.left"], format.cost(pack.leftMicros, currency), t["calculator.left_note"],
        pack.isLoss ? .back : .in),
      FigureCard(
        t["margin.margin"], pack.margin.map { format.percent($0) } ?? "–",
        t[pack.margin == nil ? "calculator.free" : "calculator.margin_note"],
        pack.isLoss ? .back : .quiet),
    ]
    let even = result.breakEvenStars.map {
      t("calculator.even", ["stars": format.stars($0)])
    }
    return [
      "figures": .list(figures.map(\.model)), "loss": .flag(pack.isLoss),
      "drawing": .html(MarginBar(costPercent: pack.costPercent, isLoss: pack.isLoss).svg),
      "cost_part": .text(format.percent(Int64(pack.costPercent))),
      "left_part": .text(format.percent(Int64(100 - pack.costPercent))),
      "even": .text(even ?? t["calculator.even_never"]),
      "packs_heading": .text(content.packs.heading), "packs_about": .text(content.packs.about),
      "rows": .list(
        zip(content.packs.rows, result.packs).map { .record(row($0, $1, currency, format)) }),
    ]
  }

  private func row(
    _ row: MarginContent.Packs.Row, _ figures: MarginFigures, _ currency: String,
    _ format: Formatting
  ) -> [String: TemplateValue] {
    [
      "name": .text(row.title), "condition": .optional(row.condition),
      "stars": .text(format.stars(figures.stars)),
      "credits": .text(
        format.number(figures.credits)
          + (figures.bonus > 0 ? " + " + format.number(figures.bonus) : "")),
      "revenue": .text(format.money(format.number(figures.revenue), currency)),
      "cost": .text(format.cost(figures.cost, currency)),
      "per_credit": .text(format.starsPerCredit(figures.starsPerCredit)),
      "margin": .text(figures.margin.map { format.percent($0) } ?? "–"),
      "loss": .flag(figures.isLoss),
    ]
  }
}

extension MarginFigures {
  /// Revenue without the cost, in millionths of the currency.
  fileprivate var leftMicros: Int64 {
    Int64(clamping: Int128(revenue) * 1_000_000 - Int128(cost))
  }

  /// How much of what comes in the credits cost, from 0 to 100.
  fileprivate var costPercent: Int {
    guard revenue > 0 else { return cost > 0 ? 100 : 0 }
    let hundredth = Int128(revenue) * 10_000
    return Int(min(100, (Int128(cost) + hundredth / 2) / hundredth))
  }
}

extension Formatting {
  /// To hundredths, and what is less than one of the currency to millionths.
  fileprivate func cost(_ micros: Int64, _ currency: String) -> String {
    (0..<1_000_000).contains(micros)
      ? money(decimal(micros: micros), currency) : money(micros: micros, currency)
  }
}
