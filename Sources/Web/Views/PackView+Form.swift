import Foundation

/// The form of a pack.
extension PackView {
  func form(_ page: PageContext, _ path: String) -> [String: TemplateValue] {
    let t = page.strings
    let reason = page.reasonField(draft.reason, isNew: row == nil)
    let groups = [
      "naming": naming(t), "money": money(t), "selling": selling(t), "reason": [reason],
    ]
    let others = draft.words.flatMap { wordFields($0, page) } + otherFields(page)
    let grants = draft.grants.map { FormField(id: "days:\($0.key)", $0.title, $0.days) }
    return [
      "action": .text(path), "version": .text(String(draft.version)),
      "summary": problems.summary(
        page, of: groups.values.flatMap(\.self) + others + grants),
      "grants": draft.grants.isEmpty
        ? .none : .record(["rows": .records(grants) { $0.model(problems, page) }]),
      "languages": .records(draft.words) { language($0, page) },
      "other": .list(otherFields(page).map { .record($0.model(problems, page)) }),
      "other_open": .flag(draft.other != NameDraft(language: "")),
      "button": .text(t[row == nil ? "packs.create" : "packs.save"]),
    ].merging(
      groups.mapValues { .list($0.map { .record($0.model(problems, page)) }) }
    ) { own, _ in own }
  }

  private func naming(_ t: Strings) -> [FormField] {
    let fields = [
      FormField(
        id: "title", label: t["packs.title"], hint: t["packs.title_hint"], value: draft.title,
        kind: .text(max: 32)),
      FormField(
        id: "description", label: t["packs.description"], hint: t["packs.description_hint"],
        value: draft.description, kind: .area(rows: 2, max: 255)),
      FormField(
        id: "emoji", label: t["packs.emoji"], hint: t["packs.emoji_hint"], value: draft.emoji,
        kind: .text(max: 16)),
    ]
    guard row == nil else { return fields }
    let sku = FormField(
      id: "sku", label: t["packs.sku"], hint: t["packs.sku_hint"], value: draft.sku,
      kind: .text(max: 28))
    return [fields[0], sku] + fields.dropFirst()
  }

  private func money(_ t: Strings) -> [FormField] {
    [
      FormField(
        id: "stars", label: t["packs.stars_label"], hint: t["packs.stars_hint"],
        value: draft.stars, kind: .text(max: 9, isNumber: true)),
      FormField(
        id: "credits", label: t["packs.credits_label"], value: draft.credits,
        kind: .text(max: 14, isNumber: true)),
      FormField(
        id: "bonus", label: t["packs.bonus_label"], hint: t["packs.bonus_hint"],
        value: draft.bonus, kind: .text(max: 14, isNumber: true)),
    ]
  }

  private func selling(_ t: Strings) -> [FormField] {
    var fields = [
      FormField(
        id: "audience", label: t["packs.audience"], hint: t["packs.audience_hint"],
        value: draft.audience.rawValue,
        kind: .choice(
          PackRow.Audience.allCases.map {
            ($0.rawValue, t[.init("packs.audience_\($0.rawValue)")])
          })),
      FormField(
        id: "listing", label: t["packs.listing"], hint: t["packs.listing_hint"],
        value: draft.isHidden ? "hidden" : "listed",
        kind: .choice(["listed", "hidden"].map { ($0, t[.init("rule.listing_\($0)")]) })),
      FormField(
        id: "days", label: t["packs.days_label"], hint: t["packs.days_hint"], value: draft.days,
        kind: .text(max: 6, isNumber: true)),
    ]
    if row == nil, units.count > 1 {
      fields.append(
        FormField(
          id: "unit", label: t["packs.unit"], hint: t["packs.unit_hint"], value: draft.unit,
          kind: .choice(units.map { ($0.number, $0.name) })))
    }
    return fields
  }

  /// The pack's words in one language.
  private func wordFields(_ words: NameDraft, _ page: PageContext) -> [FormField] {
    let t = page.strings
    let language = page.name(ofLanguage: words.language)
    return [
      FormField(
        id: "title:\(words.language)", label: t("packs.title_in", ["language": language]),
        value: words.title, kind: .text(max: 32)),
      FormField(
        id: "description:\(words.language)",
        label: t("packs.description_in", ["language": language]),
        value: words.description, kind: .area(rows: 2, max: 255)),
    ]
  }

  private func language(
    _ words: NameDraft, _ page: PageContext
  ) -> [String: TemplateValue] {
    let fields = wordFields(words, page)
    let isWrong = fields.contains { problems.words(for: $0.id, page) != nil }
    return [
      "name": .text(page.name(ofLanguage: words.language)),
      "called": words.title.isEmpty ? .none : .text(words.title),
      "open": .flag(isWrong),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
    ]
  }

  private func otherFields(_ page: PageContext) -> [FormField] {
    let t = page.strings
    return [
      FormField(
        id: "language", label: t["packs.other"], hint: t["paywall.other_hint"],
        value: draft.other.language, kind: .text(max: 12)),
      FormField(
        id: "title:other", label: t["packs.other_title"], value: draft.other.title,
        kind: .text(max: 32)),
      FormField(
        id: "description:other", label: t["packs.other_description"],
        value: draft.other.description, kind: .area(rows: 2, max: 255)),
    ]
  }
}

extension FormField {
  /// A small field of a table, named by its row.
  fileprivate init(id: String, _ label: String, _ value: String) {
    self.init(id: id, label: label, value: value, kind: .text(max: 6, isNumber: true))
  }
}
