import Foundation

/// The way of a payment, in its order: invoice, pre-checkout, payment, lots, use, and back.
struct RefundPath: Sendable, Equatable {
  enum Event: Sendable, Equatable {
    case invoice(openedBy: String)
    case noInvoice
    /// Telegram asked whether it may be paid: with the reason where it may not.
    case accepted
    case refused(reason: String)
    /// eStars saw no such question: the bot answers itself, or the database was away.
    case notAsked
    case payment
    case lot(LotSource, number: Int64)
    case uses(action: String, times: Int64)
    case expired
    case takenBack
    case forgiven
    case starsBack
  }

  struct Step: Sendable, Equatable {
    var event: Event
    /// Signed; nil where nothing moved.
    var stars: Int64?
    var credits: Int64?
    var at: Date?
    /// Of several: the last.
    var until: Date?
    var href: String?
  }

  var steps: [Step]

  func model(_ page: PageContext) -> TemplateValue {
    steps.isEmpty ? .none : .record(["rows": .records(steps) { $0.model(page) }])
  }
}

extension RefundPath.Step {
  fileprivate func model(_ page: PageContext) -> [String: TemplateValue] {
    let format = page.format
    let isPrice = if case .invoice = event { true } else { false }
    let quantity =
      stars.map { isPrice ? format.stars($0) : format.signedStars($0) }
      ?? credits.map(format.signedCredits)
    return [
      "tone": .text(tone.rawValue), "what": .text(title(page)), "href": .optional(href),
      "quantity": .optional(quantity), "time": at.map(format.time) ?? .none,
      "last": .optional(until) { ["time": format.time($0)] },
      "note": .optional(note(page)),
    ]
  }

  private var tone: Tone {
    switch event {
    case .payment: .stars
    case .lot: .in
    case .uses: .use
    case .starsBack, .takenBack: .back
    case .invoice, .noInvoice, .accepted, .refused, .notAsked, .expired, .forgiven: .quiet
    }
  }

  private func title(_ page: PageContext) -> String {
    let t = page.strings
    switch event {
    case .invoice: return t["refund_path.invoice"]
    case .noInvoice: return t["refund_path.no_invoice"]
    case .accepted: return t["refund_path.accepted"]
    case .refused: return t["refund_path.refused"]
    case .notAsked: return t["refund_path.not_asked"]
    case .payment: return t["refund_path.payment"]
    case .lot(let source, let number):
      return t(
        "refund_path.lot",
        ["lot": page.lotName(number), "source": t[.init("source.\(source.rawValue)")]])
    case .uses(let action, let times):
      return t(
        "refund_path.uses", count: times, ["action": action, "n": page.format.number(times)])
    case .expired: return t["refund.row_expired"]
    case .takenBack: return t["refund.took"]
    case .forgiven: return t["refund.was_forgive"]
    case .starsBack: return t["refund.row_stars"]
    }
  }

  private func note(_ page: PageContext) -> String? {
    switch event {
    case .invoice(let name) where !name.isEmpty:
      page.strings("refund_path.opened_by", ["who": name])
    case .refused(let reason): CheckoutReason.words(reason, page.strings)
    default: nil
    }
  }
}
