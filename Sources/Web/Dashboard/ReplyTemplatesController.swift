import EStars
import Foundation

/// Words that operators use again and again.
enum ReplyTemplatesController {
  @Sendable static func index(_ visit: Visit) async throws -> Reply {
    let own = BuyerLanguage(of: nil, else: visit.language == .ptBR ? "pt-BR" : "en")
    let templates = try await ReplyTemplate.all(in: visit.scope, visit.platform.pool)
    let view = ReplyTemplatesView(
      rows: templates.map { template in
        .init(
          key: template.key,
          title: template.words(in: own, else: own)?.words.title ?? template.key,
          languages: BuyerLanguage.allCases.filter { template.words[$0] != nil }.map(\.rawValue))
      }, mayEdit: visit.membership.role >= .manager)
    return try await visit.page(view.render)
  }

  @Sendable static func new(_ visit: Visit) async throws -> Reply {
    try await visit.page(ReplyTemplateView(nil, mayEdit: true).render)
  }

  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    let form = try visit.inbound.form()
    var view = ReplyTemplateView(nil, mayEdit: true)
    view.take(form, visit.inbound)
    view.typedKey = visit.inbound.words(form["key"])
    if !Typed.isKey(view.typedKey, max: 48) {
      view.problems.insert(.init(field: "key", kind: .form(.key(max: 48))), at: 0)
    }
    return try await visit.keep(&view, as: view.typedKey, isNew: true)
  }

  @Sendable static func show(_ visit: Visit) async throws -> Reply {
    try await visit.page(try await visit.replyTemplateView().render)
  }

  @Sendable static func update(_ visit: Visit) async throws -> Reply {
    var view = try await visit.replyTemplateView()
    view.take(try visit.inbound.form(), visit.inbound)
    return try await visit.keep(&view, as: view.key ?? "", isNew: false)
  }
}

enum ReplyTemplateRemovalController {
  @Sendable static func create(_ visit: Visit) async throws -> Reply {
    do {
      try await ReplyTemplate.remove(
        try visit.replyTemplateKey(), by: visit.actor, in: visit.scope, visit.platform.pool)
    } catch RuleRefusal.notFound { throw Refusal.notFound }
    return .seeOther(Done.templateRemoved.on(Links.replyTemplates(visit.workspace.slug)))
  }
}

extension ReplyTemplateView {
  /// - Parameter template: nil: an empty form.
  fileprivate init(_ template: ReplyTemplate?, mayEdit: Bool, history: [RuleChange] = []) {
    self.init(
      key: template?.key,
      words: BuyerLanguage.allCases.map { language in
        let known = template?.words[language]
        return Words(
          language: language.rawValue, title: known?.title ?? "", body: known?.body ?? "")
      }, mayEdit: mayEdit, history: history)
  }

  /// Takes what was typed and notes what is wrong with it. A language without words is left out.
  fileprivate mutating func take(_ form: [String: String], _ inbound: Inbound) {
    for index in words.indices {
      words[index].title = inbound.words(form[words[index].titleField])
      words[index].body = inbound.words(form[words[index].bodyField])
      let text = words[index]
      guard !text.title.isEmpty || !text.body.isEmpty else { continue }
      let found = [
        Typed.problem(
          with: text.title, in: text.titleField, max: Limits.replyTemplateTitleCharacters),
        Typed.problem(
          with: text.body, in: text.bodyField, max: Limits.replyTemplateCharacters),
      ].compactMap { $0 }
      problems += found.map { TemplateProblem(field: $0.field, kind: .form($0.kind)) }
      if let place = ReplyTemplate.unknownPlaces(in: text.body).first {
        problems.append(.init(field: text.bodyField, kind: .unknownPlace(place)))
      }
    }
    if words.allSatisfy({ $0.title.isEmpty && $0.body.isEmpty }), let first = words.first {
      problems.append(.init(field: first.titleField, kind: .form(.missing)))
    }
  }

  fileprivate func template(_ key: String) -> ReplyTemplate {
    var texts: [BuyerLanguage: ReplyTemplate.Words] = [:]
    for text in words where !text.body.isEmpty {
      guard let language = BuyerLanguage(rawValue: text.language) else { continue }
      texts[language] = .init(title: text.title, body: text.body)
    }
    return ReplyTemplate(key: key, words: texts)
  }
}

extension Visit {
  fileprivate func replyTemplateKey() throws -> String {
    guard let key = inbound.parameters["reply_template"], !key.contains("\0") else {
      throw Refusal.notFound
    }
    return key
  }

  fileprivate func replyTemplateView() async throws -> ReplyTemplateView {
    let key = try replyTemplateKey()
    guard let template = try await ReplyTemplate.find(key, in: scope, platform.pool) else {
      throw Refusal.notFound
    }
    let history = try await AuditEntry.history(
      of: "reply_template", key, limit: Limits.ruleHistory, in: scope, platform.pool)
    return ReplyTemplateView(
      template, mayEdit: membership.role >= .manager, history: history.map { RuleChange($0) })
  }

  fileprivate func keep(
    _ view: inout ReplyTemplateView, as key: String, isNew: Bool
  ) async throws -> Reply {
    if view.problems.isEmpty {
      do {
        try await view.template(key).keep(
          isNew: isNew, by: actor, in: scope, platform.pool)
        return .seeOther(Done.templateSaved.on(Links.replyTemplate(workspace.slug, key)))
      } catch RuleRefusal.taken {
        view.problems = [.init(field: "key", kind: .form(.taken))]
      } catch RuleRefusal.tooMany {
        view.problems = [
          .init(field: "key", kind: .form(.tooMany(max: EStars.Limits.replyTemplates)))
        ]
      } catch RuleRefusal.notFound { throw Refusal.notFound }
    }
    return try await page(view.render, .unprocessableContent)
  }
}
