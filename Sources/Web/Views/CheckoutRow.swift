import Foundation

enum CheckoutState: String, Sendable, CaseIterable {
  case pending, validating, processing, completed, rejected, failed, cancelled, expired

  var isOpen: Bool { [.pending, .validating, .rejected].contains(self) }

  /// The class of its dot.
  var dot: String {
    switch self {
    case .pending, .validating, .processing: "requested"
    case .completed: "good"
    case .rejected, .failed: "bad"
    case .cancelled, .expired: "unknown"
    }
  }
}

/// Why a checkout is in its state. One that has no words here is shown by its code.
enum CheckoutReason: String, Sendable, CaseIterable {
  case opened, accepted, paid, credited, expired, withdrawn, suspended
  case paidLate = "paid_late"
  case triedAgain = "tried_again"
  case refundedBefore = "refunded_before"
  case bookingFailed = "booking_failed"
  case newerCheckout = "newer_checkout"
  case calledOff = "called_off"
  case timeOver = "time_over"
  case notDelivered = "not_delivered"
  case notAvailable = "not_available"
  case firstPurchaseOnly = "first_purchase_only"
  case alreadySubscribed = "already_subscribed"
  case tooManyPurchases = "too_many_purchases"

  static func words(_ code: String, _ strings: Strings) -> String {
    CheckoutReason(rawValue: code).map { strings[.init("checkout_reason.\($0.rawValue)")] } ?? code
  }
}

/// One row of a list of checkouts.
struct CheckoutRow: Sendable, Equatable {
  var id: Int64
  var customer: CustomerLabel
  var title: String
  var isPlan = false
  var stars: Int64
  /// 0 = none.
  var discountPercent = 0
  var state: CheckoutState
  /// A code.
  var reason: String
  var openedAt: Date
  var stateAt: Date

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "id": .text(String(id)), "href": .text(Links.checkout(page.slug, id)),
      "who": .record(page.customer(customer)), "what": .text(title),
      "kind": .text(t[isPlan ? "checkouts.plan" : "checkouts.pack"]),
      "discount": discountPercent == 0
        ? .none : .text(t("checkouts.discount", ["percent": String(discountPercent)])),
      "stars": .text(format.stars(stars)),
      "state": .text(t[.init("checkout_state.\(state.rawValue)")]),
      "state_class": .text(state.dot), "reason": .text(CheckoutReason.words(reason, t)),
      "opened": .record(["time": format.time(openedAt)]),
      "changed": .record(["time": format.time(stateAt)]),
    ]
  }
}
