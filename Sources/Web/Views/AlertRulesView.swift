import Foundation

/// What operators want to hear of, from where on, and where.
struct AlertRulesView: Sendable, Equatable {
  /// What a threshold counts.
  enum Measure: String, Sendable, CaseIterable {
    case percent, stars, attempts, seconds, updates, purchases, credits, refunds
  }

  struct Row: Sendable, Equatable {
    var kind: AlertKind
    var isOn: Bool
    var inChat: Bool
    /// nil where there is none.
    var measure: Measure?
    /// As it stands in the form; empty: none is set.
    var threshold: String = ""
    var mutedUntil: Date?
    var problems: [FormProblem] = []
  }

  var rows: [Row]
  var mayEdit: Bool
  /// What was saved just now.
  var saved: AlertKind?
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .alertRules, title: t["alert_rules.title"], place: .alerts,
      trail: [(title: t["nav.alerts"], href: Links.alerts(page.slug))],
      [
        "tabs": AlertTab.model(.rules, page),
        "saved": .optional(saved.map { t("alert_rules.saved", ["kind": $0.title(t)]) }),
        "rules": .records(rows) { model($0, page) },
        "history": RuleWords(page: page).history(history),
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let key = row.kind.key
    return [
      "id": .text(key), "title": .text(row.kind.title(t)),
      "setting": .text(setting(row, page)),
      "muted": .optional(row.mutedUntil) { ["time": page.format.time($0)] },
      "about": .text(t[.init("alert_about.\(key)")]),
      "advice": .text(t[.init("alert_do.\(key)")]),
      "open": .flag(!row.problems.isEmpty || row.kind == saved),
      "form": mayEdit ? .record(form(row, page)) : .none,
      "mute": mayEdit ? .record(MuteForm(row.kind, row.mutedUntil).model(page)) : .none,
    ]
  }

  /// Without a threshold a kind that counts is not looked for.
  private func isWatched(_ row: Row) -> Bool {
    row.isOn && (row.measure == nil || !row.threshold.isEmpty)
  }

  private func setting(_ row: Row, _ page: PageContext) -> String {
    let t = page.strings
    guard isWatched(row) else { return t["alert_rules.off"] }
    let count = Int64(row.threshold)
    let n = count.map(page.format.number) ?? row.threshold
    let from =
      row.measure == nil
      ? nil : t(.init("alert_from.\(row.kind.key)"), count: count ?? 0, ["n": n])
    let place = t[row.inChat ? "alert_rules.in_chat" : "alert_rules.pages_only"]
    return [from, place].compactMap { $0 }.joined(separator: " · ")
  }

  private func form(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let field = row.measure.map { measure in
      FormField(
        id: "threshold", label: t[.init("alert_measure.\(measure.rawValue)")],
        hint: t[.init("alert_hint.\(row.kind.key)")], value: row.threshold,
        kind: .text(max: 20, isNumber: true), prefix: row.kind.key + "-")
    }
    let fields = field.map { [$0] } ?? []
    return [
      "action": .text(Links.alertRule(page.slug, row.kind, isForm: true)),
      "summary": row.problems.summary(page, of: fields, prefix: row.kind.key + "-"),
      "fields": .list(fields.map { .record($0.model(row.problems, page)) }),
      "is_on": .flag(row.isOn), "in_chat": .flag(row.inChat),
    ]
  }
}
