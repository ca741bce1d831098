import Foundation

/// What stands in the form of an answer.
struct CreditAnswerForm: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable {
    case missing
    case tooLong = "too_long"
    case bot

    fileprivate var field: String { self == .bot ? "bot" : "text" }
  }

  /// Sent twice, the form says it once.
  var key: String
  /// `pt-br`.
  var language: String
  var text: String
  var botID: Int64?
  var problem: Problem?
}

/// The answer to "where did my credits go", ready to be copied or sent.
struct CreditAnswerView: Sendable, Equatable {
  struct Bot: Sendable, Equatable {
    var id: Int64
    var username: String
  }

  /// In which an answer can be proposed.
  static let languages = ["pt-br", "en", "es", "ru"]

  var customer: CustomerLabel
  /// Of the customer, as Telegram gave it; empty when it gave none.
  var languageCode: String
  /// Those that can speak to the customer, the likeliest first.
  var bots: [Bot]
  var form: CreditAnswerForm

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    let name = page.name(of: customer)
    let problem = form.problem.map { t[.init("credit_answer.problem_\($0.rawValue)")] }
    let problems = FormProblems(
      rows: form.problem.flatMap { kind in
        problem.map { [.init(field: kind.field, words: $0)] }
      } ?? [])
    return page.page(
      .creditAnswer, title: t("credit_answer.title", ["name": name]), place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)),
        (title: name, href: Links.customer(page.slug, customer.id)),
      ],
      [
        "action": .text(Links.creditAnswers(page.slug, customer.id)),
        "form_key": .text(form.key),
        "language": .text(form.language),
        "tabs": .records(Self.languages) { language in
          [
            "title": .text(page.buyerLanguage(language)),
            "href": .text(
              Links.with(
                Links.newCreditAnswer(page.slug, customer.id), [("language", language)])),
            "current": .flag(language == form.language),
          ]
        },
        "theirs": .text(
          languageCode.isEmpty
            ? t["credit_answer.language_unknown"]
            : t("credit_answer.language_known", ["code": languageCode])),
        "summary": problems.model,
        "text": .text(form.text),
        "text_problem": problems.words("text"),
        "bot_problem": problems.words("bot"),
        "bot": bots.count == 1 ? .text("@" + bots[0].username) : .none,
        "bots": bots.count < 2
          ? .none
          : .record([
            "choices": .records(bots) { bot in
              [
                "value": .text(String(bot.id)), "words": .text("@" + bot.username),
                "selected": .flag(bot.id == form.botID),
              ]
            }
          ]),
        "nobody": .flag(bots.isEmpty),
        "button": .text(t("credit_answer.send", ["name": name])),
      ])
  }
}
