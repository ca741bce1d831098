import EStars
import Foundation

/// Trial credits: the policy and every decision that was made by it.
enum TrialsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await view(visit).render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    var draft = TrialsView.Draft(try visit.inbound.form(), visit.inbound)
    let policy = draft.policy()
    if draft.problems.isEmpty {
      do {
        try await TrialPolicy.edit(
          policy, madeFrom: draft.version, by: visit.actor, in: visit.scope, visit.platform.pool)
        return .seeOther(Links.trials(visit.workspace.slug))
      } catch RuleRefusal.changed {
        let changes = try await AuditEntry.history(
          of: "trial_policy", limit: Limits.ruleHistory, in: visit.scope, visit.platform.pool
        ).filter { $0.id > draft.version }
        draft.version = changes.first?.id ?? draft.version
        var view = try await view(visit)
        view.changedMeanwhile = changes.map { RuleChange($0) }
        view.draft = draft
        view.isOpen = true
        return try await visit.page(view.render, .conflict)
      }
    }
    var view = try await view(visit)
    view.draft = draft
    view.isOpen = true
    return try await visit.page(view.render, .unprocessableContent)
  }

  private static func view(_ visit: Visit) async throws -> TrialsView {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    var grants = try await TrialGrant.recent(
      before: before, limit: Limits.pageSize + 1, in: scope, pool)
    let hasMore = grants.count > Limits.pageSize
    if hasMore { grants.removeLast() }
    let people = try await Customer.named(grants.map(\.customerID), in: scope, pool)
    // The version first: a change in between makes the form stale, never blind.
    let version = try await TrialPolicy.version(in: scope, pool)
    let policy = try await TrialPolicy.load(in: scope, pool)
    let changes = try await AuditEntry.history(
      of: "trial_policy", limit: Limits.ruleHistory, in: scope, pool)
    return TrialsView(
      givenToday: try await TrialPolicy.givenToday(in: scope, pool), perDay: policy.creditsPerDay,
      draft: TrialsView.Draft(policy, version: version),
      mayEdit: visit.membership.role >= .manager,
      rows: grants.map { TrialsView.Row($0, people[$0.customerID]) },
      paging: Paging(
        nextCursor: hasMore ? grants.last.map { String($0.id) } : nil, isFirst: before == nil),
      history: changes.map { RuleChange($0) })
  }
}

extension TrialsView.Draft {
  init(_ policy: TrialPolicy, version: Int64) {
    self.init(
      credits: String(policy.credits), perDay: String(policy.creditsPerDay),
      minScore: String(policy.minScore), bonus: String(policy.paidBonus),
      sources: policy.paidSources.joined(separator: "\n"), version: version)
  }

  init(_ form: [String: String], _ inbound: Inbound) {
    self.init(
      credits: inbound.words(form["credits"]), perDay: inbound.words(form["per_day"]),
      minScore: inbound.words(form["min_score"]), bonus: inbound.words(form["bonus"]),
      sources: inbound.words(form["sources"]), version: form["version"].flatMap { Int64($0) } ?? 0)
  }

  /// The policy that the form describes; it means nothing where there are problems.
  mutating func policy() -> TrialPolicy {
    var found: [FormProblem] = []
    func whole(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.whole(text, range) { return value }
      found.append(
        FormProblem(field: field, kind: .whole(min: range.lowerBound, max: range.upperBound)))
      return range.lowerBound
    }
    var sources: [String] = []
    for line in self.sources.split(whereSeparator: { $0.isNewline || $0 == "," }) {
      let name = line.trimmingCharacters(in: .whitespaces).lowercased()
      if !name.isEmpty, !sources.contains(name) { sources.append(name) }
    }
    if sources.contains(where: { $0.unicodeScalars.count > Limits.trialSourceCharacters }) {
      found.append(FormProblem(field: "sources", kind: .source))
    }
    if sources.count > Limits.trialPaidSources {
      found.append(FormProblem(field: "sources", kind: .tooMany(max: Limits.trialPaidSources)))
    }
    let score = 0...Int64(Limits.trialScore)
    let policy = TrialPolicy(
      credits: whole(credits, "credits", 1...Limits.trialCredits),
      creditsPerDay: whole(perDay, "per_day", 0...Limits.trialCreditsPerDay),
      minScore: Int(whole(minScore, "min_score", score)),
      paidBonus: Int(whole(bonus, "bonus", score)), paidSources: sources)
    problems += found
    return policy
  }
}

extension TrialsView.Row {
  init(_ grant: TrialGrant, _ customer: Customer?) {
    self.init(
      customer: customer.map(CustomerLabel.init) ?? CustomerLabel(id: grant.customerID, name: ""),
      at: grant.createdAt, outcome: .init(rawValue: grant.outcome.rawValue) ?? .granted,
      credits: grant.credits, engagement: grant.engagement, intent: grant.intent,
      source: grant.source, isPaidSource: grant.isPaidSource, score: grant.score,
      minScore: grant.minScore, balance: grant.balance, held: grant.held,
      givenToday: grant.givenToday, dailyLimit: grant.dailyLimit)
  }
}
