import Foundation

enum MessageState: String, Sendable, CaseIterable {
  case due, sent, failed, blocked, dropped

  var dot: String {
    switch self {
    case .due: "requested"
    case .sent: "good"
    case .failed, .blocked: "bad"
    case .dropped: "ended"
    }
  }
}

/// A message of a bot and what became of it.
struct MessageRow: Sendable, Equatable {
  /// Why it did not arrive, by eStars' own account; anything else is Telegram's words.
  enum Problem: Sendable, Equatable {
    enum Code: String, Sendable, CaseIterable {
      case noAnswer = "no_answer", notReached = "not_reached", token, noChat = "no_chat"
    }

    case code(Code)
    case telegram(String)
  }

  var state: MessageState
  var problem: Problem?
  var at: Date
  /// Empty: a rule did.
  var askedBy = ""

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "state": .text(t[.init("message_state.\(state.rawValue)")]),
      "state_class": .text(state.dot),
      "time": page.format.time(at),
      "asked": askedBy.isEmpty ? .none : .text(askedBy),
      "problem": .optional(problem.map { words($0, t) }),
    ]
  }

  private func words(_ problem: Problem, _ t: Strings) -> String {
    switch problem {
    case .code(let code): t[.init("message_problem.\(code.rawValue)")]
    case .telegram(let words): t("message_problem.telegram", ["words": words])
    }
  }
}
