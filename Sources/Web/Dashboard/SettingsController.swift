import EStars
import Foundation
import HTTPTypes

/// What a business is called, its language and its time zone.
enum SettingsController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let version = try await WorkspaceSettings.version(in: visit.scope, visit.platform.pool)
    let draft = SettingsView.Draft(WorkspaceSettings(visit.workspace), version: version)
    return try await visit.page(try await visit.settingsView(draft).render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    var draft = SettingsView.Draft(visit.inbound, try visit.inbound.form())
    var problems: [FormProblem] = []
    func again(
      _ status: HTTPResponse.Status, changed: [AuditEntry] = []
    ) async throws -> Reply {
      var view = try await visit.settingsView(draft)
      view.problems = problems
      view.changedMeanwhile = changed.map { RuleChange($0) }
      return try await visit.page(view.render, status)
    }
    let policy = Workspace.OutagePolicy(rawValue: draft.policy)
    if policy == nil { problems.append(FormProblem(field: "policy", kind: .gone)) }
    let settings = WorkspaceSettings(
      name: draft.name, locale: draft.locale, timeZone: draft.timeZone,
      preCheckoutOutagePolicy: policy ?? .accept)
    do {
      guard problems.isEmpty else { return try await again(.unprocessableContent) }
      try await WorkspaceSettings.change(
        to: settings, madeFrom: draft.version,
        on: [visit.workspace] + [try await visit.ownedTwin()].compactMap(\.self),
        by: visit.actor, visit.platform)
    } catch let refusal as WorkspaceSettings.Refusal {
      switch refusal {
      case .name:
        let max = Limits.workspaceNameCharacters
        problems.append(FormProblem(field: "name", kind: .name(max: max)))
      case .locale: problems.append(FormProblem(field: "locale", kind: .gone))
      case .timeZone: problems.append(FormProblem(field: "time_zone", kind: .gone))
      case .changed:
        let changes = try await visit.settingsHistory().filter { $0.id > draft.version }
        // Whoever has read what changed may send the form again.
        draft.version = changes.first?.id ?? draft.version
        return try await again(.conflict, changed: changes)
      }
      return try await again(.unprocessableContent)
    }
    return .seeOther(Done.settings.on(Links.settings(visit.workspace.slug)))
  }
}

extension SettingsView.Draft {
  init(_ settings: WorkspaceSettings, version: Int64) {
    self.init(
      name: settings.name, locale: settings.locale, timeZone: settings.timeZone,
      policy: settings.preCheckoutOutagePolicy.rawValue, version: version)
  }

  init(_ inbound: Inbound, _ form: [String: String]) {
    self.init(
      name: inbound.words(form["name"]), locale: inbound.words(form["locale"]),
      timeZone: inbound.words(form["time_zone"]), policy: inbound.words(form["policy"]),
      version: form["version"].flatMap { Int64($0) } ?? 0)
  }
}

extension Visit {
  fileprivate func settingsHistory() async throws -> [AuditEntry] {
    try await AuditEntry.history(
      of: "settings", limit: Limits.ruleHistory, in: scope, platform.pool)
  }

  fileprivate func settingsView(_ draft: SettingsView.Draft) async throws -> SettingsView {
    let present = workspace.timeZone.identifier
    let zones = WorkspaceSettings.timeZones
    let mayEdit = membership.role >= .owner
    return SettingsView(
      draft: draft, timeZones: zones.contains(present) ? zones : [present] + zones,
      rates: RatesLabel(try await Rates.of(scope, platform.pool)), mayEdit: mayEdit,
      hasBothSides: mayEdit ? try await ownedTwin() != nil : false,
      history: try await settingsHistory().map { RuleChange($0) })
  }
}
