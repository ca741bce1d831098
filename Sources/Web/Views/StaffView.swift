import Foundation

/// The people of the house, who may buy what is for staff only.
struct StaffView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var telegramID: Int64
    var name: String
    /// Where the person uses a bot.
    var customer: CustomerLabel?
    var addedBy: String
    var addedAt: Date
  }

  /// What was typed about somebody to add.
  struct Draft: Sendable, Equatable {
    var telegramID = ""
    var name = ""
    var problems: [FormProblem] = []
  }

  var rows: [Row]
  var draft = Draft()
  var mayEdit: Bool
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .staff, title: t["catalog_tab.staff"], place: .packs,
      trail: [(title: t["nav.packs"], href: Links.packs(page.slug))],
      [
        "tabs": CatalogTab.model(.staff, page),
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { model($0, page) }]),
        "form": mayEdit ? .record(form(page)) : .none,
        "history": RuleWords(page: page).history(history),
      ])
  }

  private func model(_ row: Row, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let known = row.customer.map { page.name(of: $0) }
    return [
      "telegram_id": .text(String(row.telegramID)),
      "name": .text(row.name.isEmpty ? known ?? t["staff.unnamed"] : row.name),
      "customer": .optional(row.customer) { page.customer($0) },
      "added_by": row.addedBy.isEmpty ? .none : .text(row.addedBy),
      "time": page.format.time(row.addedAt),
      "removal": mayEdit
        ? .record([
          "action": .text("\(Links.staff(page.slug))/\(row.telegramID)/removal"),
          "label": .text("\(t["staff.remove"]): \(row.telegramID)"),
        ]) : .none,
    ]
  }

  private func form(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let fields = [
      FormField(
        id: "telegram_id", label: t["staff.telegram_id"], hint: t["staff.telegram_id_hint"],
        value: draft.telegramID, kind: .text(max: 16, isNumber: true)),
      FormField(
        id: "name", label: t["staff.name"], hint: t["staff.name_hint"], value: draft.name,
        kind: .text(max: 60)),
    ]
    return [
      "action": .text(Links.staff(page.slug)),
      "summary": draft.problems.summary(page, of: fields),
      "fields": .list(fields.map { .record($0.model(draft.problems, page)) }),
    ]
  }
}
