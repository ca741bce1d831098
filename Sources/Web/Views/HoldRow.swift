import Foundation

enum HoldState: String, Sendable, CaseIterable { case open, committed, released, expired }

/// Credits set aside for something that has not ended, or what became of them.
struct HoldRow: Sendable, Equatable {
  enum Link: Sendable, Equatable {
    /// Work that a bot reserved.
    case hold(Int64)
    /// An approved refund; nil where its case is not known.
    case refund(Int64?)
    case none
  }

  var link: Link
  var actionTitle: String?
  var units: Int64?
  var credits: Int64
  var unit: UnitLabel = .credits
  var heldAt: Date
  /// nil: until it is closed.
  var expiresAt: Date?
  var state: HoldState = .open
  /// Open and past its time, or open for very long.
  var isStuck = false
  var closedAt: Date?
  /// Of a committed one.
  var usedUnits: Int64?
  var usedCredits: Int64?

  private var isRefund: Bool { if case .refund = link { true } else { false } }

  func title(_ page: PageContext) -> String {
    if isRefund { return page.strings["strip.refund_hold"] }
    let action = actionTitle ?? page.strings["strip.hold"]
    guard let units, units != 1 else { return action }
    return page.strings(
      "strip.use_units", ["action": action, "units": page.format.number(units)])
  }

  /// A word and the class of its dot.
  func stateWords(_ page: PageContext) -> (words: String, dot: String) {
    let name = isStuck ? "stuck" : state.rawValue
    let dot =
      switch state {
      case .open: isStuck ? "bad" : "requested"
      case .committed: "good"
      case .released, .expired: "unknown"
      }
    return (page.strings[.init("hold_state.\(name)")], dot)
  }

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let href: String? =
      switch link {
      case .hold(let id): Links.hold(page.slug, id)
      case .refund(let id): id.map { Links.refund(page.slug, $0) }
      case .none: nil
      }
    let (words, dot) = stateWords(page)
    return [
      "what": .text(title(page)),
      "href": .optional(href),
      "open": .text(t[isRefund ? "hold.open_refund" : "hold.open"]),
      "amount": .text(page.amount(credits, unit)),
      "used": .optional(usedCredits.map { page.amount($0, unit) }),
      "state": .text(words),
      "state_class": .text(dot),
      "held_at": .record(["time": format.time(heldAt)]),
      "expires": .optional(expiresAt) { ["time": format.time($0)] },
      "closed": .optional(closedAt) { ["time": format.time($0)] },
    ]
  }
}
