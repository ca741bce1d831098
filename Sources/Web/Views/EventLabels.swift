import Foundation

/// What became of an event.
enum EventState: String, Sendable, CaseIterable {
  case pending, delivered, failed, skipped

  /// The dot beside the word.
  var dot: String {
    switch self {
    case .pending: "requested"
    case .delivered: "good"
    case .failed: "failed"
    case .skipped: "declined"
    }
  }
}

/// Why a server gave no answer.
enum EventProblem: String, Sendable, CaseIterable {
  case notReached = "not_reached"
  case noAnswer = "no_answer"
  case secret
  case addressMalformed = "address_malformed"
  case addressInsecure = "address_insecure"
  case addressCredentials = "address_credentials"
  case addressPort = "address_port"
  case addressUnresolved = "address_unresolved"
  case addressPrivate = "address_private"
}

/// What came back from one try.
enum EventAnswer: Sendable, Equatable {
  case status(Int)
  case problem(EventProblem)

  func words(_ strings: Strings) -> String {
    switch self {
    case .status(let status): strings("event.answered", ["status": String(status)])
    case .problem(let problem): strings[.init("event_problem.\(problem.rawValue)")]
    }
  }
}

struct BotLabel: Sendable, Equatable {
  var id: Int64
  /// Without the @.
  var username: String
}

/// One row of a list of events.
struct EventRow: Sendable, Equatable {
  var id: Int64
  /// As bots know it: `payment.completed`.
  var kind: String
  /// nil: about no customer.
  var customer: CustomerLabel?
  var bot: BotLabel
  var state: EventState
  var tries: Int
  var createdAt: Date

  func model(_ page: PageContext) -> [String: TemplateValue] {
    [
      "id": .text("evt_\(id)"),
      "href": .text(Links.event(page.slug, id)),
      "kind": .text(kind),
      "who": .text(customer.map(page.name) ?? page.strings["event.nobody"]),
      "bot": .text("@" + bot.username),
      "state": .text(page.strings[.init("event_state.\(state.rawValue)")]),
      "state_class": .text(state.dot),
      "tries": .text(page.format.number(Int64(tries))),
      "time": page.format.time(createdAt),
    ]
  }
}
