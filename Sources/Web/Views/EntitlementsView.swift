import Foundation

/// The features that packs grant and rules ask for.
struct EntitlementsView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var key: String
    var title: String
    /// Titles of the packs that grant it.
    var packs: [String]
    /// Titles of actions and tiers that ask for it.
    var uses: [String]
  }

  struct Draft: Sendable, Equatable {
    /// nil: a new one.
    var entitlement: String?
    var key = ""
    var title = ""
    var problems: [FormProblem] = []
  }

  var rows: [Row]
  var mayEdit: Bool
  var draft: Draft?
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .entitlements, title: t["rules_tab.entitlements"], place: .actions,
      trail: [(title: t["nav.actions"], href: Links.actions(page.slug))],
      [
        "tabs": RulesTab.model(.entitlements, page),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "new": mayEdit ? .record(form(nil, page)) : .none,
        "history": RuleWords(page: page).history(history),
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    func list(_ names: [String]) -> String {
      names.isEmpty ? "–" : names.joined(separator: ", ")
    }
    return [
      "name": .text(row.title), "key": .text(row.key), "packs": .text(list(row.packs)),
      "uses": .text(list(row.uses)), "edit": mayEdit ? .record(form(row, page)) : .none,
    ]
  }

  private func form(_ row: Row?, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let typed = draft.flatMap { $0.entitlement == row?.key ? $0 : nil }
    let problems = typed?.problems ?? []
    let prefix = row.map { "\($0.key)-" } ?? "new-"
    let path = Links.entitlements(page.slug)
    var fields = [
      FormField(
        id: "title", label: t["entitlements.title"], hint: t["entitlements.title_hint"],
        value: typed?.title ?? row?.title ?? "", kind: .text(max: 60), prefix: prefix)
    ]
    if row == nil {
      fields.append(
        FormField(
          id: "key", label: t["entitlements.key"], hint: t["entitlements.key_hint"],
          value: typed?.key ?? "", kind: .text(max: 48), prefix: prefix))
    }
    return [
      "title": .text(
        row.map { t("entitlements.edit", ["name": $0.title]) } ?? t["entitlements.new"]),
      "action": .text(row.map { "\(path)/\($0.key)" } ?? path), "open": .flag(typed != nil),
      "summary": problems.summary(page, of: fields, prefix: prefix),
      "fields": .list(fields.map { .record($0.model(problems, page)) }),
      "button": .text(t[row == nil ? "entitlements.create" : "entitlements.save"]),
    ]
  }
}
