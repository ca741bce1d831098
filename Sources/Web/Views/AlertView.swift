import Foundation

/// One alert: what it means, what to do, and what became of it.
struct AlertView: Sendable, Equatable {
  /// The page where it shows.
  struct Place: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
      case customer, bot, checkout, checkouts, payments, subscription, reconciliation, overview
    }

    var kind: Kind
    /// A customer's name, a bot's, a checkout's number; nil: the page alone.
    var name: String?
    var href: String
  }

  var row: AlertRow
  /// Where to look.
  var places: [Place] = []
  /// The most frequent reason, as checkouts have it.
  var reason: String?
  var toldAt: Date?
  var acknowledgedAt: Date?
  var acknowledgedBy: String?
  var endedAt: Date?
  var mutedUntil: Date?
  var mayEdit: Bool
  /// The same about the same subject, newest first.
  var earlier: [AlertRow] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .alert, title: row.kind.title(t), place: .alerts,
      trail: [(title: t["nav.alerts"], href: Links.alerts(page.slug))],
      [
        "words": .text(row.words), "state": .text(row.stateWords(t)),
        "state_class": .text(row.state.dot),
        "about": .text(t[.init("alert_about.\(row.kind.key)")]),
        "advice": .text(t[.init("alert_do.\(row.kind.key)")]),
        "places": .records(places) { place in
          let what = t[.init("alert.place_\(place.kind.rawValue)")]
          return [
            "what": .text(what), "name": .text(place.name ?? what), "href": .text(place.href),
          ]
        },
        "facts": .list(facts(page)),
        "acknowledge": mayEdit && acknowledgedAt == nil
          ? .text(Links.alertAcknowledgement(page.slug, row.id)) : .none,
        "mute": mayEdit ? .record(MuteForm(row.kind, mutedUntil).model(page)) : .none,
        "rule": .text(Links.alertRule(page.slug, row.kind)),
        "earlier": earlier.isEmpty
          ? .none : .record(["rows": .records(earlier) { $0.model(page, offers: false) }]),
      ])
  }

  private func facts(_ page: PageContext) -> [TemplateValue] {
    let (t, format) = (page.strings, page.format)
    func fact(_ what: String, _ words: String? = nil, _ time: Date? = nil) -> TemplateValue {
      [
        "what": .text(what), "words": .optional(words),
        "at": .optional(time) { ["time": format.time($0)] },
      ]
    }
    var facts = [fact(t[row.isMoment ? "alert.happened" : "alerts.since"], nil, row.openedAt)]
    if !row.isMoment {
      facts.append(fact(t["alerts.last"], nil, row.lastSeenAt))
      facts.append(fact(t["alerts.times"], format.number(row.sightings)))
    }
    if let reason { facts.append(fact(t["alert.reason"], CheckoutReason.words(reason, t))) }
    facts.append(
      toldAt.map { fact(t["alert.told"], nil, $0) }
        ?? fact(t["alert.told"], t[mutedUntil == nil ? "alert.untold" : "alert.untold_muted"]))
    if let acknowledgedAt {
      facts.append(fact(t["alert.known_by"], acknowledgedBy, acknowledgedAt))
    }
    if !row.isMoment, let endedAt { facts.append(fact(t["alert.ended"], nil, endedAt)) }
    return facts
  }
}

/// Keeps a kind of alert out of the chats for a time, or ends that.
struct MuteForm: Sendable, Equatable {
  static let hours = [1, 8, 24, 168]

  let kind: AlertKind
  let until: Date?

  init(_ kind: AlertKind, _ until: Date?) {
    self.kind = kind
    self.until = until
  }

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "action": .text(Links.alertMute(page.slug, kind)), "id": .text("mute-\(kind.key)"),
      "muted": .optional(until) { ["time": page.format.time($0)] },
      "hours": .records(Self.hours) {
        ["value": .text(String($0)), "words": .text(t[.init("alert_mute.hours_\($0)")])]
      },
    ]
  }
}
