import EStars
import Foundation

/// Ranks of customers, and the features that packs grant: what usage rules speak of.
enum TiersController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await visit.tiersView().render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    var draft = try TiersView.Draft(visit, tier: nil)
    if !Typed.isKey(draft.key, max: 32) {
      draft.problems.append(FormProblem(field: "key", kind: .key(max: 32)))
    }
    return try await visit.changeTiers(draft) { draft in
      try await Tier.create(
        key: draft.key, title: draft.title, entitlement: draft.entitlement, by: visit.actor,
        in: visit.scope, visit.platform.pool)
    }
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let key = visit.inbound.words(visit.inbound.parameters["tier"])
    let known = try await Tier.all(in: visit.scope, visit.platform.pool)
    guard let present = known.first(where: { $0.key == key }) else { throw Refusal.notFound }
    var draft = try TiersView.Draft(visit, tier: key)
    let place = Typed.whole(draft.place, 1...Int64(Limits.tiers))
    if !present.isBase, place == nil {
      draft.problems.append(
        FormProblem(field: "place", kind: .whole(min: 1, max: Int64(Limits.tiers))))
    }
    return try await visit.changeTiers(draft) { draft in
      try await Tier.edit(
        key, title: draft.title, entitlement: present.isBase ? nil : draft.entitlement,
        place: place.map(Int.init), by: visit.actor, in: visit.scope, visit.platform.pool)
    }
  }
}

enum TierRemovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let key = visit.inbound.words(visit.inbound.parameters["tier"])
    do {
      try await Tier.remove(key, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.inUse {
      var view = try await visit.tiersView()
      view.inUse = view.rows.first { $0.key == key }?.title ?? key
      return try await visit.page(view.render, .conflict)
    } catch RuleRefusal.notFound { throw Refusal.notFound }
    return .seeOther(Links.tiers(visit.workspace.slug))
  }
}

extension TiersView.Draft {
  fileprivate init(_ visit: Visit, tier: String?) throws {
    let form = try visit.inbound.form()
    self.init(
      tier: tier, key: visit.inbound.words(form["key"]), title: visit.inbound.words(form["title"]),
      entitlement: visit.inbound.words(form["entitlement"]),
      place: visit.inbound.words(form["place"]))
    if let problem = Typed.problem(with: title, in: "title", max: 40) { problems.append(problem) }
  }
}

extension Visit {
  fileprivate func tiersView() async throws -> TiersView {
    let names = try await RuleNames.load(self)
    let changes = try await AuditEntry.history(
      of: "tier", limit: Limits.ruleHistory, in: scope, platform.pool)
    var place = 0
    return TiersView(
      rows: names.tiers.map { tier in
        if !tier.isBase { place += 1 }
        return TiersView.Row(
          key: tier.key, title: tier.title, entitlement: tier.entitlement,
          place: tier.isBase ? 0 : place)
      },
      entitlements: names.entitlements.map { .init(key: $0.key, title: $0.title) },
      mayEdit: membership.role >= .manager,
      history: changes.map { RuleChange($0, showsSubject: true) })
  }

  fileprivate func changeTiers(
    _ draft: TiersView.Draft, _ change: (TiersView.Draft) async throws -> Void
  ) async throws -> Reply {
    var draft = draft
    if draft.problems.isEmpty {
      do {
        try await change(draft)
        return .seeOther(Links.tiers(workspace.slug))
      } catch RuleRefusal.taken {
        let field = draft.tier == nil ? "key" : "entitlement"
        draft.problems = [FormProblem(field: field, kind: .taken)]
      } catch RuleRefusal.unknownName {
        draft.problems = [FormProblem(field: "entitlement", kind: .gone)]
      } catch RuleRefusal.tooMany {
        draft.problems = [FormProblem(field: "key", kind: .tooMany(max: Limits.tiers))]
      } catch RuleRefusal.notFound { throw Refusal.notFound }
    }
    var view = try await tiersView()
    view.draft = draft
    return try await page(view.render, .unprocessableContent)
  }
}

enum EntitlementsController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await view(visit).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var draft = EntitlementsView.Draft(
      entitlement: nil, key: visit.inbound.words(form["key"]),
      title: visit.inbound.words(form["title"]))
    if let problem = Typed.problem(with: draft.title, in: "title", max: 60) {
      draft.problems.append(problem)
    }
    if !Typed.isKey(draft.key, max: 48) {
      draft.problems.append(FormProblem(field: "key", kind: .key(max: 48)))
    }
    if draft.problems.isEmpty {
      do {
        try await Entitlement.create(
          key: draft.key, title: draft.title, by: visit.actor, in: visit.scope,
          visit.platform.pool)
        return .seeOther(Links.entitlements(visit.workspace.slug))
      } catch RuleRefusal.taken {
        draft.problems = [FormProblem(field: "key", kind: .taken)]
      } catch RuleRefusal.tooMany {
        draft.problems = [FormProblem(field: "key", kind: .tooMany(max: Limits.entitlements))]
      }
    }
    return try await again(visit, draft)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let key = visit.inbound.words(visit.inbound.parameters["entitlement"])
    let title = visit.inbound.words(try visit.inbound.form()["title"])
    var draft = EntitlementsView.Draft(entitlement: key, title: title)
    let known = try await Entitlement.all(in: visit.scope, visit.platform.pool)
    guard known.contains(where: { $0.key == key }) else { throw Refusal.notFound }
    if let problem = Typed.problem(with: title, in: "title", max: 60) {
      draft.problems = [problem]
      return try await again(visit, draft)
    }
    do {
      try await Entitlement.rename(
        key, to: title, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.notFound { throw Refusal.notFound }
    return .seeOther(Links.entitlements(visit.workspace.slug))
  }

  private static func again(_ visit: Visit, _ draft: EntitlementsView.Draft) async throws -> Reply {
    var view = try await view(visit)
    view.draft = draft
    return try await visit.page(view.render, .unprocessableContent)
  }

  private static func view(_ visit: Visit) async throws -> EntitlementsView {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let names = try await RuleNames.load(visit)
    let actions = try await ActionRules.all(in: scope, pool)
    let changes = try await AuditEntry.history(
      of: "entitlement", limit: Limits.ruleHistory, in: scope, pool)
    return EntitlementsView(
      rows: names.entitlements.map { entitlement in
        let key = entitlement.key
        let asking = actions.filter {
          $0.withdrawnAt == nil
            && ($0.requiredEntitlement == key || $0.unmeteredEntitlement == key)
        }
        return EntitlementsView.Row(
          key: key, title: entitlement.title, packs: entitlement.packs,
          uses: asking.map(\.title)
            + names.tiers.filter { $0.entitlement == key }.map(\.title))
      }, mayEdit: visit.membership.role >= .manager,
      history: changes.map { RuleChange($0, showsSubject: true) })
  }
}
