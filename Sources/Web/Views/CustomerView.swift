import Foundation

/// Everything about one customer: what they have, what they paid, what happened.
struct CustomerView: Sendable, Equatable {
  static let paymentsShown = 10

  var customer: CustomerLabel
  var hasPurchased: Bool
  var since: Date
  /// Since then nobody knows who it was.
  var erasedAt: Date?
  var lifetime = Lifetime()
  /// What the customer has, a credit unit each; the first unit always.
  var accounts: [CreditAccount]
  /// Credits that were just given, in words of the form.
  var given: Given?
  /// An answer that was just sent.
  var answered: MessageRow?
  /// Whether the reader's role may give credits and answer.
  var mayGive = false
  var mayErase = false
  /// Open support cases, newest first.
  var cases: [Case] = []
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
  /// The newest.
  var payments: [PaymentRow]
  var hasMorePayments = false
  /// The unit whose timeline this is.
  var unit: UnitLabel = .credits
  /// Which events the timeline shows; nil = all of them.
  var filter: Filter?
  /// Newest first: payments, refunds, ledger entries, messages, cases and deeds in one line.
  var timeline: [StripRow]
  var paging = Paging()

  struct CreditAccount: Sendable, Equatable {
    var unit: UnitLabel = .credits
    /// Free to spend; negative is debt.
    var available: Int64
    var held: Int64
    /// Open lots in the order they will be used.
    var lots: [LotRow]
    var fate = Fate()
  }

  /// Where an account's credits went.
  struct Fate: Sendable, Equatable {
    struct Use: Sendable, Equatable {
      /// What the action is called; nil: all others.
      var title: String?
      var units: Int64
      var credits: Int64
    }

    var came: Int64 = 0
    var expired: Int64 = 0
    var takenBack: Int64 = 0
    var uses: [Use] = []
  }

  struct Lifetime: Sendable, Equatable {
    var payments: Int64 = 0
    var starsPaid: Int64 = 0
    var starsRefunded: Int64 = 0
    /// What the Stars that stayed bring, in millionths of the currency.
    var netMicros: Int64 = 0
    /// What the uses cost; nil: not counted yet.
    var costMicros: Int64?
    var currency = "BRL"
  }

  struct Case: Sendable, Equatable {
    var id: Int64
    var subject: String
    /// The next word is ours.
    var isOurs: Bool
    var assignee: String?
    /// Since when.
    var since: Date
  }

  enum Filter: String, Sendable, CaseIterable {
    case payments, credits, uses, holds, refunds, messages, cases, actions

    /// Whether it stands in the timeline of every unit.
    var isOfLedger: Bool { [.credits, .uses, .holds, .refunds].contains(self) }
  }

  struct Given: Sendable, Equatable {
    var source: LotSource
    var credits: Int64
    var unit: UnitLabel
  }

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let t = page.strings
    return page.page(
      .customer, title: page.name(of: customer), place: .customers,
      trail: [(title: t["nav.customers"], href: Links.customers(page.slug))],
      top(page).merging(holdings(page)) { first, _ in first }
        .merging(history(page)) { first, _ in first })
  }

  private func top(_ page: PageContext) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "who": .record(page.customer(customer)),
      "number": .text(String(customer.id)),
      "purchased": .text(t[hasPurchased ? "customers.bought" : "customers.not_yet"]),
      "purchased_class": .text(hasPurchased ? "good" : "unknown"),
      "since": format.time(since),
      "erased": .optional(erasedAt.map { t("customer.erased_on", ["day": format.day($0)]) }),
      "given": .optional(
        given.map {
          t(
            "customer.given",
            [
              "credits": page.amount($0.credits, $0.unit),
              "source": t[.init("source.\($0.source.rawValue)")],
            ])
        }),
      "answered": .optional(answered) { $0.model(page) },
      "figures": lifetime.payments == 0 ? .none : .record(["rows": .records(figures(page)) { $0 }]),
      "give": mayGive ? .text(Links.newGrant(page.slug, customer.id)) : .none,
      "sell": mayGive ? .text(Links.newCheckout(page.slug, customer.id)) : .none,
      "answer": mayGive ? .text(Links.newCreditAnswer(page.slug, customer.id)) : .none,
      "support": mayGive ? .text(Links.newSupportCase(page.slug, customer.id)) : .none,
      "erase": mayErase ? .text(Links.erasure(page.slug, customer.id)) : .none,
      "checkouts": .text(
        Links.with(
          Links.checkouts(page.slug), [("state", "all"), ("customer", String(customer.id))])),
      "tier": .optional(tier),
    ]
  }

  private func holdings(_ page: PageContext) -> [String: TemplateValue] {
    func rows<Row>(
      _ rows: [Row], _ model: (Row) -> [String: TemplateValue]
    ) -> TemplateValue {
      rows.isEmpty ? .none : .record(["rows": .records(rows, model)])
    }
    return [
      "accounts": .records(accounts) { $0.model(page) },
      "cases": rows(cases) { $0.model(page) },
      "subscriptions": rows(subscriptions) { $0.model(page) },
      "give_plan": mayGivePlan ? .text(Links.newSubscription(page.slug, customer.id)) : .none,
      "quotas": rows(quotas) { $0.model(page) },
      "access": rows(access) { $0.model(page) },
      "holds": rows(holds) { $0.model(page) },
      "payments": rows(payments) { $0.model(page) },
      "more_payments": hasMorePayments ? .record(more(page)) : .none,
    ]
  }

  private func history(_ page: PageContext) -> [String: TemplateValue] {
    let t = page.strings
    return [
      "unit_tabs": unitTabs(page),
      "filters": .records([nil] + Filter.allCases.filter { unit.number == 1 || $0.isOfLedger }) {
        choice in
        [
          "title": .text(t[.init("customer.show_\(choice?.rawValue ?? "all")")]),
          "href": .text(
            Links.with(Links.customer(page.slug, customer.id), query(choice)) + "#timeline"),
          "current": .flag(choice == filter),
        ]
      },
      "timeline": timeline.isEmpty ? .none : .record(["strip": page.strip(timeline)]),
      "none": .text(t[filter == nil ? "customer.timeline_none" : "customer.filter_none"]),
      "paging": paging.model(
        path: Links.customer(page.slug, customer.id), query: query(filter)),
    ]
  }

  private func query(_ filter: Filter?) -> [(name: String, value: String?)] {
    [
      (name: "unit", value: unit.number == 1 ? nil : String(unit.number)),
      (name: "show", value: filter?.rawValue),
    ]
  }

  private func figures(_ page: PageContext) -> [[String: TemplateValue]] {
    let (t, format) = (page.strings, page.format)
    func figure(
      _ label: Strings.Key, _ value: String, _ note: String, _ tone: Tone
    ) -> [String: TemplateValue] {
      [
        "label": .text(t[label]), "value": .text(value), "note": .text(note),
        "tone": .text(tone.rawValue),
      ]
    }
    let net = lifetime.starsPaid - lifetime.starsRefunded
    var figures = [
      figure(
        "customer.net_stars", format.stars(net),
        lifetime.starsRefunded == 0
          ? t(
            "customer.net_note", count: lifetime.payments,
            ["n": format.number(lifetime.payments)])
          : t(
            "customer.net_note_refunded",
            [
              "paid": format.stars(lifetime.starsPaid),
              "refunded": format.stars(lifetime.starsRefunded),
            ]), .stars),
      figure(
        "customer.revenue", format.money(micros: lifetime.netMicros, lifetime.currency),
        t["customer.revenue_note"], .quiet),
    ]
    if let cost = lifetime.costMicros {
      let margin = lifetime.netMicros - cost
      figures.append(
        figure(
          "customer.margin", format.money(micros: margin, lifetime.currency),
          t(
            "customer.margin_note",
            ["cost": format.money(micros: cost, lifetime.currency)]),
          margin < 0 ? .back : .in))
    }
    return figures
  }

  /// Where all payments and refunds of the customer stand.
  private func more(_ page: PageContext) -> [String: TemplateValue] {
    let id = String(customer.id)
    return [
      "payments": .text(Links.with(Links.payments(page.slug), [("customer", id)])),
      "refunds": .text(
        Links.with(Links.refunds(page.slug), [("show", "all"), ("customer", id)])),
    ]
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
