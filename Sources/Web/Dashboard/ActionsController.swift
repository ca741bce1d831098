import EStars
import Foundation
import HTTPTypes

/// Usage rules: what each action costs, who may run it and how much.
enum ActionsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    let catalog = try await Catalog.load(in: visit.scope, visit.platform.pool)
    let actions = try await ActionRules.all(in: visit.scope, visit.platform.pool)
    let view = ActionsView(
      rows: actions.map { ActionRow($0, names, catalog) },
      mayEdit: visit.membership.role >= .manager)
    return try await visit.page(view.render)
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    return try await visit.page(view(of: nil, ActionDraft(names), names).render)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    // The version first: a change in between makes the form stale, never blind.
    let version = try await ActionRules.version(
      of: visit.actionKey(), in: visit.scope, visit.platform.pool)
    let rules = try await visit.action()
    let draft = ActionDraft(rules, version: version, names, visit.language)
    return try await visit.page(
      try await visit.actionView(of: rules, draft, names).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    let draft = ActionDraft(try visit.inbound.form(), key: nil, names)
    var problems: [FormProblem] = []
    let rules = draft.rules(&problems)
    func again() async throws -> Reply {
      var view = view(of: nil, draft, names)
      view.problems = problems
      return try await visit.page(view.render, .unprocessableContent)
    }
    guard problems.isEmpty else { return try await again() }
    do {
      try await ActionRules.create(
        rules, reason: draft.reason, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.taken {
      problems = [FormProblem(field: "key", kind: .taken)]
      return try await again()
    } catch RuleRefusal.unknownName {
      problems = [FormProblem(field: "required", kind: .gone)]
      return try await again()
    } catch RuleRefusal.tooMany {
      problems = [FormProblem(field: "key", kind: .tooMany(max: Limits.actions))]
      return try await again()
    }
    return .seeOther(Links.action(visit.workspace.slug, rules.key))
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let names = try await RuleNames.load(visit)
    let present = try await visit.action()
    var draft = ActionDraft(try visit.inbound.form(), key: present.key, names)
    var problems: [FormProblem] = []
    let rules = draft.rules(&problems)
    func again(
      _ status: HTTPResponse.Status, changed: [AuditEntry] = []
    ) async throws -> Reply {
      var view = try await visit.actionView(of: present, draft, names)
      view.problems = problems
      view.changedMeanwhile = changed.map { RuleChange($0) }
      return try await visit.page(view.render, status)
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    do {
      try await ActionRules.edit(
        rules, madeFrom: draft.version, reason: draft.reason, by: visit.actor, in: visit.scope,
        visit.platform.pool)
    } catch RuleRefusal.notFound {
      throw Refusal.notFound
    } catch RuleRefusal.unknownName {
      problems = [FormProblem(field: "required", kind: .gone)]
      return try await again(.unprocessableContent)
    } catch RuleRefusal.changed {
      let changes = try await AuditEntry.history(
        of: "action", rules.key, limit: Limits.ruleHistory, in: visit.scope, visit.platform.pool
      ).filter { $0.id > draft.version }
      // Whoever has read what changed may send the form again.
      draft.version = changes.first?.id ?? draft.version
      return try await again(.conflict, changed: changes)
    }
    return .seeOther(Links.action(visit.workspace.slug, rules.key))
  }

  fileprivate static func view(
    of row: ActionRow?, _ draft: ActionDraft, _ names: RuleNames
  ) -> ActionView {
    ActionView(
      row: row, draft: draft,
      entitlements: names.entitlements.map { .init(key: $0.key, title: $0.title) }, mayEdit: true)
  }
}

enum ActionWithdrawalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.setWithdrawn(true)
  }
}

enum ActionRestorationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.setWithdrawn(false)
  }
}

/// What rules name: the workspace's tiers and entitlements.
struct RuleNames: Sendable {
  let tiers: [Tier]
  let entitlements: [Entitlement]

  static func load(_ visit: Visit) async throws -> RuleNames {
    async let tiers = Tier.all(in: visit.scope, visit.platform.pool)
    async let entitlements = Entitlement.all(in: visit.scope, visit.platform.pool)
    return RuleNames(tiers: try await tiers, entitlements: try await entitlements)
  }

  func title(of entitlement: String?) -> String? {
    entitlement.map { key in entitlements.first { $0.key == key }?.title ?? key }
  }
}

extension Visit {
  var language: Language { Language(operatorLocale: session.operator.locale) }

  /// A page that says why something was not done.
  func page(
    _ render: (Renderer, Frame) -> String, _ status: HTTPResponse.Status
  ) async throws -> Reply {
    var reply = try await page(render)
    reply.status = status
    return reply
  }

  fileprivate func actionKey() throws -> String {
    guard let key = inbound.parameters["action"], !key.contains("\0") else {
      throw Refusal.notFound
    }
    return key
  }

  fileprivate func action() async throws -> ActionRules {
    guard let rules = try await ActionRules.find(actionKey(), in: scope, platform.pool)
    else { throw Refusal.notFound }
    return rules
  }

  fileprivate func actionView(
    of rules: ActionRules, _ draft: ActionDraft, _ names: RuleNames
  ) async throws -> ActionView {
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let before = inbound.query["after"].flatMap { Int64($0) }
    var changes = try await AuditEntry.history(
      of: "action", rules.key, before: before, limit: Limits.ruleHistory + 1, in: scope,
      platform.pool)
    let hasMore = changes.count > Limits.ruleHistory
    if hasMore { changes.removeLast() }
    var view = ActionsController.view(of: ActionRow(rules, names, catalog), draft, names)
    view.mayEdit = membership.role >= .manager
    view.history = changes.map { RuleChange($0) }
    view.paging = Paging(
      nextCursor: hasMore ? changes.last.map { String($0.id) } : nil, isFirst: before == nil)
    return view
  }

  fileprivate func setWithdrawn(_ isWithdrawn: Bool) async throws -> Reply {
    let rules = try await action()
    try await ActionRules.setWithdrawn(
      isWithdrawn, rules.key, by: actor, in: scope, platform.pool)
    return .seeOther(Links.action(workspace.slug, rules.key))
  }
}
