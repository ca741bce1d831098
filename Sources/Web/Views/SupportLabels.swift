import Foundation

enum SupportCaseState: String, Sendable, CaseIterable { case open, waiting, closed }

enum SupportTopic: String, Sendable, CaseIterable {
  case creditsMissing = "credits_missing"
  case refund
  case notDelivered = "not_delivered"
  case access, subscription, other

  func words(_ strings: Strings) -> String { strings[.init("support_topic.\(rawValue)")] }
}

enum SupportSource: String, Sendable, CaseIterable { case bot, buyer, `operator`, system }

/// One row of a list of support cases.
struct SupportCaseRow: Sendable, Equatable {
  var id: Int64
  var customer: CustomerLabel
  var subject: String
  var topic: SupportTopic
  var state: SupportCaseState
  /// The buyer has been waiting for longer than the workspace means to let anybody wait.
  var isOverdue = false
  /// The operator's name; nil: nobody takes care of it.
  var assignee: String?
  var openedAt: Date
  /// Since when the next word is ours; nil while it is not.
  var waitsSince: Date?
  var lastMessageAt: Date

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let isLate = state == .open && isOverdue
    let dot: String =
      switch state {
      case .open: isLate ? "bad" : "requested"
      case .waiting: "unknown"
      case .closed: "ended"
      }
    return [
      "id": .text(String(id)), "href": .text(Links.supportCase(page.slug, id)),
      "who": .record(page.customer(customer)), "subject": .text(subject),
      "topic": .text(topic.words(t)),
      "state": .text(
        t[isLate ? "support_state.overdue" : .init("support_state.\(state.rawValue)")]),
      "state_class": .text(dot),
      "assignee": .text(assignee ?? t["support.nobody"]),
      "opened": .record(["time": page.format.time(openedAt)]),
      "since": .record(["time": page.format.time(waitsSince ?? lastMessageAt)]),
    ]
  }
}

/// Something that was said in a case, or noted about it.
/// What a buyer sent beside words, or without any.
enum SupportAttachment: String, Sendable, CaseIterable {
  case photo, voice, video, document, audio, sticker
  case videoNote = "video_note"
}

struct SupportMessageRow: Sendable, Equatable {
  enum Author: String, Sendable, CaseIterable { case buyer, `operator`, system }

  var id: Int64
  var author: Author
  /// Of an operator: the e-mail address.
  var authorName = ""
  var isNote = false
  var body: String
  var attachment: SupportAttachment?
  var at: Date
  /// How far our words are on their way; nil for what is not sent.
  var delivery: MessageRow?

  func model(_ buyer: CustomerLabel, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    let name: String =
      switch author {
      case .buyer: page.name(of: buyer)
      case .operator: authorName
      case .system: "eStars"
      }
    return [
      "id": .text("m\(id)"), "author": .text(name),
      "class": .text(isNote ? "note" : author == .buyer ? "theirs" : "ours"),
      "note": isNote ? .text(t["support.is_note"]) : .none,
      "body": .text(body),
      "attachment": .optional(attachment.map { t[.init("support.sent_\($0.rawValue)")] }),
      "time": page.format.time(at),
      "delivery": .optional(delivery) { $0.model(page) },
    ]
  }
}
