import Foundation

/// One mismatch: what each book says, and what can be done about it.
struct MismatchView: Sendable, Equatable {
  enum Warning: String, Sendable, CaseIterable {
    /// Somebody closed it while the reader looked.
    case closed
    /// The ledger, or the facts, do not allow it.
    case refused
  }

  enum Problem: String, Sendable, CaseIterable { case missing, long }

  /// What putting it right does to the customer's credits.
  struct Effect: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
      case credits, plan, unmatched, refund
      case refundUnpaid = "refund_unpaid"
      case posting
    }

    var kind: Kind
    /// nil: no credits move, or it is not known how many.
    var credits: Int64?
    var balance: Int64?
  }

  struct Closing: Sendable, Equatable {
    var at: Date
    /// `rule`, `telegram` or an operator.
    var by: String
    var note: String
  }

  struct Form: Sendable, Equatable {
    var note = ""
    var problem: Problem?
  }

  var mismatch: MismatchRow
  var happenedAt: Date?
  /// In Telegram's own words: who the Stars came from or went to, and what for.
  var partner: String?
  var payment: PaymentKey?
  var refundID: Int64?
  /// Of the charge's lots; nil: there are none.
  var ledgerCredits: Int64?
  var takenCredits: Int64?
  /// nil: there is nothing to do but to look into it.
  var effect: Effect?
  /// nil: the reader's role may not close it.
  var form: Form?
  var closed: Closing?
  var warning: Warning?
  var audit: [PaymentView.AuditLine] = []

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let isOpen = mismatch.state == .open
    let path = Links.mismatch(page.slug, mismatch.id)
    return page.page(
      .mismatch, title: mismatch.title(t), place: .reconciliation,
      trail: [(title: t["nav.reconciliation"], href: Links.reconciliation(page.slug))],
      [
        "mismatch": .record(mismatch.model(page)),
        "why": .text(t[.init("mismatch.why_\(mismatch.kind.rawValue)")]),
        "warning": .optional(warning.map { t[.init("mismatch.warning_\($0.rawValue)")] }),
        "id": .text(mismatch.transactionID),
        "happened": .optional(happenedAt) { ["time": format.time($0)] },
        "partner": .optional(partner),
        "customer": .optional(mismatch.customer) { page.customer($0) },
        "sides": .list(sides(page)),
        "fix": .optional(isOpen ? effect : nil) { fix($0, path, page) },
        "accept": .optional(isOpen ? form : nil) { accept($0, path, page) },
        "only_managers": .flag(isOpen && form == nil),
        "closed": .optional(closed) { closed in
          [
            "words": .text(words(closed.by, t)),
            "note": closed.note.isEmpty ? .none : .text(closed.note),
            "time": format.time(closed.at),
          ]
        },
        "audit": PaymentView.audit(audit, page),
      ])
  }

  private func words(_ by: String, _ t: Strings) -> String {
    switch (mismatch.state, by) {
    case (_, "telegram"): t["mismatch.closed_by_telegram"]
    case (_, "rule"): t["mismatch.closed_by_rule"]
    case (.accepted, _): t("mismatch.accepted_by", ["who": by])
    default: t("mismatch.fixed_by", ["who": by])
    }
  }

  private func sides(_ page: PageContext) -> [TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let nothing = "–"
    func side(_ name: String, _ says: String?, _ href: String? = nil) -> TemplateValue {
      ["book": .text(name), "says": .text(says ?? nothing), "href": .optional(href)]
    }
    let ours =
      payment.map { Links.payment(page.slug, $0) }
      ?? refundID.map { Links.refund(page.slug, $0) }
    let ledger = ledgerCredits.map { credits in
      takenCredits.map {
        t("mismatch.ledger_taken", ["n": format.credits(credits), "taken": format.credits($0)])
      } ?? format.signedCredits(credits)
    }
    return [
      side(t["mismatch.book_telegram"], mismatch.stars.map(format.signedStars)),
      side(t["mismatch.book_payments"], mismatch.ourStars.map(format.signedStars), ours),
      side(t["mismatch.book_ledger"], ledger),
    ]
  }

  private func fix(
    _ effect: Effect, _ path: String, _ page: PageContext
  ) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let after = effect.balance.flatMap { balance in effect.credits.map { balance + $0 } }
    return [
      "hint": .text(t[.init("mismatch.effect_\(effect.kind.rawValue)")]),
      "credits": .optional(effect.credits.map(format.signedCredits)),
      "balance": after.map { after in
        .text(
          t(
            "mismatch.balance",
            ["before": format.number(effect.balance ?? 0), "after": format.credits(after)]))
      } ?? .none,
      "form": form == nil
        ? .none
        : .record([
          "action": .text(path + "/fix"),
          "button": .text(t[.init("mismatch.do_\(effect.kind.rawValue)")]),
        ]),
    ]
  }

  private func accept(_ form: Form, _ path: String, _ page: PageContext) -> [String: TemplateValue]
  {
    let t = page.strings
    let problem = form.problem.map { t[.init("mismatch.note_\($0.rawValue)")] }
    return [
      "action": .text(path + "/acceptance"), "note": .text(form.note),
      "problem": .optional(problem),
      "summary": problem.map { words in
        .record([
          "rows": .list([
            ["href": "#note", "words": .text("\(t["mismatch.note"]): \(words)")]
          ])
        ])
      } ?? .none,
    ]
  }
}
