import Foundation

/// Why a movement of Stars needs a look.
enum MismatchKind: String, Sendable, CaseIterable {
  case paymentUnseen = "payment_unseen"
  case refundUnseen = "refund_unseen"
  case amountDiffers = "amount_differs"
  case creditsMissing = "credits_missing"
  case unknownPartner = "unknown_partner"
  case notInTelegram = "not_in_telegram"
}

enum MismatchState: String, Sendable, CaseIterable { case open, fixed, accepted }

/// One row of the list of mismatches.
struct MismatchRow: Sendable, Equatable {
  var id: Int64
  var kind: MismatchKind
  var bot: BotLabel
  /// Telegram's name of the movement; a charge, where it is one.
  var transactionID: String
  /// Negative for Stars that went out. nil: Telegram's books lack it.
  var stars: Int64?
  /// nil: our books lack it.
  var ourStars: Int64?
  var customer: CustomerLabel?
  var state: MismatchState
  var foundAt: Date

  func title(_ t: Strings) -> String { t[.init("mismatch.kind_\(kind.rawValue)")] }

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let nothing = "–"
    return [
      "href": .text(Links.mismatch(page.slug, id)), "what": .text(title(t)),
      "bot": .text("@" + bot.username),
      "who": .text(customer.map(page.name) ?? t["mismatch.nobody"]),
      "stars": .text(stars.map(format.signedStars) ?? nothing),
      "ours": .text(ourStars.map(format.signedStars) ?? nothing),
      "state": .text(t[.init("mismatch_state.\(state.rawValue)")]),
      "state_class": .text(state == .open ? "bad" : state == .fixed ? "good" : "unknown"),
      "time": format.time(foundAt),
    ]
  }
}

/// One comparison of a bot's Stars with Telegram's books.
struct ReconciliationRow: Sendable, Equatable {
  enum State: String, Sendable, CaseIterable { case due, running, done, failed }

  enum Problem: Sendable, Equatable {
    enum Code: String, Sendable, CaseIterable {
      case noAnswer = "no_answer"
      case notReached = "not_reached"
      case token
    }

    case code(Code)
    case telegram(String)

    func words(_ t: Strings) -> String {
      switch self {
      case .code(let code): t[.init("reconciliation.problem_\(code.rawValue)")]
      case .telegram(let words): t("reconciliation.problem_telegram", ["words": words])
      }
    }
  }

  var bot: BotLabel
  var state: State
  /// nil: it was asked for by itself.
  var askedBy: String?
  var at: Date
  /// Movements read in this comparison, and all that there are.
  var read: Int64
  var total: Int64
  var matched: Int64
  var found: Int64
  var fixed: Int64
  var reachedAt: Date?
  var balance: Int64?
  var books: Int64?
  var problem: Problem?

  var isUnderWay: Bool { state == .due || state == .running }

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "bot": .text("@" + bot.username),
      "by": .text(askedBy ?? "eStars"),
      "state": .text(t[.init("reconciliation.state_\(state.rawValue)")]),
      "state_class": .text(state == .done ? "good" : state == .failed ? "bad" : "requested"),
      "read": .text(format.number(read)), "found": .text(format.number(found)),
      "fixed": .text(format.number(fixed)), "problem": .optional(problem?.words(t)),
      "time": format.time(at),
    ]
  }

  /// How far it is, in a sentence.
  func progress(_ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    let name = "@" + bot.username
    if let problem { return "\(name): \(problem.words(t)) \(t["reconciliation.tried_again"])" }
    guard let reachedAt else { return t("reconciliation.begins", ["bot": name]) }
    return t(
      "reconciliation.reads", count: read,
      ["bot": name, "n": format.number(read), "at": format.exact(reachedAt)])
  }
}
