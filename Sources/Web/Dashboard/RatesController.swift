import EStars
import Foundation
import HTTPTypes

/// What Stars bring and credits cost.
enum RatesController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let version = try await Rates.version(in: visit.scope, visit.platform.pool)
    let rates = try await Rates.of(visit.scope, visit.platform.pool)
    var view = try await visit.ratesView(
      RatesView.Draft(rates, version: version, visit.language), rates)
    view.wasSaved = visit.inbound.query["saved"] != nil
    return try await visit.page(view.render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    let present = try await Rates.of(visit.scope, visit.platform.pool)
    var draft = RatesView.Draft(visit.inbound, form)
    var problems: [FormProblem] = []
    let rates = draft.rates(&problems)
    func again(
      _ status: HTTPResponse.Status, changed: [AuditEntry] = []
    ) async throws -> Reply {
      var view = try await visit.ratesView(draft, problems.isEmpty ? rates : present)
      view.problems = problems
      view.isTrial = problems.isEmpty
      view.changedMeanwhile = changed.map { RuleChange($0) }
      return try await visit.page(view.render, status)
    }
    guard problems.isEmpty else { return try await again(.unprocessableContent) }
    if form["calculate"] != nil { return try await again(.ok) }
    do {
      try await Rates.change(
        to: rates, madeFrom: draft.version, by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.changed {
      let changes = try await visit.ratesHistory().filter { $0.id > draft.version }
      // Whoever has read what changed may send the form again.
      draft.version = changes.first?.id ?? draft.version
      return try await again(.conflict, changed: changes)
    }
    try await visit.settleOtherSide(rates)
    return .seeOther(Links.with(Links.rates(visit.workspace.slug), [("saved", "1")]))
  }
}

extension RatesView.Draft {
  init(_ rates: Rates, version: Int64, _ language: Language) {
    func typed(_ micros: Int64) -> String {
      let text = ActionRules.decimal(micros: micros)
      return language == .ptBR ? text.replacing(".", with: ",") : text
    }
    self.init(
      usd: typed(rates.usdMicrosPer100Stars), currency: rates.currency,
      fx: typed(rates.currencyMicrosPerUSD), cost: typed(rates.creditCostMicros),
      version: version)
  }

  init(_ inbound: Inbound, _ form: [String: String]) {
    self.init(
      usd: inbound.words(form["usd"]), currency: inbound.words(form["currency"]).uppercased(),
      fx: inbound.words(form["fx"]), cost: inbound.words(form["cost"]),
      version: form["version"].flatMap { Int64($0) } ?? 0)
  }

  /// The rates that the form describes; they mean nothing where there are problems.
  func rates(_ problems: inout [FormProblem]) -> Rates {
    var found: [FormProblem] = []
    func micros(_ text: String, _ field: String, _ range: ClosedRange<Int64>) -> Int64 {
      if let value = Typed.micros(text, max: range.upperBound), range.contains(value) {
        return value
      }
      found.append(FormProblem(field: field, kind: range.contains(0) ? .cost : .rate))
      return range.lowerBound
    }
    let rates = Rates(
      currency: currency, usdMicrosPer100Stars: micros(usd, "usd", Rates.usdRange),
      currencyMicrosPerUSD: micros(fx, "fx", Rates.currencyRange),
      creditCostMicros: micros(cost, "cost", Rates.costRange))
    if !Rates.isCurrency(currency) { found.append(FormProblem(field: "currency", kind: .currency)) }
    problems += found
    return rates
  }
}

extension Visit {
  /// The other side gets the first rates of a business as well. From then on it has its own.
  fileprivate func settleOtherSide(_ rates: Rates) async throws {
    guard let twin = try await ownedTwin() else { return }
    try await Rates.begin(with: rates, on: twin, by: actor, platform.pool)
  }

  fileprivate func ratesHistory() async throws -> [AuditEntry] {
    try await AuditEntry.history(
      of: "rates", limit: Limits.ruleHistory, in: scope, platform.pool)
  }

  /// - Parameter rates: what the figures are computed with.
  fileprivate func ratesView(
    _ draft: RatesView.Draft, _ rates: Rates
  ) async throws -> RatesView {
    let packs = try await PackRules.all(in: scope, platform.pool)
    return RatesView(
      draft: draft, rates: RatesLabel(rates),
      rows: packs.filter { $0.withdrawnAt == nil }.map { PackRow($0, at: rates) },
      mayEdit: membership.role >= .owner,
      history: try await ratesHistory().map { RuleChange($0) })
  }
}
