import Foundation

enum ApplicationState: String, Sendable, CaseIterable {
  case received, asked, approved, declined

  var isOpen: Bool { self == .received || self == .asked }

  func words(_ t: Strings) -> String { t[.init("application_state.\(rawValue)")] }

  var model: String {
    switch self {
    case .received: "requested"
    case .asked: "ending"
    case .approved: "good"
    case .declined: "declined"
    }
  }
}

enum ApplicationDecline: String, Sendable, CaseIterable {
  case noCapacity = "no_capacity"
  case poorFit = "poor_fit"
  case againstTerms = "against_terms"
  case noAnswer = "no_answer"
  case other

  /// As the applicant reads it.
  func words(_ t: Strings) -> String { t[.init("decline.\(rawValue)")] }
}

/// What an applicant wrote.
struct ApplicationFacts: Sendable, Equatable {
  /// Without the @.
  var bot: String
  var segment: BotSegment
  /// Stars a month.
  var stars: Int64
  var cost: String
  var contact: String
  var pain: String

  func model(_ t: Strings, _ format: Formatting) -> TemplateValue {
    .records(
      [
        ("bot", "@" + bot), ("segment", t[.init("bot.segment_\(segment.rawValue)")]),
        ("stars", format.stars(stars)), ("cost", cost), ("contact", contact), ("pain", pain),
      ] as [(String, String)]
    ) { name, value in
      ["label": .text(t[.init("apply.\(name)_kept")]), "value": .text(value)]
    }
  }
}

/// One message about an application.
struct ApplicationTalk: Sendable, Equatable {
  enum Kind: String, Sendable, CaseIterable { case note, question, answer, decision }

  var kind: Kind
  /// nil: the applicant.
  var writer: String?
  var at: Date
  var body: String

  /// - Parameter isForApplicant: Admins have no names there.
  func model(
    _ t: Strings, _ format: Formatting, isForApplicant: Bool = false
  ) -> [String: TemplateValue] {
    let side: String =
      switch kind {
      case .note: "note"
      case .answer: isForApplicant ? "ours" : "theirs"
      case .question, .decision: isForApplicant ? "theirs" : "ours"
      }
    let who =
      isForApplicant
      ? (kind == .answer ? t["applied.you"] : "eStars") : (writer ?? t["application.applicant"])
    return [
      "side": .text(side), "who": .text(who),
      "kind": .text(t[.init("application_talk.\(kind.rawValue)")]),
      "time": format.time(at), "body": .text(body),
    ]
  }
}
