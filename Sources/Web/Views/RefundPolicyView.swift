import Foundation

/// The rule for refunds: what it speaks for, what it decides alone, and where two people agree.
struct RefundPolicyView: Sendable, Equatable {
  /// As it is, or as it was typed.
  struct Draft: Sendable, Equatable {
    var maxAgeHours: String
    var maxUsedPercent: String
    /// `yes` or `no`.
    var onePerCustomer: String
    var autoApproves: String
    /// Empty: one person is enough.
    var fourEyesStars: String
    var debtPolicy: String
    var version: Int64 = 0
  }

  /// As it is.
  var rule: RefundRule
  var policy: RefundEffect.Policy
  var draft: Draft
  var problems: [FormProblem] = []
  var mayEdit: Bool
  var wasSaved = false
  var history: [RuleChange] = []
  var changedMeanwhile: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let words = RuleWords(page: page)
    let fields = fields(t)
    return page.page(
      .refundPolicy, title: t["refund_policy.title"], place: .refunds,
      trail: [(title: t["nav.refunds"], href: Links.refunds(page.slug))],
      [
        "saved": .flag(wasSaved), "rule": .text(rule.words(page)),
        "consequences": .list(consequences(page)),
        "form": mayEdit
          ? .record([
            "action": .text(Links.refundPolicy(page.slug)),
            "version": .text(String(draft.version)),
            "summary": problems.summary(page, of: fields),
            "fields": .list(fields.map { .record($0.model(problems, page)) }),
          ]) : .none,
        "meanwhile": words.history(changedMeanwhile),
        "history": words.history(history),
      ])
  }

  /// What follows from the rule, in sentences.
  private func consequences(_ page: PageContext) -> [TemplateValue] {
    let t = page.strings
    return [
      t[rule.autoApproves ? "refund_policy.decides" : "refund_policy.recommends"],
      rule.fourEyesStars.map {
        t("refund_policy.two_people", ["n": page.format.stars($0)])
      } ?? t["refund_policy.one_person"],
      t[.init("refund_policy.used_\(policy.rawValue)")],
    ].map { ["words": .text($0)] }
  }

  private func fields(_ t: Strings) -> [FormField] {
    let answers = ["yes", "no"].map { (value: $0, label: t[.init("refund_policy.\($0)")]) }
    return [
      FormField(
        id: "max_age_hours", label: t["rule.max_age_hours"], hint: t["refund_policy.hint_age"],
        value: draft.maxAgeHours, kind: .text(max: 6, isNumber: true)),
      FormField(
        id: "max_used_percent", label: t["rule.max_used_percent"],
        hint: t["refund_policy.hint_used"], value: draft.maxUsedPercent,
        kind: .text(max: 3, isNumber: true)),
      FormField(
        id: "one_per_customer", label: t["rule.one_per_customer"],
        hint: t["refund_policy.hint_once"], value: draft.onePerCustomer, kind: .choice(answers)),
      FormField(
        id: "auto_approves", label: t["rule.auto_approves"], hint: t["refund_policy.hint_auto"],
        value: draft.autoApproves, kind: .choice(answers)),
      FormField(
        id: "four_eyes_stars", label: t["rule.four_eyes_stars"],
        hint: t["refund_policy.hint_two"], value: draft.fourEyesStars,
        kind: .text(max: 13, isNumber: true)),
      FormField(
        id: "refund_debt_policy", label: t["rule.refund_debt_policy"],
        hint: t["refund_policy.hint_debt"], value: draft.debtPolicy,
        kind: .choice(
          RefundEffect.Policy.allCases.map {
            (value: $0.rawValue, label: t[.init("rule.refund_debt_policy_\($0.rawValue)")])
          })),
    ]
  }
}
