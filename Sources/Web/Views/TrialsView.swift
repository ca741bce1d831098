import Foundation

/// Trial credits: the policy, how much of the day's credits is given, and every decision.
struct TrialsView: Sendable, Equatable {
  enum Outcome: String, Sendable, CaseIterable {
    case granted
    case hasCredits = "has_credits"
    case hasPurchased = "has_purchased"
    case dailyLimit = "daily_limit"
    case scoreTooLow = "score_too_low"
  }

  struct Row: Sendable, Equatable {
    var customer: CustomerLabel
    var at: Date
    var outcome: Outcome
    var credits: Int64
    var engagement: Int
    var intent: Int
    var source: String
    var isPaidSource: Bool
    var score: Int
    var minScore: Int
    var balance: Int64
    var held: Int64
    var givenToday: Int64
    var dailyLimit: Int64
  }

  /// The policy as it stands in the form.
  struct Draft: Sendable, Equatable {
    var credits: String
    var perDay: String
    var minScore: String
    var bonus: String
    /// One a line.
    var sources: String
    var version: Int64
    var problems: [FormProblem] = []
  }

  var givenToday: Int64
  var perDay: Int64
  var draft: Draft
  var isOpen = false
  var mayEdit: Bool
  var changedMeanwhile: [RuleChange] = []
  var rows: [Row]
  var paging = Paging()
  var history: [RuleChange] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let words = RuleWords(page: page)
    return page.page(
      .trials, title: t["nav.trials"], place: .trials,
      [
        "given": .text(format.number(givenToday)),
        "given_note": .text(t("trials.given_note", ["limit": format.credits(perDay)])),
        "facts": .list(facts(page)),
        "meanwhile": words.history(changedMeanwhile),
        "form": mayEdit ? .record(form(page)) : .none,
        "results": rows.isEmpty ? .none : .record(["rows": .records(rows) { $0.model(page) }]),
        "paging": paging.model(path: Links.trials(page.slug)),
        "history": words.history(history),
      ])
  }

  private func facts(_ page: PageContext) -> [TemplateValue] {
    let t = page.strings
    return [
      ("trials.credits", draft.credits), ("trials.per_day", draft.perDay),
      ("trials.min_score", draft.minScore), ("trials.bonus", draft.bonus),
      ("trials.sources", draft.sources.split(separator: "\n").joined(separator: ", ")),
    ].map { name, value in
      ["what": .text(t[.init(name)]), "value": .text(value.isEmpty ? "–" : value)]
    }
  }

  private func form(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    func number(_ id: String, _ key: String, _ value: String) -> FormField {
      FormField(
        id: id, label: t[.init("trials.\(key)")], hint: t[.init("trials.hint_\(key)")],
        value: value, kind: .text(max: 10, isNumber: true))
    }
    let fields = [
      number("credits", "credits", draft.credits), number("per_day", "per_day", draft.perDay),
      number("min_score", "min_score", draft.minScore), number("bonus", "bonus", draft.bonus),
      FormField(
        id: "sources", label: t["trials.sources"], hint: t["trials.hint_sources"],
        value: draft.sources, kind: .area(rows: 6, max: 4000)),
    ]
    return [
      "action": .text(Links.trials(page.slug)), "version": .text(String(draft.version)),
      "open": .flag(isOpen), "summary": draft.problems.summary(page, of: fields),
      "fields": .list(fields.map { .record($0.model(draft.problems, page)) }),
    ]
  }
}

extension TrialsView.Row {
  fileprivate func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let classes: [TrialsView.Outcome: String] = [.granted: "good", .dailyLimit: "bad"]
    let came = source.isEmpty ? t["trials.no_source"] : source
    return [
      "who": .record(page.customer(customer)), "time": format.time(at),
      "outcome": .text(t[.init("trials.outcome_\(outcome.rawValue)")]),
      "outcome_class": .text(classes[outcome] ?? "declined"),
      "credits": .text(credits > 0 ? format.signed(credits) : "0"),
      "score": .text(
        t("trials.score_of", ["score": String(score), "min": String(minScore)])),
      "factors": .text(
        t(
          "trials.factors", ["engagement": String(engagement), "intent": String(intent)])),
      "source": .text(came),
      "paid": isPaidSource ? .text(t["trials.paid"]) : .none,
      "had": .text(
        held > 0
          ? t("trials.had_held", ["n": format.number(balance), "held": format.number(held)])
          : format.number(balance)),
      "day": .text(
        t(
          "trials.day_of",
          ["given": format.number(givenToday), "limit": format.number(dailyLimit)])),
    ]
  }
}
