import EStars
import Foundation

/// What bots say to users without credits.
enum PaywallController {
  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    let asked = visit.inbound.query["language"]
    let tag = asked.flatMap(PaywallText.tag)
    let own = PaywallText.tag(visit.workspace.locale) ?? "en"
    var view = try await visit.paywallView(in: tag ?? own)
    if let asked, tag == nil { view.badLanguage = asked }
    return try await visit.page(view.render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    let (state, language, form) = try visit.paywallForm()
    let body = visit.inbound.words(form["body"])
    var problem = Typed.problem(with: body, in: "body", max: Limits.paywallCharacters)
    if problem == nil {
      do {
        try await PaywallText.write(
          body, for: state, in: language, by: visit.actor, in: visit.scope, visit.platform.pool)
        return .seeOther(visit.paywall(in: language))
      } catch RuleRefusal.tooMany {
        problem = FormProblem(field: "body", kind: .tooMany(max: Limits.paywallLanguages))
      }
    }
    var view = try await visit.paywallView(in: language)
    if let index = view.texts.firstIndex(where: { $0.state.rawValue == state.rawValue }) {
      view.texts[index].typed = body
      view.texts[index].problems = problem.map { [$0] } ?? []
    }
    return try await visit.page(view.render, .unprocessableContent)
  }
}

enum PaywallResetController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let (state, language, _) = try visit.paywallForm()
    try await PaywallText.write(
      nil, for: state, in: language, by: visit.actor, in: visit.scope, visit.platform.pool)
    return .seeOther(visit.paywall(in: language))
  }
}

extension Visit {
  fileprivate func paywall(in language: String) -> String {
    Links.with(Links.paywall(workspace.slug), [("language", language)])
  }

  fileprivate func paywallForm() throws -> (PaywallState, String, [String: String]) {
    let form = try inbound.form()
    guard let state = form["state"].flatMap(PaywallState.init(rawValue:)),
      let language = form["language"].flatMap(PaywallText.tag)
    else { throw Refusal(.unprocessableContent, "state", "The form names no state or language.") }
    return (state, language, form)
  }

  fileprivate func paywallView(in language: String) async throws -> PaywallView {
    let own = try await PaywallText.all(in: scope, platform.pool)
    let catalog = try await Catalog.load(in: scope, platform.pool)
    let changes = try await AuditEntry.history(
      of: "paywall", limit: Limits.ruleHistory, in: scope, platform.pool)
    var languages = ["en", "pt-br", "es", "ru"]
    for tag in own.map(\.language) + [language] where !languages.contains(tag) {
      languages.append(tag)
    }
    return PaywallView(
      language: language, languages: languages,
      texts: PaywallState.allCases.map { state in
        let text = PaywallText.text(for: state, in: [language, workspace.locale], own: own)
        return PaywallView.Text(
          state: .init(rawValue: state.rawValue) ?? .waitBuyCredit, body: text.body,
          isOwn: own.contains { $0.state == state && $0.language == language },
          borrowedFrom: text.language == language ? nil : text.language)
      },
      packs: catalog.listed.filter { $0.audience != .admins }.map {
        .init(
          title: $0.title, stars: $0.stars, isFirstPurchaseOnly: $0.audience == .firstPurchase)
      },
      mayEdit: membership.role >= .manager,
      history: changes.map { RuleChange($0, showsSubject: true) })
  }
}
