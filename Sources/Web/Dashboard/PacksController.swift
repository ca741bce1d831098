import EStars
import Foundation
import HTTPTypes

/// The catalogue: packs with their prices, margins and discounts.
enum PacksController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let rates = try await Rates.of(visit.scope, visit.platform.pool)
    let packs = try await PackRules.all(in: visit.scope, visit.platform.pool)
    let view = PacksView(
      rows: packs.map { PackRow($0, at: rates) }, rates: RatesLabel(rates),
      mayEdit: visit.membership.role >= .manager)
    return try await visit.page(view.render)
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    let desk = try await PackDesk.load(visit)
    return try await visit.page(desk.view(PackDraft(desk.features)).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let desk = try await PackDesk.load(visit)
    let form = try visit.inbound.form()
    let draft = PackDraft(form, nil, desk.features)
    var problems: [FormProblem] = []
    let rules = draft.rules(&problems, desk.units)
    func again(_ status: HTTPResponse.Status) async throws -> Reply {
      try await visit.page(desk.view(draft, rules, problems).render, status)
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    if form["calculate"] != nil { return try await again(.ok) }
    do {
      try await PackRules.create(
        rules, reason: draft.reason, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.taken {
      problems = [FormProblem(field: "sku", kind: .taken)]
      return try await again(.unprocessableContent)
    } catch RuleRefusal.unknownName {
      problems = [FormProblem(field: "title", kind: .gone)]
      return try await again(.unprocessableContent)
    } catch RuleRefusal.tooMany {
      problems = [FormProblem(field: "sku", kind: .tooMany(max: Limits.packs))]
      return try await again(.unprocessableContent)
    }
    return .seeOther(Links.pack(visit.workspace.slug, rules.sku))
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let desk = try await PackDesk.load(visit)
    return try await visit.page(try await desk.view(visit).render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let desk = try await PackDesk.load(visit)
    let present = try desk.pack
    let form = try visit.inbound.form()
    var draft = PackDraft(form, present, desk.features)
    var problems: [FormProblem] = []
    let rules = draft.rules(&problems, desk.units)
    func again(
      _ status: HTTPResponse.Status, changed: [AuditEntry] = []
    ) async throws -> Reply {
      var view = try await desk.view(visit, draft, rules, problems)
      view.changedMeanwhile = changed.map { RuleChange($0) }
      return try await visit.page(view.render, status)
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    if form["calculate"] != nil { return try await again(.ok) }
    do {
      try await PackRules.edit(
        rules, madeFrom: draft.version, reason: draft.reason, by: visit.actor, in: visit.scope,
        visit.platform.pool)
    } catch RuleRefusal.notFound {
      throw Refusal.notFound
    } catch RuleRefusal.unknownName {
      problems = [FormProblem(field: "title", kind: .gone)]
      return try await again(.unprocessableContent)
    } catch RuleRefusal.changed {
      let changes = try await AuditEntry.history(
        of: "pack", rules.sku, limit: Limits.ruleHistory, in: visit.scope, visit.platform.pool
      ).filter { $0.id > draft.version }
      // Whoever has read what changed may send the form again.
      draft.version = changes.first?.id ?? draft.version
      return try await again(.conflict, changed: changes)
    }
    return .seeOther(Links.pack(visit.workspace.slug, rules.sku))
  }
}

enum PackWithdrawalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.changePack {
      try await PackRules.setWithdrawn(
        true, $0, by: visit.actor, in: visit.scope, visit.platform.pool)
    }
  }
}

enum PackRestorationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.changePack {
      try await PackRules.setWithdrawn(
        false, $0, by: visit.actor, in: visit.scope, visit.platform.pool)
    }
  }
}

/// Cheaper copies of a pack.
enum DiscountsController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let desk = try await PackDesk.load(visit)
    let pack = try desk.pack
    let typed = visit.inbound.words(try visit.inbound.form()["percent"])
    var problem = FormProblem(field: "percent", kind: .whole(min: 1, max: 90))
    if let percent = Typed.whole(typed, 1...90) {
      do {
        try await PackRules.addDiscount(
          percent: Int(percent), to: pack.sku, by: visit.actor, in: visit.scope,
          visit.platform.pool)
        return .seeOther(Links.pack(visit.workspace.slug, pack.sku))
      } catch RuleRefusal.taken {
        problem.kind = .taken
      } catch RuleRefusal.tooMany {
        problem.kind = .tooMany(max: Limits.packDiscounts)
      } catch RuleRefusal.notFound { throw Refusal.notFound }
    }
    var view = try await desk.view(visit)
    view.discount = typed
    view.discountProblems = [problem]
    return try await visit.page(view.render, .unprocessableContent)
  }
}

enum DiscountWithdrawalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.setDiscountWithdrawn(true)
  }
}

enum DiscountRestorationController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    try await visit.setDiscountWithdrawn(false)
  }
}

/// What the page of a pack is made from.
private struct PackDesk: Sendable {
  /// nil: a new one is being made, or there is none of that sku.
  let present: PackRules?
  /// The number of its latest change.
  let version: Int64
  let rates: Rates
  let features: [Entitlement]
  let units: [CreditUnit]
  let mayEdit: Bool

  static func load(_ visit: Visit) async throws -> PackDesk {
    let (scope, pool) = (visit.scope, visit.platform.pool)
    let sku = visit.inbound.parameters["sku"].flatMap { $0.contains("\0") ? nil : $0 }
    async let rates = Rates.of(scope, pool)
    async let features = Entitlement.all(in: scope, pool)
    async let units = CreditUnit.all(in: scope, pool)
    var (version, present): (Int64, PackRules?) = (0, nil)
    if let sku {
      // The version first: a change in between makes the form stale, never blind.
      version = try await PackRules.version(of: sku, in: scope, pool)
      present = try await PackRules.find(sku, in: scope, pool)
    }
    return PackDesk(
      present: present, version: version, rates: try await rates, features: try await features,
      units: try await units, mayEdit: visit.membership.role >= .manager)
  }

  /// - Throws: ``Refusal`` where there is none.
  var pack: PackRules {
    get throws {
      guard let present else { throw Refusal.notFound }
      return present
    }
  }

  /// - Parameter rules: what the form describes; nil: the pack as it is.
  func view(
    _ draft: PackDraft, _ rules: PackRules? = nil, _ problems: [FormProblem] = []
  ) -> PackView {
    var figures: [MarginFigures] = []
    let priced = ["stars", "credits", "bonus"]
    if var rules, !problems.contains(where: { priced.contains($0.field) }) {
      rules.follow(present)
      figures = MarginFigures.all(of: rules, at: rates)
    }
    return PackView(
      row: present.map { PackRow($0, at: rates) }, draft: draft, problems: problems,
      rates: RatesLabel(rates), figures: figures,
      units: units.map { .init(number: String($0.number), name: $0.name) }, mayEdit: mayEdit,
      isTrial: !figures.isEmpty)
  }

  func view(
    _ visit: Visit, _ draft: PackDraft? = nil, _ rules: PackRules? = nil,
    _ problems: [FormProblem] = []
  ) async throws -> PackView {
    let pack = try pack
    let before = visit.inbound.query["after"].flatMap { Int64($0) }
    var changes = try await AuditEntry.history(
      of: "pack", pack.sku, before: before, limit: Limits.ruleHistory + 1, in: visit.scope,
      visit.platform.pool)
    let hasMore = changes.count > Limits.ruleHistory
    if hasMore { changes.removeLast() }
    var view = view(
      draft ?? PackDraft(pack, version: version, features), rules, problems)
    view.history = changes.map { RuleChange($0) }
    view.paging = Paging(
      nextCursor: hasMore ? changes.last.map { String($0.id) } : nil, isFirst: before == nil)
    return view
  }
}

extension Visit {
  fileprivate func changePack(_ change: (String) async throws -> Void) async throws -> Reply {
    let sku = inbound.words(inbound.parameters["sku"])
    do { try await change(sku) } catch RuleRefusal.notFound { throw Refusal.notFound }
    return .seeOther(Links.pack(workspace.slug, sku))
  }

  fileprivate func setDiscountWithdrawn(_ isWithdrawn: Bool) async throws -> Reply {
    guard let percent = inbound.parameters["percent"].flatMap({ Int($0) }) else {
      throw Refusal.notFound
    }
    return try await changePack {
      try await PackRules.setDiscountWithdrawn(
        isWithdrawn, percent: percent, of: $0, by: actor, in: scope, platform.pool)
    }
  }
}
