/// What an owner sets about credits for the whole workspace.
struct CreditPolicyView: Sendable, Equatable {
  enum Field: String, Sendable, CaseIterable {
    case goodwillCap = "goodwill_cap"
    case lowCredits = "low_credits"
  }

  /// As they are, or as they were typed.
  var values: [Field: String]
  /// Numbers that are not in the range.
  var problems: Set<Field> = []
  var maySet: Bool
  var wasSaved = false

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let fields = TemplateValue.records(Field.allCases) { field in
      let value = values[field] ?? ""
      return [
        "id": .text(field.rawValue),
        "label": .text(t[.init("credit_policy.\(field.rawValue)")]),
        "hint": .text(t[.init("credit_policy.\(field.rawValue)_hint")]),
        "value": .text(value),
        "shown": .text(Int64(value).map { page.format.credits($0) } ?? value),
        "problem": problems.contains(field) ? .text(t["credit_policy.problem"]) : .none,
      ]
    }
    let summary: TemplateValue =
      problems.isEmpty
      ? .none
      : .record([
        "rows": .records(Field.allCases.filter(problems.contains)) {
          [
            "href": .text("#" + $0.rawValue),
            "words": .text(
              t[.init("credit_policy.\($0.rawValue)")] + ": " + t["credit_policy.problem"]),
          ]
        }
      ])
    return page.page(
      .creditPolicy, title: t["credit_policy.title"], place: .customers,
      trail: [(title: t["nav.customers"], href: Links.customers(page.slug))],
      [
        "saved": .flag(wasSaved),
        "fields": fields,
        "form": maySet
          ? .record([
            "action": .text(Links.creditPolicy(page.slug)), "fields": fields, "summary": summary,
          ]) : .none,
      ])
  }
}
