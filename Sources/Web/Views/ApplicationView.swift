import Foundation

/// What became of an application, behind the applicant's private link.
struct ApplicationView: Sendable, Equatable {
  enum Problem: Sendable, Equatable { case missing, tooLong, unconfirmed }

  var token: String
  var state: ApplicationState
  /// Read before others.
  var hasCode = false
  var receivedAt: Date?
  var decline: ApplicationDecline?
  var facts: ApplicationFacts?
  var talk: [ApplicationTalk] = []
  /// What was typed as an answer.
  var answer = ""
  var problem: Problem?
  var now: Date

  func render(in frame: SiteFrame) -> String {
    let t = frame.strings
    return frame.page(
      .application,
      .init(title: t["applied.title"], description: t["applied.title"], isPublic: false),
      model(PlainPage(renderer: frame.renderer, language: frame.language)))
  }

  private func model(_ page: PlainPage) -> [String: TemplateValue] {
    let t = page.strings
    let format = Formatting(strings: t, timeZone: .gmt, now: now)
    let path = Links.application(token)
    return [
      "state": .text(state.words(t)), "state_class": .text(state.model),
      "received": .optional(receivedAt) { ["time": format.time($0)] },
      "what_next": .text(next(t)),
      "reason": .optional(decline.map { $0.words(t) }),
      "talk": talk.isEmpty
        ? .none
        : .record(["rows": .records(talk) { $0.model(t, format, isForApplicant: true) }]),
      "answer": state == .asked ? .record(answerForm(page, path)) : .none,
      "kept": .optional(facts) { ["rows": $0.model(t, format)] },
      "removal": facts == nil
        ? .none
        : .record([
          "action": .text(path + "/removal"), "open": .flag(problem == .unconfirmed),
          "problem": problem == .unconfirmed ? .text(t["applied.confirm"]) : .none,
        ]),
    ]
  }

  private func next(_ t: Strings) -> String {
    switch state {
    case .received: t[hasCode ? "applied.next_code" : "applied.next_received"]
    case .asked: t["applied.next_asked"]
    case .approved: t["applied.next_approved"]
    case .declined: t["applied.next_declined"]
    }
  }

  private func answerForm(_ page: PlainPage, _ path: String) -> [String: TemplateValue] {
    let t = page.strings
    let problems: [FormProblem] =
      switch problem {
      case .missing: [FormProblem(field: "body", kind: .missing)]
      case .tooLong: [FormProblem(field: "body", kind: .tooLong(max: 2000))]
      case .unconfirmed, nil: []
      }
    let field = FormField(
      id: "body", label: t["applied.answer"], value: answer, kind: .area(rows: 4, max: 2000))
    return [
      "action": .text(path + "/answer"), "summary": page.summary(problems, of: [field]),
      "fields": .list([page.field(field, problems)]),
    ]
  }
}
