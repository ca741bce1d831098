import Foundation

/// What a business is called, where its days begin, and what buyers hear when nobody can decide.
struct SettingsView: Sendable, Equatable {
  enum Policy: String, Sendable, CaseIterable { case accept, refuse }

  /// As they are, or as they were typed.
  struct Draft: Sendable, Equatable {
    var name: String
    /// `en`, `pt-BR`.
    var locale: String
    var timeZone: String
    var policy: String
    var version: Int64 = 0
  }

  static let locales = ["en", "pt-BR"]

  var draft: Draft
  var problems: [FormProblem] = []
  /// By name.
  var timeZones: [String]
  var rates: RatesLabel
  var mayEdit: Bool
  /// Whether saving is for both sides.
  var hasBothSides = false
  var history: [RuleChange] = []
  var changedMeanwhile: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let words = RuleWords(page: page)
    let t = page.strings
    let fields = fields(t)
    return page.page(
      .settings, title: t["nav.settings"], place: .settings,
      [
        "form": mayEdit
          ? .record([
            "action": .text(Links.settings(page.slug)), "version": .text(String(draft.version)),
            "summary": problems.summary(page, of: fields),
            "fields": .list(fields.map { .record($0.model(problems, page)) }),
            "sides": .text(t[hasBothSides ? "settings.both_sides" : "settings.one_side"]),
          ]) : .none,
        "facts": .records([
          ("settings.name", draft.name), ("settings.locale", t[localeKey(draft.locale)]),
          ("settings.time_zone", Self.zone(draft.timeZone)),
          ("settings.policy", t[.init("settings.policy_\(draft.policy)")]),
        ]) { ["what": .text(t[.init($0.0)]), "value": .text($0.1)] },
        "rates": .record(rates.model(page)),
        "onboarding": mayEdit ? .text(Links.onboarding(page.slug)) : .none,
        "meanwhile": words.history(changedMeanwhile),
        "history": words.history(history),
      ])
  }

  private func localeKey(_ locale: String) -> Strings.Key {
    .init("settings.locale_\(locale.lowercased().replacing("-", with: "_"))")
  }

  /// `America/Sao Paulo`
  private static func zone(_ name: String) -> String { name.replacing("_", with: " ") }

  private func fields(_ t: Strings) -> [FormField] {
    [
      FormField(
        id: "name", label: t["settings.name"], hint: t["settings.name_hint"], value: draft.name,
        kind: .text(max: 80)),
      FormField(
        id: "locale", label: t["settings.locale"], hint: t["settings.locale_hint"],
        value: draft.locale, kind: .choice(Self.locales.map { ($0, t[localeKey($0)]) })),
      FormField(
        id: "time_zone", label: t["settings.time_zone"], hint: t["settings.time_zone_hint"],
        value: draft.timeZone, kind: .choice(timeZones.map { ($0, Self.zone($0)) })),
      FormField(
        id: "policy", label: t["settings.policy"], hint: t["settings.policy_hint"],
        value: draft.policy,
        kind: .choice(
          Policy.allCases.map { ($0.rawValue, t[.init("settings.policy_\($0.rawValue)")]) })),
    ]
  }
}
