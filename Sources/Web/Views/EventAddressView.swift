import Foundation

/// Where a bot's events go.
struct EventAddressView: Sendable, Equatable {
  enum Problem: String, Sendable, CaseIterable {
    case malformed, insecure, credentials, port, unresolved, `private`
  }

  enum Warning: String, Sendable, CaseIterable {
    /// The form was made for another secret than the present one.
    case changed
    /// The secret before the present one still signs.
    case overlapping
    /// There is no address to do this with.
    case none
  }

  struct Present: Sendable, Equatable {
    var url: String
    /// Names the secret without telling it.
    var fingerprint: String
    /// Until when the secret before this one signs, too.
    var previousUntil: Date?
  }

  var bot: BotLabel
  var present: Present?
  /// A secret that was made just now: this page alone shows it.
  var secret: String?
  /// What was typed, where it could not be saved.
  var typed: String?
  var problem: Problem?
  var warning: Warning?
  var mayChange: Bool
  var audit: [PaymentView.AuditLine]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let path = Links.eventAddress(page.slug, bot.id)
    let words = problem.map { t[.init("event_address.problem_\($0.rawValue)")] }
    return page.page(
      .eventAddress, title: t("event_address.title", ["bot": "@" + bot.username]), place: .bots,
      trail: [
        (title: t["nav.bots"], href: Links.bots(page.slug)),
        (title: "@" + bot.username, href: Links.bot(page.slug, bot.id)),
      ],
      [
        "secret": .optional(secret),
        "warning": .optional(warning.map { t[.init("event_address.warning_\($0.rawValue)")] }),
        "present": .optional(present) { present in
          [
            "url": .text(present.url),
            "overlap": .optional(present.previousUntil) { ["time": format.time($0)] },
            "events": .text(Links.with(Links.events(page.slug), [("bot", String(bot.id))])),
          ]
        },
        "may_change": .flag(mayChange),
        "form": mayChange
          ? .record([
            "action": .text(path), "url": .text(typed ?? present?.url ?? ""),
            "problem": .optional(words),
            "button": .text(
              t[.init("event_address.\(present == nil ? "save_new" : "save_other")")]),
          ]) : .none,
        "actions": .optional(mayChange ? present : nil) { present in
          [
            "rotation": .text(path + "/rotation"), "fingerprint": .text(present.fingerprint),
            "test": .text(path + "/test"), "removal": .text(path + "/removal"),
          ]
        },
        "audit": PaymentView.audit(audit, page),
      ])
  }
}
