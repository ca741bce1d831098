import Foundation

/// The tiers of a workspace and what makes a customer belong to each.
struct TiersView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var key: String
    var title: String
    /// Key of the entitlement; nil: the base tier.
    var entitlement: String?
    /// From 1; 0 is the base tier.
    var place: Int
  }

  struct Option: Sendable, Equatable {
    var key: String
    var title: String
  }

  /// What was typed into the form of a tier, or into that of a new one.
  struct Draft: Sendable, Equatable {
    /// nil: a new one.
    var tier: String?
    var key = ""
    var title = ""
    var entitlement = ""
    var place = ""
    var problems: [FormProblem] = []
  }

  var rows: [Row]
  var entitlements: [Option]
  var mayEdit: Bool
  var draft: Draft?
  /// The tier that could not go because rules name it.
  var inUse: String?
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let words = RuleWords(
      page: page,
      entitlements: Dictionary(entitlements.map { ($0.key, $0.title) }) { first, _ in first })
    return page.page(
      .tiers, title: t["rules_tab.tiers"], place: .actions,
      trail: [(title: t["nav.actions"], href: Links.actions(page.slug))],
      [
        "tabs": RulesTab.model(.tiers, page),
        "in_use": .optional(inUse.map { t("tiers.in_use", ["name": $0]) }),
        "rows": .records(rows) { model($0, page, words) },
        "new": mayEdit ? .record(newForm(page)) : .none,
        "history": words.history(history),
      ])
  }

  private func model(
    _ row: Row, _ page: PageContext, _ words: RuleWords
  ) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "name": .text(row.title), "key": .text(row.key),
      "needs": .text(
        row.entitlement.map { words.entitlements[$0] ?? $0 } ?? t["tiers.everybody"]),
      "edit": mayEdit ? .record(editForm(row, page)) : .none,
    ]
  }

  private func editForm(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let typed = draft.flatMap { $0.tier == row.key ? $0 : nil }
    let problems = typed?.problems ?? []
    let prefix = "\(row.key)-"
    let path = "\(Links.tiers(page.slug))/\(row.key)"
    var fields = [
      FormField(
        id: "title", label: t["tiers.title"], value: typed?.title ?? row.title,
        kind: .text(max: 40), prefix: prefix)
    ]
    if row.entitlement != nil {
      fields.append(
        entitlementField(typed?.entitlement ?? row.entitlement ?? "", prefix, t))
      fields.append(
        FormField(
          id: "place", label: t["tiers.place"], hint: t["tiers.place_hint"],
          value: typed?.place ?? String(row.place), kind: .text(max: 3, isNumber: true),
          prefix: prefix))
    }
    return [
      "title": .text(t("tiers.edit", ["name": row.title])), "action": .text(path),
      "open": .flag(typed != nil),
      "summary": problems.summary(page, of: fields, prefix: prefix),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
      "removal": row.entitlement == nil
        ? .none
        : .record([
          "action": .text(path + "/removal"),
          "button": .text(t("tiers.remove", ["name": row.title])),
        ]),
    ]
  }

  private func newForm(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let typed = draft.flatMap { $0.tier == nil ? $0 : nil }
    let problems = typed?.problems ?? []
    let fields = [
      FormField(
        id: "title", label: t["tiers.title"], value: typed?.title ?? "", kind: .text(max: 40),
        prefix: "new-"),
      FormField(
        id: "key", label: t["tiers.key"], hint: t["tiers.key_hint"], value: typed?.key ?? "",
        kind: .text(max: 32), prefix: "new-"),
      entitlementField(typed?.entitlement ?? "", "new-", t),
    ]
    return [
      "action": .text(Links.tiers(page.slug)), "open": .flag(typed != nil),
      "summary": problems.summary(page, of: fields, prefix: "new-"),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
    ]
  }

  private func entitlementField(_ value: String, _ prefix: String, _ t: Strings) -> FormField {
    FormField(
      id: "entitlement", label: t["tiers.entitlement"], hint: t["tiers.entitlement_hint"],
      value: value, kind: .choice(entitlements.map { ($0.key, $0.title) }), prefix: prefix)
  }
}
