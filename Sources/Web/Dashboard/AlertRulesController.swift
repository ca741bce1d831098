import EStars
import Foundation
import HTTPTypes

/// What operators want to hear of.
enum AlertRulesController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    var view = try await visit.alertRulesView()
    view.saved = visit.inbound.query["saved"].flatMap(AlertKind.init(name:))
    return try await visit.page(view.render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let kind = try visit.alertKind()
    let form = try visit.inbound.form()
    var rule = AlertRule(kind: kind)
    rule.isOn = form["is_on"] != nil
    rule.inChat = form["in_chat"] != nil
    if kind.measure != nil {
      let typed = visit.inbound.words(form["threshold"])
      rule.threshold = Typed.whole(typed, kind.thresholds)
      // Where there is no usual one, none is a way to say that nobody wants to hear of it.
      guard rule.threshold != nil || typed.isEmpty && kind.needsThreshold else {
        var view = try await visit.alertRulesView()
        guard let index = view.rows.firstIndex(where: { $0.kind.name == kind.rawValue }) else {
          throw Refusal.notFound
        }
        view.rows[index].threshold = typed
        (view.rows[index].isOn, view.rows[index].inChat) = (rule.isOn, rule.inChat)
        view.rows[index].problems = [
          FormProblem(
            field: "threshold",
            kind: .whole(min: kind.thresholds.lowerBound, max: kind.thresholds.upperBound))
        ]
        return try await visit.page(view.render, .unprocessableContent)
      }
    }
    try await rule.keep(by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(
      Links.with(Links.alertRules(visit.workspace.slug), [("saved", kind.rawValue)]))
  }
}

/// Keeping a kind out of the chats for a time.
enum AlertMuteController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let kind = try visit.alertKind()
    let hours = try visit.inbound.form()["hours"].flatMap { Int($0) }
    guard let hours, hours == 0 || MuteForm.hours.contains(hours) else {
      throw Refusal(
        .unprocessableContent, "hours", "Choose one of the times on the page and send it again.")
    }
    let until = hours == 0 ? nil : visit.scope.now.addingTimeInterval(Double(hours) * 3_600)
    try await AlertRule.mute(
      kind, until: until, by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(
      Links.with(Links.alertRules(visit.workspace.slug), [("saved", kind.rawValue)]))
  }
}

extension Visit {
  fileprivate func alertKind() throws -> Alert.Kind {
    guard let kind = inbound.parameters["kind"].flatMap(Alert.Kind.init(rawValue:)) else {
      throw Refusal.notFound
    }
    return kind
  }

  fileprivate func alertRulesView() async throws -> AlertRulesView {
    let rules = try await AlertRule.all(in: scope, platform.pool)
    let changes = try await AuditEntry.history(
      of: "alert_rule", limit: Limits.ruleHistory, in: scope, platform.pool)
    let t = server.pages.renderer.strings(language)
    return AlertRulesView(
      rows: rules.compactMap { rule in
        AlertKind(name: rule.kind.rawValue).map { kind in
          .init(
            kind: kind, isOn: rule.isOn, inChat: rule.inChat,
            measure: rule.kind.measure.flatMap { .init(rawValue: $0.rawValue) },
            threshold: rule.limit.map(String.init) ?? "",
            mutedUntil: rule.isMuted(at: scope.now) ? rule.mutedUntil : nil)
        }
      },
      mayEdit: membership.role >= .manager,
      history: changes.map { change in
        var row = RuleChange(change)
        row.subject = AlertKind(name: change.subject)?.title(t) ?? change.subject
        return row
      })
  }
}
