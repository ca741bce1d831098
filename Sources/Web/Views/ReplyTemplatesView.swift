import Foundation

/// The words that operators use again and again.
struct ReplyTemplatesView: Sendable, Equatable {
  struct Row: Sendable, Equatable {
    var key: String
    var title: String
    /// Tags such as `pt-br`.
    var languages: [String]
  }

  var rows: [Row]
  var mayEdit: Bool

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .replyTemplates, title: t["reply_templates.title"], place: .support,
      trail: [(title: t["nav.support"], href: Links.supportCases(page.slug))],
      [
        "new": mayEdit ? .text(Links.newReplyTemplate(page.slug)) : .none,
        "results": rows.isEmpty
          ? .none
          : .record([
            "rows": .records(rows) { row in
              [
                "href": .text(Links.replyTemplate(page.slug, row.key)), "name": .text(row.title),
                "key": .text(row.key),
                "languages": .text(
                  row.languages.map(page.buyerLanguage).joined(separator: ", ")),
              ]
            }
          ]),
      ])
  }
}

/// One template in all its languages: to read, to write and to take away.
struct ReplyTemplateView: Sendable, Equatable {
  struct Words: Sendable, Equatable {
    /// A tag such as `pt-br`.
    var language: String
    var title = ""
    var body = ""

    /// The id of a field, in which a hyphen may stand.
    var titleField: String { "title-\(language)" }
    var bodyField: String { "body-\(language)" }
  }

  /// nil: a new one.
  var key: String?
  /// What was typed for the key of a new one.
  var typedKey = ""
  /// One for each language that buyers are spoken to in.
  var words: [Words]
  /// Names that stand in braces and are filled in.
  static let places = ["name", "balance", "credits_answer"]
  var problems: [TemplateProblem] = []
  var mayEdit: Bool
  var history: [RuleChange] = []

  /// What is wrong with a field of a template.
  struct TemplateProblem: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
      case form(FormProblem.Kind)
      /// Braces around something that nothing fills.
      case unknownPlace(String)
    }

    var field: String
    var kind: Kind

    func words(_ page: PageContext) -> String {
      switch kind {
      case .form(let kind): FormProblem(field: field, kind: kind).words(page)
      case .unknownPlace(let name):
        page.strings("reply_templates.unknown_place", ["place": "{\(name)}"])
      }
    }
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    // The reader's language first.
    let own = frame.language == .ptBR ? "pt-br" : "en"
    let title =
      key == nil
      ? t["reply_templates.new"]
      : (words.first { $0.language == own && !$0.title.isEmpty }
        ?? words.first { !$0.title.isEmpty })?.title ?? key ?? ""
    return page.page(
      .replyTemplate, title: title, place: .support,
      trail: [
        (title: t["nav.support"], href: Links.supportCases(page.slug)),
        (title: t["reply_templates.title"], href: Links.replyTemplates(page.slug)),
      ],
      [
        "form": mayEdit ? .record(form(page)) : .none,
        "texts": mayEdit ? .none : .list(texts(page)),
        "places": .records(Self.places) { place in
          [
            "place": .text("{\(place)}"),
            "words": .text(t[.init("reply_templates.place_\(place)")]),
          ]
        },
        "removal": mayEdit && key != nil
          ? .text(Links.replyTemplate(page.slug, key ?? "") + "/removal") : .none,
        "history": RuleWords(page: page).history(history),
      ])
  }

  private func texts(_ page: PageContext) -> [TemplateValue] {
    words.filter { !$0.body.isEmpty }.map { text in
      [
        "language": .text(page.buyerLanguage(text.language)), "name": .text(text.title),
        "body": .text(text.body),
      ]
    }
  }

  private func form(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let keyField =
      key == nil
      ? [
        FormField(
          id: "key", label: t["reply_templates.key"], hint: t["reply_templates.key_hint"],
          value: typedKey, kind: .text(max: 48))
      ] : []
    let groups = words.map { text in
      (
        name: page.buyerLanguage(text.language),
        fields: [
          FormField(
            id: text.titleField, label: t["reply_templates.name"], value: text.title,
            kind: .text(max: 60)),
          FormField(
            id: text.bodyField, label: t["reply_templates.body"], value: text.body,
            kind: .area(rows: 4, max: 3000)),
        ]
      )
    }
    let labels = Dictionary(
      keyField.map { ($0.id, $0.label) }
        + groups.flatMap { group in
          group.fields.map { ($0.id, "\(group.name), \($0.label)") }
        }
    ) { first, _ in first }
    return [
      "action": .text(
        key.map { Links.replyTemplate(page.slug, $0) } ?? Links.replyTemplates(page.slug)),
      "summary": problems.isEmpty
        ? .none
        : .record([
          "rows": .records(problems) { problem in
            [
              "href": .text("#" + problem.field),
              "words": .text(
                (labels[problem.field].map { $0 + ": " } ?? "") + problem.words(page)),
            ]
          }
        ]),
      "key_fields": .records(keyField) { model($0, page) },
      "groups": .records(groups) { group in
        [
          "language": .text(group.name), "fields": .records(group.fields) { model($0, page) },
        ]
      },
    ]
  }

  private func model(_ field: FormField, _ page: PageContext) -> [String: TemplateValue] {
    var model = field.model([], page)
    guard let problem = problems.first(where: { $0.field == field.id }) else { return model }
    model["problem"] = .text(problem.words(page))
    let described = [field.hint.map { _ in "\(field.id)-hint" }, "\(field.id)-problem"]
    model["described"] = .text(described.compactMap { $0 }.joined(separator: " "))
    return model
  }
}
