import Foundation

enum SubscriptionState: String, Sendable, CaseIterable {
  case trial, active, grace, expired, replaced

  /// The class of its dot.
  var mark: String {
    switch self {
    case .trial: "requested"
    case .active: "active"
    case .grace: "ending"
    case .expired, .replaced: "ended"
    }
  }

  var isRunning: Bool { self == .trial || self == .active || self == .grace }
}

/// What Telegram has confirmed about the renewal.
enum SubscriptionRenewal: String, Sendable, CaseIterable {
  case on, off, allowed, failed, none
}

/// What Telegram was asked and has not confirmed.
enum SubscriptionWish: String, Sendable, CaseIterable { case cancel, allow }

/// A subscription at a glance.
struct SubscriptionRow: Sendable, Equatable {
  var id: Int64
  var plan: String
  var planTitle: String
  var state: SubscriptionState
  var renewal: SubscriptionRenewal
  var wish: SubscriptionWish?
  /// Stars of a month; 0 = nothing is paid.
  var stars: Int64
  /// nil: it has no end.
  var periodEndsAt: Date?
  /// When it was over: expired, or replaced by another.
  var endedAt: Date?

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "href": .text(Links.subscription(page.slug, id)), "plan": .text(planTitle),
      "state": .text(t[.init("subscription_state.\(state.rawValue)")]),
      "state_class": .text(state.mark),
      "renewal": .text(renewalWords(page)),
      "ends": .optional(endedAt ?? periodEndsAt) { ["time": format.time($0)] },
      "price": .text(stars == 0 ? t["subscription.no_price"] : format.stars(stars)),
    ]
  }

  /// A wish is told beside what is confirmed, never instead of it.
  private func renewalWords(_ page: PageContext) -> String {
    let t = page.strings
    guard state.isRunning else { return "–" }
    let confirmed = t[.init("renewal.\(renewal.rawValue)")]
    guard let wish else { return confirmed }
    return "\(confirmed); \(t[.init("renewal.asked_\(wish.rawValue)")])"
  }
}
