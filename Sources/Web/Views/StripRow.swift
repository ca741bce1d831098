import Foundation

/// What kind of event a row of the strip shows; decides its colour, never its meaning.
enum Tone: String, Sendable, Equatable, CaseIterable, Decodable {
  case stars, `in`, use, back, quiet
}

/// One event of a ledger strip: what happened on the left, a signed number on the right.
struct StripRow: Sendable, Equatable {
  enum Event: Sendable, Equatable {
    case payment(pack: String?)
    case refund(pack: String?)
    case credit(LotSource)
    case use(action: String, units: Int64)
    case hold(action: String?)
    /// What is left of a charge whose refund was approved.
    case refundHold
    /// That hold's end, before its credits are taken back.
    case refundHoldEnd
    /// A refund that somebody decided against.
    case decline(pack: String?)
    /// What a hold used in the end; its amount is what the commit took.
    case commit(action: String?)
    case release
    case clawback
    case forgiveness
    case expiry
  }

  enum Unit: Sendable, Equatable { case stars, credits }

  /// Credits that an entry took from a lot or put into it.
  struct LotMove: Sendable, Equatable {
    var lot: Int64
    var source: LotSource
    /// Signed: negative when burned.
    var amount: Int64
    var payment: PaymentKey?
  }

  var event: Event
  /// Signed.
  var amount: Int64
  var unit: Unit = .credits
  var at: Date
  /// The ledger's version of the account after this entry; the row's anchor is `v` and this number.
  var version: Int64?
  var balanceAfter: Int64?
  var lots: [LotMove] = []
  var payment: PaymentKey?
  /// Named where a strip holds several customers.
  var customer: CustomerLabel?
  var reason: String?
}

extension StripRow {
  private var tone: Tone {
    switch event {
    case .payment: .stars
    case .credit, .release: .in
    case .use, .hold, .commit: .use
    case .refundHold: .back
    case .refund, .clawback: .back
    case .forgiveness, .expiry, .decline, .refundHoldEnd: .quiet
    }
  }

  private func title(_ page: PageContext) -> String {
    let t = page.strings
    switch event {
    case .payment(let pack?): return t("strip.payment_of", ["pack": pack])
    case .payment(nil): return t["strip.payment"]
    case .refund(let pack?): return t("strip.refund_of", ["pack": pack])
    case .refund(nil): return t["strip.refund"]
    case .credit(let source): return t[.init("credit.\(source.rawValue)")]
    case .use(let action, let units):
      return units == 1
        ? action : t("strip.use_units", ["action": action, "units": page.format.number(units)])
    case .hold(let action?): return t("strip.hold_for", ["action": action])
    case .hold(nil): return t["strip.hold"]
    case .refundHold: return t["strip.refund_hold"]
    case .refundHoldEnd: return t["strip.refund_hold_end"]
    case .decline(let pack?): return t("strip.decline_of", ["pack": pack])
    case .decline(nil): return t["strip.decline"]
    case .commit(let action?): return t("strip.commit_for", ["action": action])
    case .commit(nil): return t["strip.commit"]
    case .release: return t["strip.release"]
    case .clawback: return t["strip.clawback"]
    case .forgiveness: return t["strip.forgiveness"]
    case .expiry: return t["strip.expiry"]
    }
  }

  /// - Parameter showsOwnPayment: false on the page of that very payment.
  func model(_ page: PageContext, showsOwnPayment: Bool = true) -> [String: TemplateValue] {
    let format = page.format
    let quantity =
      unit == .stars ? format.signedStars(amount) : format.signedCredits(amount)
    return [
      // Versions count per customer, so a strip of several has no anchors and links to theirs.
      "anchor": customer == nil ? .optional(version.map { "v\($0)" }) : .none,
      "tone": .text(tone.rawValue),
      "what": .text(title(page)),
      "quantity": .text(quantity),
      "version": .optional(version) { version in
        [
          "label": .text(page.strings("strip.version", ["n": format.number(version)])),
          "href": .text(
            (customer.map { Links.customer(page.slug, $0.id) } ?? "") + "#v\(version)"),
        ]
      },
      "balance": .optional(
        balanceAfter.map { page.strings("strip.balance", ["n": format.number($0)]) }),
      "time": format.time(at),
      "reason": .optional(reason),
      "who": .optional(customer) { page.customer($0) },
      "charge": showsOwnPayment ? .optional(payment) { page.payment($0) } : .none,
      "moves": lots.isEmpty ? .none : .record(["rows": .records(lots) { $0.model(page) }]),
      "moves_label": .text(
        page.strings(
          "strip.lots", count: Int64(lots.count), ["n": format.number(Int64(lots.count))])),
    ]
  }
}

extension StripRow.LotMove {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    [
      "lot": .text(page.strings("lot.number", ["n": page.format.number(lot)])),
      "source": .text(page.strings[.init("source.\(source.rawValue)")]),
      "moved": .text(page.format.signed(amount)),
      "move_charge": .optional(payment) { page.payment($0) },
    ]
  }
}
