import Foundation

/// One lot: what made it, and where each of its credits went.
struct LotView: Sendable, Equatable {
  /// What happened to the lot's credits, each part positive.
  struct Fate: Sendable, Equatable {
    var granted: Int64
    var joined: Int64 = 0
    var used: Int64 = 0
    /// Gone already when the payment was refunded, in one of the other ways, and forgiven.
    var forgiven: Int64 = 0
    var held: Int64 = 0
    var expired: Int64 = 0
    var takenBack: Int64 = 0
    var paidDebt: Int64 = 0
    var passedOn: Int64 = 0
    var left: Int64 = 0
  }

  var customer: CustomerLabel
  var key: LotKey
  var unit: UnitLabel = .credits
  var source: LotSource
  var grantedAt: Date
  var expiresAt: Date?
  var payment: PaymentKey?
  /// The refund case that it was given in, instead of Stars.
  var refund: Int64?
  var givenBy: String?
  var reason: String?
  /// The older lot that the grant flowed into.
  var mergedInto: Int64?
  var fate: Fate
  /// Newest first.
  var strip: [StripRow]
  var paging = Paging()

  func render(with renderer: Renderer, in frame: Frame) -> String {
    let page = PageContext(frame: frame, renderer: renderer)
    let (t, format) = (page.strings, page.format)
    let name = page.name(of: customer)
    let title = t(
      "lot.title", ["lot": page.lotName(key.lot), "credits": page.amount(fate.granted, unit)])
    return page.page(
      .lot, title: title, place: .customers,
      trail: [
        (title: t["nav.customers"], href: Links.customers(page.slug)),
        (title: name, href: Links.customer(page.slug, customer.id)),
      ],
      [
        "who": .record(page.customer(customer)),
        "source": .text(t[.init("credit.\(source.rawValue)")]),
        "granted_at": .record(["time": format.time(grantedAt)]),
        "expires": .optional(expiresAt) { ["time": format.time($0)] },
        "charge": .optional(payment) { page.payment($0) },
        "refund": .optional(refund.map { Links.refund(page.slug, $0) }),
        "given_by": .optional(givenBy),
        "reason": .optional(reason),
        "merged": .optional(mergedInto) { lot in
          [
            "lot": .text(page.lotName(lot)),
            "href": .text(
              Links.lot(page.slug, LotKey(customer: key.customer, unit: key.unit, lot: lot))),
          ]
        },
        "sum": .text(sum(page)),
        "lines": .list(lines(page)),
        "forgiven": fate.forgiven == 0
          ? .none
          : .text(t("lot.forgiven", count: fate.forgiven, ["n": format.number(fate.forgiven)])),
        "strip": page.strip(strip, showsOwnPayment: false),
        "paging": paging.model(path: Links.lot(page.slug, key)),
      ])
  }

  /// What went out of it and what is left, in the order of a life; parts of nothing are left out.
  private var parts: [(name: String, amount: Int64)] {
    [
      ("used", fate.used), ("held", fate.held), ("expired", fate.expired),
      ("taken_back", fate.takenBack), ("paid_debt", fate.paidDebt), ("passed_on", fate.passedOn),
    ].filter { $0.1 > 0 } + [("left", fate.left)]
  }

  /// `10 given = 4 used + 6 left`.
  private func sum(_ page: PageContext) -> String {
    let (t, format) = (page.strings, page.format)
    func part(_ name: String, _ amount: Int64) -> String {
      t(.init("lot.sum_\(name)"), count: amount, ["n": format.number(amount)])
    }
    let given =
      [part("given", fate.granted)] + (fate.joined > 0 ? [part("joined", fate.joined)] : [])
    return given.joined(separator: " + ") + " = "
      + parts.map { part($0.name, $0.amount) }.joined(separator: " + ")
  }

  private func lines(_ page: PageContext) -> [TemplateValue] {
    let t = page.strings
    let all =
      [("given", fate.granted)] + (fate.joined > 0 ? [("joined", fate.joined)] : []) + parts
    return all.map { name, amount in
      [
        "what": .text(t[.init("lot.line_\(name)")]),
        "quantity": .text(page.amount(amount, unit)),
      ]
    }
  }
}
