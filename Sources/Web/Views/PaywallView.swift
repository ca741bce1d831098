import Foundation

/// What bots say to users without credits, in one language at a time.
struct PaywallView: Sendable, Equatable {
  enum State: String, Sendable, CaseIterable {
    case waitFirstPurchase = "wait_first_purchase"
    case waitBuyCredit = "wait_buy_credit"
  }

  struct Text: Sendable, Equatable {
    var state: State
    /// What a user reads now.
    var body: String
    /// Whether the operator wrote it.
    var isOwn: Bool
    /// The language it comes from, where this one has no words.
    var borrowedFrom: String?
    /// What was typed, where it could not be kept.
    var typed: String?
    var problems: [FormProblem] = []
  }

  struct Pack: Sendable, Equatable {
    var title: String
    var stars: Int64
    var isFirstPurchaseOnly: Bool
  }

  /// Telegram's spelling: `pt-br`.
  var language: String
  /// Those that have words, ours or the operator's.
  var languages: [String]
  var texts: [Text]
  var packs: [Pack]
  var mayEdit: Bool
  /// What was typed as another language, which is none.
  var badLanguage: String?
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let path = Links.paywall(page.slug)
    return page.page(
      .paywall, title: t["nav.paywall"], place: .paywall,
      [
        "tabs": .records(languages) { language in
          [
            "title": .text(name(of: language, page)),
            "href": .text(Links.with(path, [("language", language)])),
            "current": .flag(language == self.language),
          ]
        },
        "texts": .records(texts) { model($0, page) },
        "other": mayEdit ? .record(other(page)) : .none,
        "history": RuleWords(page: page).history(history),
      ])
  }

  /// `Português (Brasil)`, or the tag where it has no name.
  private func name(of language: String, _ page: PageContext) -> String {
    let locale = page.frame.language.locale
    return locale.localizedString(forIdentifier: language)?.capitalizedFirst ?? language
  }

  private func model(_ text: Text, _ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let prefix = "\(text.state.rawValue)-"
    let offered = packs.filter { text.state == .waitFirstPurchase || !$0.isFirstPurchaseOnly }
    let field = FormField(
      id: "body", label: t["paywall.body"], hint: t["paywall.body_hint"],
      value: text.typed ?? text.body, kind: .area(rows: 4, max: 1000), prefix: prefix)
    return [
      "id": .text(text.state.rawValue), "state": .text(text.state.rawValue),
      "language": .text(language),
      "name": .text(t[.init("paywall.\(text.state.rawValue)")]),
      "about": .text(t[.init("paywall.about_\(text.state.rawValue)")]),
      "whose": .text(t[text.isOwn ? "paywall.own" : "paywall.ours"]),
      "whose_class": .text(text.isOwn ? "good" : "declined"),
      "borrowed": .optional(
        text.borrowedFrom.map { t("paywall.borrowed", ["language": name(of: $0, page)]) }),
      "body": .text(text.body),
      "packs": .records(offered) {
        ["words": .text("\($0.title) · \(format.stars($0.stars))")]
      },
      "form": mayEdit
        ? .record([
          "action": .text(Links.paywall(page.slug)),
          "open": .flag(!text.problems.isEmpty),
          "summary": text.problems.summary(page, of: [field], prefix: prefix),
          "fields": .list([.record(field.model(text.problems, page))]),
          "reset": text.isOwn ? .text(Links.paywall(page.slug) + "/reset") : .none,
        ]) : .none,
    ]
  }

  private func other(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let problems =
      badLanguage == nil ? [] : [FormProblem(field: "language", kind: .language)]
    let field = FormField(
      id: "language", label: t["paywall.other"], hint: t["paywall.other_hint"],
      value: badLanguage ?? "", kind: .text(max: 12))
    return [
      "action": .text(Links.paywall(page.slug)),
      "fields": .list([.record(field.model(problems, page))]),
    ]
  }
}
