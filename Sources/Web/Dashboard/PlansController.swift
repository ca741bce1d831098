import EStars
import Foundation
import HTTPTypes

/// What customers subscribe to.
enum PlansController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let plans = PlanColumn.all(
      try await Plan.all(in: visit.scope, visit.platform.pool), try await RuleNames.load(visit),
      try await ActionRules.all(in: visit.scope, visit.platform.pool))
    let view = PlansView(
      plans: plans.filter { !$0.isWithdrawn }, withdrawn: plans.filter(\.isWithdrawn),
      mayEdit: visit.membership.role >= .manager)
    return try await visit.page(view.render)
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    return try await visit.page(view(PlanDraft(names), names).render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let key = visit.inbound.words(visit.inbound.parameters["plan"])
    // The version first: a change in between makes the form stale, never blind.
    let version = try await Plan.version(of: key, in: visit.scope, visit.platform.pool)
    let plans = try await Plan.all(in: visit.scope, visit.platform.pool)
    guard let plan = plans.first(where: { $0.key == key }) else { throw Refusal.notFound }
    let place = plans.filter { !$0.isWithdrawn }.firstIndex { $0.key == key }.map { $0 + 1 }
    return try await visit.page(
      try await visit.planView(of: plan, PlanDraft(plan, place: place, version: version)).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    let draft = PlanDraft(try visit.inbound.form(), nil, names)
    var problems: [FormProblem] = []
    let terms = draft.terms(names, &problems)
    func again() async throws -> Reply {
      var view = view(draft, names)
      view.problems = problems
      return try await visit.page(view.render, .unprocessableContent)
    }
    guard problems.isEmpty else { return try await again() }
    do {
      try await Plan.create(
        key: draft.key, kind: Plan.Kind(draft.kind), terms, reason: draft.reason,
        by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch let refusal as RuleRefusal {
      problems = [try FormProblem(refusal)]
      return try await again()
    }
    return .seeOther(Links.plan(visit.workspace.slug, draft.key))
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    let present = try await visit.plan()
    var draft = PlanDraft(try visit.inbound.form(), present, names)
    var problems: [FormProblem] = []
    let terms = draft.terms(names, &problems)
    let place = Typed.whole(draft.place, 1...Int64(Limits.plans))
    if !present.isWithdrawn, place == nil {
      problems.append(
        FormProblem(field: "place", kind: .whole(min: 1, max: Int64(Limits.plans))))
    }
    func again(
      _ status: HTTPResponse.Status, changed: [AuditEntry] = []
    ) async throws -> Reply {
      var view = try await visit.planView(of: present, draft)
      view.problems = problems
      view.changedMeanwhile = changed.map { RuleChange($0) }
      return try await visit.page(view.render, status)
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    do {
      try await Plan.edit(
        present.key, terms, place: place.map(Int.init), madeFrom: draft.version,
        reason: draft.reason, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.changed {
      let changes = try await AuditEntry.history(
        of: "plan", present.key, limit: Limits.ruleHistory, in: visit.scope, visit.platform.pool
      ).filter { $0.id > draft.version }
      // Whoever has read what changed may send the form again.
      draft.version = changes.first?.id ?? draft.version
      return try await again(.conflict, changed: changes)
    } catch let refusal as RuleRefusal {
      problems = [try FormProblem(refusal)]
      return try await again(.unprocessableContent)
    }
    return .seeOther(Links.plan(visit.workspace.slug, present.key))
  }

  fileprivate static func view(_ draft: PlanDraft, _ names: RuleNames) -> PlanView {
    PlanView(
      draft: draft, tiers: names.tiers.map { .init(key: $0.key, title: $0.title) },
      features: names.entitlements.map { .init(key: $0.key, title: $0.title) }, mayEdit: true)
  }
}

enum PlanWithdrawalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.setPlanWithdrawn(true)
  }
}

enum PlanRestorationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.setPlanWithdrawn(false)
  }
}

extension Plan.Kind {
  fileprivate init(_ kind: PlanDraft.Kind) {
    self =
      switch kind {
      case .free: .free
      case .recurring: .recurring
      case .custom: .custom
      }
  }
}

extension FormProblem {
  /// - Throws: ``Refusal`` where there is no such plan.
  fileprivate init(_ refusal: RuleRefusal) throws {
    switch refusal {
    case .notFound: throw Refusal.notFound
    case .inUse: self.init(field: "kind", kind: .oneFree)
    case .unknownName: self.init(field: "tier", kind: .gone)
    case .tooMany: self.init(field: "key", kind: .tooMany(max: Limits.plans))
    case .taken, .changed: self.init(field: "key", kind: .taken)
    }
  }
}

extension Visit {
  /// The plan in the path.
  fileprivate func plan() async throws -> Plan {
    let key = inbound.words(inbound.parameters["plan"])
    guard let plan = try await Plan.find(key, in: scope, platform.pool) else {
      throw Refusal.notFound
    }
    return plan
  }

  fileprivate func planView(of plan: Plan, _ draft: PlanDraft) async throws -> PlanView {
    let names = try await RuleNames.load(self)
    let before = inbound.query["after"].flatMap { Int64($0) }
    var changes = try await AuditEntry.history(
      of: "plan", plan.key, before: before, limit: Limits.ruleHistory + 1, in: scope,
      platform.pool)
    let hasMore = changes.count > Limits.ruleHistory
    if hasMore { changes.removeLast() }
    var view = PlansController.view(draft, names)
    let standing = try await PlanStanding.all(in: scope, platform.pool)
      .first { $0.plan == plan.key }
    view.present = .init(
      key: plan.key, title: plan.title, isWithdrawn: plan.isWithdrawn,
      running: standing.map { Int64($0.trials + $0.active + $0.inGrace) } ?? 0)
    view.mayEdit = membership.role >= .manager
    if !view.mayEdit {
      let actions = try await ActionRules.all(in: scope, platform.pool)
      let all = try await Plan.all(in: scope, platform.pool)
      view.column = PlanColumn.all(all, names, actions).first { $0.key == plan.key }
    }
    view.history = changes.map { RuleChange($0) }
    view.paging = Paging(
      nextCursor: hasMore ? changes.last.map { String($0.id) } : nil, isFirst: before == nil)
    return view
  }

  fileprivate func setPlanWithdrawn(_ isWithdrawn: Bool) async throws -> Reply {
    let plan = try await plan()
    do {
      try await Plan.setWithdrawn(isWithdrawn, plan.key, by: actor, in: scope, platform.pool)
    } catch RuleRefusal.inUse {
      throw Refusal(
        .conflict, "one_free_plan",
        "There is a free plan already. Withdraw it first, then put this one back on sale.")
    }
    return .seeOther(Links.plan(workspace.slug, plan.key))
  }
}
