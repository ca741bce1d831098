import EStars
import Foundation
import HTTPTypes
import Ledger

/// The workspace's rule for refunds.
enum RefundPolicyController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    var view = try await visit.refundPolicyView()
    view.wasSaved = visit.inbound.query["saved"] != nil
    return try await visit.page(view.render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var draft = RefundPolicyView.Draft(visit.inbound, form)
    var problems: [FormProblem] = []
    let policy = draft.policy(&problems)
    func again(
      _ status: HTTPResponse.Status, changed: [AuditEntry] = []
    ) async throws -> Reply {
      var view = try await visit.refundPolicyView()
      view.draft = draft
      view.problems = problems
      view.changedMeanwhile = changed.map { RuleChange($0) }
      return try await visit.page(view.render, status)
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    do {
      try await RefundPolicy.edit(
        policy, madeFrom: draft.version, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.changed {
      let changes = try await visit.refundPolicyHistory().filter { $0.id > draft.version }
      // Whoever has read what changed may send the form again.
      draft.version = changes.first?.id ?? draft.version
      return try await again(.conflict, changed: changes)
    }
    return .seeOther(Links.with(Links.refundPolicy(visit.workspace.slug), [("saved", "1")]))
  }
}

extension RefundPolicyView.Draft {
  init(_ policy: RefundPolicy, version: Int64) {
    self.init(
      maxAgeHours: String(policy.maxAgeHours), maxUsedPercent: String(policy.maxUsedPercent),
      onePerCustomer: policy.onePerCustomer ? "yes" : "no",
      autoApproves: policy.autoApproves ? "yes" : "no",
      fourEyesStars: policy.fourEyesStars.map { String($0) } ?? "",
      debtPolicy: policy.debtPolicy.rawValue, version: version)
  }

  init(_ inbound: Inbound, _ form: [String: String]) {
    self.init(
      maxAgeHours: inbound.words(form["max_age_hours"]),
      maxUsedPercent: inbound.words(form["max_used_percent"]),
      onePerCustomer: inbound.words(form["one_per_customer"]),
      autoApproves: inbound.words(form["auto_approves"]),
      fourEyesStars: inbound.words(form["four_eyes_stars"]),
      debtPolicy: inbound.words(form["refund_debt_policy"]),
      version: form["version"].flatMap { Int64($0) } ?? 0)
  }

  /// The rule that the form describes; it means nothing where there are problems.
  func policy(_ problems: inout [FormProblem]) -> RefundPolicy {
    var found: [FormProblem] = []
    func whole(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.whole(text, range) { return value }
      found.append(
        FormProblem(field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      return range.lowerBound
    }
    func answer(_ text: String, _ field: String) -> Bool {
      if !["yes", "no"].contains(text) { found.append(FormProblem(field: field, kind: .gone)) }
      return text == "yes"
    }
    let debt = DebtPolicy(rawValue: debtPolicy)
    let policy = RefundPolicy(
      maxAgeHours: Int(whole(maxAgeHours, "max_age_hours", RefundPolicy.ageRange)),
      maxUsedPercent: Int(whole(maxUsedPercent, "max_used_percent", RefundPolicy.percentRange)),
      onePerCustomer: answer(onePerCustomer, "one_per_customer"),
      autoApproves: answer(autoApproves, "auto_approves"),
      fourEyesStars: fourEyesStars.isEmpty
        ? nil : whole(fourEyesStars, "four_eyes_stars", RefundPolicy.starsRange),
      debtPolicy: debt ?? .forgive)
    if debt == nil { found.append(FormProblem(field: "refund_debt_policy", kind: .gone)) }
    problems += found
    return policy
  }
}

extension Visit {
  fileprivate func refundPolicyHistory() async throws -> [AuditEntry] {
    try await AuditEntry.history(
      of: "refund_policy", limit: EStars.Limits.ruleHistory, in: scope, platform.pool)
  }

  fileprivate func refundPolicyView() async throws -> RefundPolicyView {
    // The version first: a change in between makes the form stale, never blind.
    let version = try await RefundPolicy.version(in: scope, platform.pool)
    let policy = try await RefundPolicy.load(in: scope, platform.pool)
    return RefundPolicyView(
      rule: RefundRule(policy), policy: .init(rawValue: policy.debtPolicy.rawValue) ?? .forgive,
      draft: .init(policy, version: version), mayEdit: membership.role >= .owner,
      history: try await refundPolicyHistory().map { RuleChange($0) })
  }
}
