import Foundation

/// One payment: what was paid, what it made and what became of that.
struct PaymentView: Sendable, Equatable {
  struct Checkout: Sendable, Equatable {
    var id: String
    var openedAt: Date
  }

  struct AuditLine: Sendable, Equatable {
    var at: Date
    /// An operator's name, `eStars` or a bot's username.
    var actor: String
    /// The audit log's own name for it, such as `payment.credited`; shown as it is when it has
    /// no words here.
    var action: String
    var detail: String?
  }

  var payment: PaymentRow
  /// The pack's own key, such as `start`.
  var sku: String?
  /// Without the @.
  var botUsername: String
  var checkout: Checkout?
  var refundedAt: Date?
  var lots: [LotRow]
  /// Credits used from this payment's lots; positive.
  var creditsUsed: Int64
  var access: [AccessRow]
  /// Newest first: only what this payment moved.
  var strip: [StripRow]
  var audit: [AuditLine]
  var review: Review?
  var refund: RefundRow?
  /// What a refund would do; nil when there is a case, whose page says it.
  var effect: RefundEffect?
  /// nil: the reader may not ask for one, or there is one.
  var request: RefundRequestForm?
  /// nil: there is none, since nothing was sold.
  var receipts: Receipts?
  /// The steps that its checkout took, in their order.
  var steps: [CheckoutView.Step] = []
  /// Support cases about it, newest first.
  var cases: [SupportCaseRow] = []
  /// Whether the reader's role may open one.
  var mayOpenCase = false
  /// Whether its customer was erased.
  var isErased = false

  struct Receipts: Sendable, Equatable {
    /// Newest first.
    var rows: [MessageRow]
    /// Of the form that sends it once more; nil where the reader may not.
    var formKey: String?
  }

  /// Why a person should look at the payment.
  enum Review: String, Sendable, CaseIterable {
    case unknownPayload = "unknown_payload"
    case secondPayment = "second_payment"
    case buyerDiffers = "buyer_differs"
    case amountDiffers = "amount_differs"
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let title = t(
      "payment.title",
      ["stars": format.stars(payment.stars), "name": page.name(of: payment.customer)])
    let values: [String: TemplateValue] = [
      "payment": .record(payment.model(page)),
      "sku": .optional(sku),
      "bot": .text("@" + botUsername),
      "checkout": .optional(checkout) {
        [
          "id": .text($0.id), "time": format.time($0.openedAt),
          "href": .text(Links.checkouts(page.slug) + "/" + $0.id),
        ]
      },
      "history": steps.isEmpty
        ? .none : .record(["steps": .records(steps) { $0.model(page) }]),
      "refunded": .optional(refundedAt) { ["time": format.time($0)] },
      "review": .optional(review.map { t[.init("payment.review_\($0.rawValue)")] }),
      "erased": .flag(isErased),
      "refund_case": .optional(refund) { $0.model(page) },
      "effect": .optional(effect) { $0.model(page) },
      "request": .optional(request) { form($0, page) },
      "support": support(page),
      "receipts": .optional(receipts) { receipts in
        [
          "rows": .records(receipts.rows) { $0.model(page) },
          "none": .flag(receipts.rows.isEmpty),
          "form": .optional(receipts.formKey) { key in
            [
              "action": .text(Links.payment(page.slug, payment.key) + "/receipts"),
              "key": .text(key),
            ]
          },
        ]
      },
      "lots": lots.isEmpty ? .none : .record(["rows": .records(lots) { $0.model(page) }]),
      "outcome": lots.isEmpty ? .none : .text(outcome(page)),
      "access": access.isEmpty ? .none : .record(["rows": .records(access) { $0.model(page) }]),
      "timeline": strip.isEmpty
        ? .none : .record(["strip": page.strip(strip, showsOwnPayment: false)]),
      "audit": Self.audit(audit, page),
    ]
    return page.page(
      .payment, title: title, place: .payments,
      trail: [(title: t["nav.payments"], href: Links.payments(page.slug))], values)
  }

  private func support(_ page: PageContext) -> TemplateValue {
    guard mayOpenCase || !cases.isEmpty else { return .none }
    return [
      "cases": .records(cases) { $0.model(page) },
      "new": mayOpenCase
        ? .text(Links.newSupportCase(page.slug, payment.customer.id, about: payment.key)) : .none,
    ]
  }

  private func form(_ form: RefundRequestForm, _ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "action": .text(Links.refunds(page.slug)),
      "bot_id": .text(String(payment.key.botID)),
      "charge_id": .text(payment.key.chargeID),
      "open": .flag(form.noteIsTooLong),
      "reasons": .records(RefundReason.choices) { reason in
        [
          "value": .text(reason.rawValue), "selected": .flag(reason == form.reason),
          "words": .text(t[.init("refund_reason.\(reason.rawValue)")]),
        ]
      },
      "note": .text(form.note),
      "note_problem": form.noteIsTooLong ? .text(t["refund.problem_note"]) : .none,
    ]
  }

  static func audit(_ lines: [AuditLine], _ page: PageContext) -> TemplateValue {
    guard !lines.isEmpty else { return .none }
    return [
      "rows": .records(lines) { line in
        [
          "time": page.format.time(line.at), "actor": .text(line.actor),
          "did": .text(RuleWords.did(line.action, page.strings)), "detail": .optional(line.detail),
        ]
      }
    ]
  }

  private func outcome(_ page: PageContext) -> String {
    let format = page.format
    return page.strings(
      "payment.outcome",
      [
        "granted": format.credits(lots.reduce(0) { $0 + $1.granted }),
        "used": format.number(creditsUsed),
        "left": format.number(lots.reduce(0) { $0 + $1.left }),
      ])
  }
}
