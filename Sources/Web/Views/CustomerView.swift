import Foundation

/// Everything about one customer: what they have, what they paid, what happened.
struct CustomerView: Sendable, Equatable {
  var customer: CustomerLabel
  var hasPurchased: Bool
  var since: Date
  /// Free to spend; negative is debt.
  var available: Int64
  var held: Int64
  /// Open lots in the order they will be used.
  var lots: [LotRow]
  var access: [AccessRow]
  var holds: [HoldRow]
  /// The newest ones.
  var payments: [PaymentRow]
  /// Newest first: payments, refunds and ledger entries in one line.
  var timeline: [StripRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let path = Links.customer(page.slug, customer.id)
    return page.page(
      .customer, title: page.name(of: customer), place: .customers,
      trail: [(title: t["nav.customers"], href: Links.customers(page.slug))],
      [
        "who": .record(page.customer(customer)),
        "number": .text(String(customer.id)),
        "purchased": .text(t[hasPurchased ? "customers.bought" : "customers.not_yet"]),
        "purchased_class": .text(hasPurchased ? "good" : "unknown"),
        "since": format.time(since),
        "available": .text(format.number(available)),
        "balance_label": .text(
          available < 0
            ? t["customer.owes"] : t("customer.available", count: available, [:])),
        "debt": .flag(available < 0),
        "held": held == 0
          ? .none : .text(t("customer.held", count: held, ["n": format.number(held)])),
        "lots": lots.isEmpty ? .none : .record(["rows": .records(lots) { $0.model(page) }]),
        "access": access.isEmpty ? .none : .record(["rows": .records(access) { $0.model(page) }]),
        "holds": holds.isEmpty ? .none : .record(["rows": .records(holds) { $0.model(page) }]),
        "payments": payments.isEmpty
          ? .none : .record(["rows": .records(payments) { $0.model(page) }]),
        "timeline": timeline.isEmpty ? .none : .record(["strip": page.strip(timeline)]),
        "paging": paging.model(path: path),
      ])
  }
}

extension LotRow {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "lot": .text(t("lot.number", ["n": format.number(lot)])),
      "source": .text(t[.init("source.\(source.rawValue)")]),
      "granted": .text(format.number(granted)),
      "left": .text(format.number(left)),
      "expires": .optional(expiresAt) { ["time": format.time($0)] },
      "granted_at": .record(["time": format.time(grantedAt)]),
      "charge": .optional(payment) { page.payment($0) },
    ]
  }
}

extension AccessRow {
  private func state(at now: Date) -> String {
    if revokedAt != nil { return "revoked" }
    if startsAt > now { return "coming" }
    return endsAt.map { $0 <= now } == true ? "ended" : "active"
  }

  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let state = state(at: page.frame.now)
    return [
      "feature": .text(title),
      "state": .text(t[.init("access.\(state)")]),
      "state_class": .text(state == "active" ? "good" : state == "revoked" ? "bad" : "unknown"),
      "ends": .optional(revokedAt ?? endsAt) { ["time": format.time($0)] },
      "charge": .optional(payment) { page.payment($0) },
    ]
  }
}

extension HoldRow {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    [
      "what": .text(
        isRefund ? page.strings["strip.refund_hold"] : actionTitle ?? page.strings["strip.hold"]),
      "open": .text(page.strings[isRefund ? "hold.open_refund" : "hold.open"]),
      "id": .text(id),
      "amount": .text(page.format.number(amount)),
      "held_at": .record(["time": page.format.time(heldAt)]),
      "expires": .optional(expiresAt) { ["time": page.format.time($0)] },
    ]
  }
}
