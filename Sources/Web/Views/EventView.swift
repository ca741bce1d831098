import Foundation

/// One event: what the bot was told, and every try to tell it.
struct EventView: Sendable, Equatable {
  struct Try: Sendable, Equatable {
    var number: Int
    var at: Date
    var answer: EventAnswer
    var milliseconds: Int
  }

  enum Warning: String, Sendable, CaseIterable {
    /// It was asked to be sent again and there is nowhere to send it.
    case noAddress = "no_address"
  }

  var event: EventRow
  /// As it is sent, byte for byte.
  var body: String
  var nextAt: Date?
  var deliveredAt: Date?
  /// Newest first.
  var tries: [Try]
  var hasAddress: Bool
  var mayReplay: Bool
  var warning: Warning?
  var audit: [PaymentView.AuditLine]

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    return page.page(
      .event, title: event.kind, place: .events,
      trail: [(title: t["nav.events"], href: Links.events(page.slug))],
      [
        "event": .record(event.model(page)),
        "customer": .optional(event.customer) { page.customer($0) },
        "warning": .optional(warning.map { t[.init("event.\($0.rawValue)")] }),
        "waiting": event.state == .pending
          ? .record(["href": .text(Links.event(page.slug, event.id))]) : .none,
        "next": .optional(nextAt) { ["time": format.time($0)] },
        "delivered": .optional(deliveredAt) { ["time": format.time($0)] },
        "body": .text(body),
        "tries": tries.isEmpty
          ? .none
          : .record([
            "rows": .records(tries) { attempt in
              [
                "number": .text(format.number(Int64(attempt.number))),
                "answer": .text(attempt.answer.words(t)),
                "took": .text(
                  t("event.milliseconds", ["n": format.number(Int64(attempt.milliseconds))])),
                "time": format.time(attempt.at),
              ]
            }
          ]),
        "address": .text(Links.eventAddress(page.slug, event.bot.id)),
        "replay": mayReplay && hasAddress
          ? .record(["action": .text(Links.event(page.slug, event.id) + "/replay")]) : .none,
        "no_address": .flag(!hasAddress),
        "only_managers": .flag(hasAddress && !mayReplay),
        "audit": PaymentView.audit(audit, page),
      ])
  }
}
