import Foundation

/// What operators are told of.
enum AlertKind: String, Sendable, CaseIterable {
  case paymentsFailing = "payments_failing"
  case paymentFailed = "payment_failed"
  case attemptsRepeated = "attempts_repeated"
  case webhookSlow = "webhook_slow"
  case webhookFailing = "webhook_failing"
  case subscriptionNew = "subscription_new"
  case customerPurchases = "customer_purchases"
  case customerUses = "customer_uses"
  case customerRefunds = "customer_refunds"
  case mismatch = "reconciliation_mismatch"
  case ledgerUnverified = "ledger_unverified"
  case liabilityHigh = "liability_high"

  /// - Parameter name: The product's.
  init?(name: String) { self.init(rawValue: name.replacing(".", with: "_")) }

  /// The product's name of it: `webhook.slow`.
  var name: String { rawValue.replacing("_", with: ".") }

  /// As it stands in the tables of words.
  var key: String { rawValue }

  func title(_ t: Strings) -> String { t[.init("alert_kind.\(key)")] }
}

enum AlertState: String, Sendable, CaseIterable {
  case open, unseen, acknowledged, over

  var dot: String {
    switch self {
    case .open: "bad"
    case .unseen: "ending"
    case .acknowledged: "requested"
    case .over: "ended"
    }
  }
}

/// One row of a list of alerts.
struct AlertRow: Sendable, Equatable {
  var id: Int64
  var kind: AlertKind
  /// The whole of it in a sentence.
  var words: String
  var state: AlertState
  /// It happened and was over at once.
  var isMoment = false
  var openedAt: Date
  var lastSeenAt: Date
  var sightings: Int64 = 1

  /// - Parameter offers: Whether it may be acknowledged from here.
  func model(_ page: PageContext, offers: Bool) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "href": .text(Links.alert(page.slug, id)), "words": .text(words),
      "kind": .text(kind.title(t)), "state": .text(stateWords(t)), "state_class": .text(state.dot),
      "since": .record(["time": format.time(openedAt)]),
      "last": .record(["time": format.time(lastSeenAt)]),
      "times": .text(format.number(sightings)),
      "acknowledge": offers
        ? .record([
          "action": .text(Links.alertAcknowledgement(page.slug, id)),
          "label": .text(t("alerts.acknowledge_this", ["alert": words])),
        ]) : .none,
    ]
  }

  func stateWords(_ t: Strings) -> String {
    isMoment && state == .open ? t["alerts.happened"] : t[.init("alert_state.\(state.rawValue)")]
  }
}

/// The pages about alerts.
enum AlertTab: String, Sendable, CaseIterable {
  case alerts
  case rules = "alert-rules"
  case chats = "alert-chats"

  static func model(_ current: AlertTab, _ page: PageContext) -> TemplateValue {
    .records(allCases) { tab in
      [
        "title": .text(page.strings[.init("alert_tab.\(tab)")]),
        "href": .text("/w/\(page.slug)/\(tab.rawValue)"), "current": .flag(tab == current),
      ]
    }
  }
}
