import Foundation

enum RefundState: String, Sendable, CaseIterable {
  case requested, approved, sending, unknown, confirmed, failed, declined, goodwill

  var isUnderWay: Bool { [.approved, .sending, .unknown].contains(self) }
}

enum RefundReason: String, Sendable, CaseIterable {
  case customerAsked = "customer_asked"
  case notDelivered = "not_delivered"
  case boughtByMistake = "bought_by_mistake"
  case doublePayment = "double_payment"
  case other
  case refundedElsewhere = "refunded_elsewhere"

  /// What an operator may choose from.
  static let choices: [RefundReason] = allCases.filter { $0 != .refundedElsewhere }
}

enum RefundSource: String, Sendable, CaseIterable {
  case `operator`, telegram, buyer
  case secondPayment = "second_payment"
}

enum DeclineReason: String, Sendable, CaseIterable {
  case outsidePolicy = "outside_policy"
  case creditsUsed = "credits_used"
  case alreadyRefundedOnce = "already_refunded_once"
  case delivered
  case suspectedAbuse = "suspected_abuse"
  case other
}

/// What the workspace's rule says: only the first speaks for a refund.
enum RefundClause: String, Sendable, CaseIterable {
  case withinPolicy = "within_policy"
  case tooOld = "too_old"
  case tooMuchUsed = "too_much_used"
  case notTheFirst = "not_the_first"
  case notCredited = "not_credited"
  case accessOnly = "access_only"

  var dot: String { self == .withinPolicy ? "good" : "unknown" }
}

enum RefundNotice: String, Sendable, CaseIterable { case due, sent, failed }

/// One row of the list of refund cases.
struct RefundRow: Sendable, Equatable {
  var id: Int64
  /// nil: of a person who is not known here.
  var customer: CustomerLabel?
  var packTitle: String?
  var stars: Int64
  var state: RefundState
  var reason: RefundReason
  var openedAt: Date
  /// What the rule says, where somebody is to decide.
  var clause: RefundClause?
  /// Waits for the second of two people.
  var isProposed = false
}

/// What a refund does, or did, to credits, access and the balance.
struct RefundEffect: Sendable, Equatable {
  struct Lot: Sendable, Equatable {
    var lot: Int64
    var source: LotSource
    var granted: Int64
    var taken: Int64
  }

  enum Policy: String, Sendable, CaseIterable { case forgive, debt }

  struct Verdict: Sendable, Equatable {
    var clause: RefundClause
    var rule: RefundRule
    var isInTime: Bool
    var isLittleUsed: Bool
    var isFirst: Bool
    var paidAt: Date
    /// Credits used or held for running work, of those that were given.
    var used: Int64
    var granted: Int64
  }

  /// In millionths of the currency.
  struct Margin: Sendable, Equatable {
    var currency: String
    var revenue: Int64
    var cost: Int64
  }

  var stars: Int64
  var lots: [Lot]
  var policy: Policy
  var used: Int64
  /// In open holds for work that runs.
  var held: Int64
  var expired: Int64
  var balanceBefore: Int64
  var balanceAfter: Int64
  /// Titles of what ends with it.
  var access: [String]
  var verdict: Verdict
  var margin: Margin?
}

extension RefundEffect {
  /// As a ledger strip of what is to come: what it is on the left, a signed number on the right.
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "rows": .list(rows(page)),
      "balance": .text(
        t(
          "refund.balance",
          ["before": format.number(balanceBefore), "after": format.number(balanceAfter)])),
      "verdict": .text(t[.init("refund.verdict_\(verdict.clause.rawValue)")]),
      "verdict_class": .text(verdict.clause.dot),
      "grounds": .text(verdict.grounds(page)),
      "rule": .text(verdict.rule.words(page)),
      "rule_href": .text(Links.refundPolicy(page.slug)),
      "margin": .optional(margin) { $0.model(stars: stars, page) },
    ]
  }

  private func rows(_ page: PageContext) -> [TemplateValue] {
    let (t, format) = (page.strings, page.format)
    var rows = [
      row(.back, t["refund.row_stars"], format.signedStars(-stars), t["refund.row_stars_note"])
    ]
    for lot in lots {
      rows.append(
        row(
          .back,
          t(
            "refund.row_lot",
            [
              "lot": t("lot.number", ["n": format.number(lot.lot)]),
              "source": t[.init("source.\(lot.source.rawValue)")],
            ]), format.signedCredits(-lot.taken),
          t("refund.row_lot_note", count: lot.granted, ["n": format.number(lot.granted)])))
    }
    if used > 0 {
      rows.append(
        policy == .forgive
          ? row(
            .quiet, t["refund.row_forgiven"], format.credits(used), t["refund.row_forgiven_note"])
          : row(.back, t["refund.row_owed"], format.signedCredits(-used), t["refund.row_owed_note"])
      )
    }
    if held > 0 {
      rows.append(
        row(
          policy == .forgive ? .quiet : .back, t["refund.row_held"],
          policy == .forgive ? format.credits(held) : format.signedCredits(-held),
          t[.init("refund.row_held_\(policy.rawValue)")]))
    }
    if expired > 0 {
      rows.append(
        row(.quiet, t["refund.row_expired"], format.credits(expired), t["refund.row_expired_note"]))
    }
    if lots.isEmpty {
      rows.append(row(.quiet, t["refund.row_no_credits"], format.credits(0), nil))
    }
    return rows
      + access.map {
        row(.quiet, t("refund.row_access", ["feature": $0]), t["refund.row_ends"], nil)
      }
  }

  private func row(
    _ tone: Tone, _ what: String, _ quantity: String, _ note: String?
  ) -> TemplateValue {
    [
      "tone": .text(tone.rawValue), "what": .text(what), "quantity": .text(quantity),
      "note": .optional(note),
    ]
  }
}

/// The form that opens a case: shown again, with what was typed, when something does not fit.
struct RefundRequestForm: Sendable, Equatable {
  var reason: RefundReason = .customerAsked
  var note = ""
  var noteIsTooLong = false
}
