import Foundation

/// A pack as it stands in a form: everything as it was typed.
struct PackDraft: Sendable, Equatable {
  /// A feature; `days` empty = not in the pack, 0 = for good.
  struct Grant: Sendable, Equatable {
    var key: String
    var title: String
    var days = ""
  }

  var sku = ""
  var title = ""
  var description = ""
  var emoji = ""
  var credits = ""
  var bonus = "0"
  var stars = ""
  var audience = PackRow.Audience.everyone
  var isHidden = false
  /// Days that credits are good for; empty = for ever.
  var days = ""
  var unit = "1"
  var grants: [Grant] = []
  var words: [NameDraft] = []
  /// One more language, that the list has not.
  var other = NameDraft(language: "")
  var reason = ""
  /// The number of the latest change when the form was made.
  var version: Int64 = 0
}

/// One pack: what it brings, the form that changes it, its discounts, and how it came to be so.
struct PackView: Sendable, Equatable {
  struct Unit: Sendable, Equatable {
    var number: String
    var name: String
  }

  /// nil: a new one is being made.
  var row: PackRow?
  var draft: PackDraft
  var problems: [FormProblem] = []
  var rates: RatesLabel
  /// The price and those of its discounts, by what is in the form; empty where that says nothing.
  var figures: [MarginFigures]
  /// What the workspace counts in.
  var units: [Unit] = []
  /// What was typed as a discount, with what is wrong with it.
  var discount = ""
  var discountProblems: [FormProblem] = []
  var mayEdit: Bool
  /// What stands there was computed from the form and is not kept.
  var isTrial = false
  /// Newest first.
  var history: [RuleChange] = []
  var paging = Paging()
  /// What others changed since the form was made; the form shows what was typed all the same.
  var changedMeanwhile: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let words = RuleWords(
      page: page,
      entitlements: Dictionary(draft.grants.map { ($0.key, $0.title) }) { first, _ in first })
    let path = row.map { Links.pack(page.slug, $0.sku) } ?? Links.packs(page.slug)
    return page.page(
      .pack, title: row?.title ?? t["packs.new"], place: .packs,
      trail: [(title: t["nav.packs"], href: Links.packs(page.slug))],
      [
        "pack": .optional(row) { $0.model(rates.currency, page) },
        "script": .text(renderer.assets.path("margins.js")),
        "rates": .record(rates.model(page)),
        "cost": .text(cost(page)), "trial": .flag(isTrial),
        "margins": .records(margins) { margin($0, path, page) },
        "form": mayEdit ? .record(form(page, path)) : .none,
        "read_only": mayEdit ? .none : .record(readOnly(page)),
        "new_discount": mayEdit && row != nil ? .record(newDiscount(page, path)) : .none,
        "meanwhile": words.history(changedMeanwhile),
        "switch": mayEdit
          ? .optional(row) { row in
            page.withdrawalForm(isWithdrawn: row.state == .withdrawn, path) { noun in
              (t[.init("packs.do_\(noun)")], t[.init("packs.hint_\(noun)")])
            }
          } : .none,
        "history": words.history(history),
        "has_history": .flag(row != nil),
        "paging": paging.model(path: path),
      ])
  }

  /// Prices to show: of the form where it makes sense, else of the pack.
  private var margins: [MarginFigures] {
    figures.isEmpty
      ? (row.map { [$0.figures] + $0.discounts.map(\.figures) } ?? []) : figures
  }

  private func cost(_ page: PageContext) -> String {
    guard let figures = margins.first else { return "–" }
    return page.format.money(page.format.decimal(micros: figures.cost), rates.currency)
  }

  private func margin(
    _ figures: MarginFigures, _ path: String, _ page: PageContext
  ) -> [String: TemplateValue] {
    let t = page.strings
    var model = figures.model(rates.currency, page)
    let discount = row?.discounts.first { $0.figures.percent == figures.percent }
    model["withdrawn"] = .flag(discount?.isWithdrawn ?? false)
    model["switch"] = TemplateValue.none
    if mayEdit, let discount, figures.percent > 0 {
      let noun = discount.isWithdrawn ? "restoration" : "withdrawal"
      model["switch"] = [
        "action": .text("\(path)/discounts/\(figures.percent)/\(noun)"),
        "button": .text(t[.init("packs.discount_\(noun)")]),
        "label": .text(
          t[.init("packs.discount_\(noun)")] + ": "
            + t("margin.off", ["n": String(figures.percent)])),
      ]
    }
    return model
  }

  private func newDiscount(_ page: PageContext, _ path: String) -> [String: TemplateValue] {
    let t = page.strings
    let field = FormField(
      id: "percent", label: t["packs.percent"], hint: t["packs.percent_hint"], value: discount,
      kind: .text(max: 2, isNumber: true))
    return [
      "action": .text(path + "/discounts"), "title": .text(t["packs.new_discount"]),
      "open": .flag(!discountProblems.isEmpty),
      "summary": discountProblems.summary(page, of: [field]),
      "fields": .list([.record(field.model(discountProblems, page))]),
      "button": .text(t["packs.add_discount"]),
    ]
  }

  private func readOnly(_ page: PageContext) -> [String: TemplateValue] {
    let granted = draft.grants.filter { !$0.days.isEmpty }
    return [
      "description": .text(draft.description),
      "days": .text(draft.days.isEmpty ? page.strings["packs.for_good"] : words(draft.days, page)),
      "grants": granted.isEmpty
        ? .none
        : .records(granted) {
          [
            "feature": .text($0.title),
            "days": .text(
              $0.days == "0" ? page.strings["packs.for_good"] : words($0.days, page)),
          ]
        },
      "names": .records(draft.words.filter { !$0.title.isEmpty }) {
        [
          "language": .text(page.name(ofLanguage: $0.language)), "title": .text($0.title),
          "description": .text($0.description),
        ]
      },
    ]
  }

  private func words(_ days: String, _ page: PageContext) -> String {
    let count = Int64(days) ?? 0
    return page.strings("packs.days", count: count, ["n": page.format.number(count)])
  }
}

extension PageContext {
  /// `Português (Brasil)`, or the tag where it has no name.
  func name(ofLanguage tag: String) -> String {
    frame.language.locale.localizedString(forIdentifier: tag)?.capitalizedFirst ?? tag
  }
}
