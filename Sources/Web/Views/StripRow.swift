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
    /// Of a lot: credits that paid what a refund had left owing.
    case debtPaid
    /// Of a lot: a grant that flowed into another lot, and one that flowed into this.
    case passedOn(lot: Int64)
    case joined(lot: Int64)
    /// A message of a bot; its kind with _ for every dot.
    case message(kind: String)
    case supportCase(subject: String)
    /// What somebody of the team did: a name of the audit log.
    case action(String, by: String)
    case subscription(plan: String, change: String)
  }

  enum Unit: Sendable, Equatable { case stars, credits }

  /// Credits that an entry took from a lot or put into it.
  struct LotMove: Sendable, Equatable {
    var lot: Int64
    var source: LotSource
    /// Signed: negative when burned.
    var amount: Int64
    var payment: PaymentKey?
    /// nil: it has no page to link to.
    var key: LotKey?
  }

  var event: Event
  /// Signed.
  var amount: Int64
  var unit: Unit = .credits
  var at: Date
  /// The ledger's version of the account after this entry; the row's anchor is `v` and this number.
  var version: Int64?
  var balanceAfter: Int64?
  /// On a lot's page, instead of the balance: what was left of the lot.
  var leftAfter: Int64?
  /// What the amount counts, where it is no Stars.
  var creditUnit: UnitLabel = .credits
  var lots: [LotMove] = []
  var payment: PaymentKey?
  /// Named where a strip holds several customers.
  var customer: CustomerLabel?
  var reason: String?
  /// Who gave the credits: an operator's e-mail address.
  var givenBy: String?
  /// The bot's own note.
  var ref: String?
  /// Of the entry on the customer's timeline, where this strip is on another page.
  var entryHref: String?
  /// Of the page that tells the rest.
  var href: String?
  /// What became of a message, and its words.
  var message: MessageRow?
  var body: String?
}

extension StripRow {
  private var tone: Tone {
    switch event {
    case .payment: .stars
    case .credit, .release, .joined: .in
    case .use, .hold, .commit: .use
    case .refundHold: .back
    case .refund, .clawback: .back
    case .forgiveness, .expiry, .decline, .refundHoldEnd, .debtPaid, .passedOn: .quiet
    case .message, .action, .subscription: .quiet
    case .supportCase: .use
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
    case .debtPaid: return t["strip.debt_paid"]
    case .passedOn(let lot): return t("strip.passed_on", ["lot": page.lotName(lot)])
    case .joined(let lot): return t("strip.joined", ["lot": page.lotName(lot)])
    case .message(let kind):
      let key = Strings.Key("message_kind.\(kind)")
      return t.keys.contains(key) ? t[key] : t["strip.message"]
    case .supportCase(let subject): return t("strip.support_case", ["subject": subject])
    case .action(let action, _): return RuleWords.did(action, t)
    case .subscription(let plan, let change):
      return t(.init("strip.subscription_\(change)"), ["plan": plan])
    }
  }

  /// Whether it moved anything.
  private var hasAmount: Bool {
    switch event {
    case .message, .supportCase, .action, .subscription: false
    default: true
    }
  }

  /// - Parameter showsOwnPayment: false on the page of that very payment.
  func model(_ page: PageContext, showsOwnPayment: Bool = true) -> [String: TemplateValue] {
    let format = page.format
    let quantity =
      unit == .stars ? format.signedStars(amount) : page.signedAmount(amount, creditUnit)
    return [
      // Versions count per customer, so a strip of several has no anchors and links to theirs.
      "anchor": customer == nil && entryHref == nil
        ? .optional(version.map { "v\($0)" }) : .none,
      "tone": .text(tone.rawValue),
      "what": .text(title(page)),
      "what_href": .optional(href),
      "quantity": .text(hasAmount ? quantity : ""),
      "message": .optional(message) { $0.model(page) },
      "body": .optional(body),
      "version": .optional(version) { version in
        [
          "label": .text(page.strings("strip.version", ["n": format.number(version)])),
          "href": .text(
            entryHref ?? (customer.map { Links.customer(page.slug, $0.id) } ?? "") + "#v\(version)"),
        ]
      },
      "balance": .optional(
        leftAfter.map { page.strings("strip.left", ["n": format.number($0)]) }
          ?? balanceAfter.map { page.strings("strip.balance", ["n": format.number($0)]) }),
      "time": format.time(at),
      "reason": .optional(reason),
      "given_by": .optional(givenBy.map { page.strings("strip.given_by", ["who": $0]) }),
      "ref": .optional(ref.map { page.strings("strip.ref", ["ref": $0]) }),
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
      "lot": .text(page.lotName(lot)),
      "lot_href": .optional(key.map { Links.lot(page.slug, $0) }),
      "source": .text(page.strings[.init("source.\(source.rawValue)")]),
      "moved": .text(page.format.signed(amount)),
      "move_charge": .optional(payment) { page.payment($0) },
    ]
  }
}
