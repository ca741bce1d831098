import Foundation

extension CustomerView.Case {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "subject": .text(subject), "href": .text(Links.supportCase(page.slug, id)),
      "state": .text(t[isOurs ? "customer.case_ours" : "customer.case_theirs"]),
      "state_class": .text(isOurs ? "requested" : "unknown"),
      "assignee": .text(assignee ?? t["customer.case_nobody"]),
      "time": page.format.time(since),
    ]
  }
}

extension CustomerView.Fate {
  /// The lines between what came and what is left; none where nothing ever came.
  func model(
    _ account: CustomerView.CreditAccount, _ page: PageContext
  ) -> TemplateValue {
    let (t, format) = (page.strings, page.format)
    guard came != 0 || !uses.isEmpty else { return .none }
    func line(_ label: String, _ amount: Int64) -> [String: TemplateValue] {
      ["label": .text(label), "quantity": .text(format.signed(amount))]
    }
    var lines = [line(t["customer.fate_came"], came)]
    for use in uses {
      let title = use.title ?? t["customer.fate_other"]
      lines.append(
        line(
          use.units == 1 || use.title == nil
            ? title
            : t("strip.use_units", ["action": title, "units": format.number(use.units)]),
          -use.credits))
    }
    if expired != 0 { lines.append(line(t["customer.fate_expired"], -expired)) }
    if takenBack != 0 { lines.append(line(t["customer.fate_taken"], -takenBack)) }
    if account.held != 0 { lines.append(line(t["customer.fate_held"], -account.held)) }
    return [
      "lines": .records(lines) { $0 },
      "left": .text(t[account.available < 0 ? "customer.fate_owed" : "customer.fate_left"]),
      "left_quantity": .text(format.number(account.available)),
    ]
  }
}

extension CustomerView.CreditAccount {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let isOwn = unit.name == UnitLabel.credits.name
    let label =
      switch (available < 0, isOwn) {
      case (true, true): t["customer.owes"]
      case (true, false): t("customer.owes_unit", ["unit": unit.name])
      case (false, true): t("customer.available", count: available, [:])
      case (false, false): t("customer.available_unit", ["unit": unit.name])
      }
    return [
      "available": .text(format.number(available)),
      "balance_label": .text(label),
      "debt": .flag(available < 0),
      "held": held == 0
        ? .none : .text(t("customer.held", count: held, ["n": format.number(held)])),
      "lots": lots.isEmpty ? .none : .record(["rows": .records(lots) { $0.model(page) }]),
      "fate": fate.model(self, page),
    ]
  }
}
