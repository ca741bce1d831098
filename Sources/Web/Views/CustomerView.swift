import Foundation

/// Everything about one customer: what they have, what they paid, what happened.
struct CustomerView: Sendable, Equatable {
  var customer: CustomerLabel
  var hasPurchased: Bool
  var since: Date
  /// What the customer has, a credit unit each; the first unit always.
  var accounts: [CreditAccount]
  /// Credits that were just given, in words of the form.
  var given: Given?
  /// Whether the reader's role may give credits.
  var mayGive = false
  /// What the customer's tier is called.
  var tier: String?
  /// Newest first.
  var subscriptions: [SubscriptionRow] = []
  /// Whether the reader's role may give a plan.
  var mayGivePlan = false
  var quotas: [QuotaRow] = []
  var access: [AccessRow]
  var holds: [HoldRow]
  /// The newest ones.
  var payments: [PaymentRow]
  /// The unit whose timeline this is.
  var unit: UnitLabel = .credits
  /// Newest first: payments, refunds and ledger entries in one line.
  var timeline: [StripRow]
  var paging = Paging()

  struct CreditAccount: Sendable, Equatable {
    var unit: UnitLabel = .credits
    /// Free to spend; negative is debt.
    var available: Int64
    var held: Int64
    /// Open lots in the order they will be used.
    var lots: [LotRow]
  }

  struct Given: Sendable, Equatable {
    var source: LotSource
    var credits: Int64
    var unit: UnitLabel
  }

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
        "given": .optional(
          given.map {
            t(
              "customer.given",
              [
                "credits": page.amount($0.credits, $0.unit),
                "source": t[.init("source.\($0.source.rawValue)")],
              ])
          }),
        "accounts": .records(accounts) { $0.model(page) },
        "give": mayGive ? .text(Links.newGrant(page.slug, customer.id)) : .none,
        "sell": mayGive ? .text(Links.newCheckout(page.slug, customer.id)) : .none,
        "support": mayGive ? .text(Links.newSupportCase(page.slug, customer.id)) : .none,
        "checkouts": .text(
          Links.with(
            Links.checkouts(page.slug), [("state", "all"), ("customer", String(customer.id))])),
        "unit_tabs": unitTabs(page),
        "tier": .optional(tier),
        "subscriptions": subscriptions.isEmpty
          ? .none : .record(["rows": .records(subscriptions) { $0.model(page) }]),
        "give_plan": mayGivePlan ? .text(Links.newSubscription(page.slug, customer.id)) : .none,
        "quotas": quotas.isEmpty ? .none : .record(["rows": .records(quotas) { $0.model(page) }]),
        "access": access.isEmpty ? .none : .record(["rows": .records(access) { $0.model(page) }]),
        "holds": holds.isEmpty ? .none : .record(["rows": .records(holds) { $0.model(page) }]),
        "payments": payments.isEmpty
          ? .none : .record(["rows": .records(payments) { $0.model(page) }]),
        "timeline": timeline.isEmpty ? .none : .record(["strip": page.strip(timeline)]),
        "paging": paging.model(
          path: path,
          query: [(name: "unit", value: unit.number == 1 ? nil : String(unit.number))]),
      ])
  }

  /// One timeline a unit, where the customer has more than one.
  private func unitTabs(_ page: PageContext) -> TemplateValue {
    guard accounts.count > 1 else { return .none }
    let path = Links.customer(page.slug, customer.id)
    return [
      "tabs": .records(accounts.map(\.unit)) { choice in
        [
          "words": .text(page.name(of: choice)),
          "href": .text(
            Links.with(path, [("unit", choice.number == 1 ? nil : String(choice.number))])
              + "#timeline"),
          "current": .flag(choice == unit),
        ]
      }
    ]
  }
}

extension CustomerView.CreditAccount {
  fileprivate func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    let isOwn = unit.name == UnitLabel.credits.name
    let label =
      switch (available < 0, isOwn) {
      case (true, true): t["customer.owes"]
      case (true, false): t("customer.owes_unit", ["unit": unit.name])
      case (false, true): t("customer.available", count: available, [:])
      case (false, false): t("customer.available_unit", ["unit": unit.name])
      }
    return [
      "available": .text(format.number(available)),
      "balance_label": .text(label),
      "debt": .flag(available < 0),
      "held": held == 0
        ? .none : .text(t("customer.held", count: held, ["n": format.number(held)])),
      "lots": lots.isEmpty ? .none : .record(["rows": .records(lots) { $0.model(page) }]),
    ]
  }
}

extension LotRow {
  func model(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "lot": .text(page.lotName(lot)),
      "lot_href": .optional(key.map { Links.lot(page.slug, $0) }),
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
