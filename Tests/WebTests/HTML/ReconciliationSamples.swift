import Foundation

@testable import Web

extension Samples {
  private static func mismatch(
    _ id: Int64, _ kind: MismatchKind, _ stars: Int64?, _ ours: Int64?,
    _ customer: CustomerLabel? = nil, _ state: MismatchState = .open
  ) -> MismatchRow {
    MismatchRow(
      id: id, kind: kind, bot: shop, transactionID: id == 16 ? longCharge : "stx00\(id)",
      stars: stars, ourStars: ours, customer: customer, state: state, foundAt: ago(2 * hour))
  }

  static let mismatches: [MismatchRow] = [
    mismatch(16, .paymentUnseen, 75, nil, ana), mismatch(15, .refundUnseen, -250, nil, maria),
    mismatch(14, .amountDiffers, 70, 75, mallory),
    mismatch(13, .creditsMissing, 75, 75, ana, .fixed),
    mismatch(12, .unknownPartner, -1_234_567, nil, nil, .accepted),
    mismatch(11, .notInTelegram, nil, 75, ana),
  ]

  static let compared = ReconciliationRow(
    bot: shop, state: .done, askedBy: nil, at: ago(3 * hour), read: 212,
    total: 12_345, matched: 12_341, found: 5, fixed: 1, reachedAt: ago(3 * hour),
    balance: 91_204, books: 91_204)

  static let beingCompared: ReconciliationRow = {
    var row = compared
    row.state = .running
    row.read = 300
    row.at = ago(1)
    row.askedBy = "owner@estudio.example"
    return row
  }()

  static let notReached: ReconciliationRow = {
    var row = compared
    row.bot = studio
    row.state = .failed
    row.problem = .code(.notReached)
    return row
  }()

  static let reconciliation = ReconciliationView(
    standing: .init(
      balance: 91_204, withdrawable: 61_003, balanceAt: ago(3 * hour), held: 30_201,
      liabilityCredits: 4_031, liabilityStars: 28_900, liabilityMoney: 2_028, deliveryMoney: 121,
      currency: "BRL", exposure: 750),
    bots: [
      .init(bot: shop, latest: compared, compared: compared, open: 4),
      .init(bot: studio, latest: notReached, compared: nil, open: 0),
    ],
    showsOpen: true, rows: mismatches.filter { $0.state == .open },
    paging: Paging(nextCursor: "11"), mendsItself: true, maySetRule: true, mayCompare: true,
    recent: [compared, notReached])

  static let reconciling: ReconciliationView = {
    var view = reconciliation
    view.bots[0].latest = beingCompared
    view.bots[1].latest = nil
    view.rows = []
    view.paging = Paging()
    view.mendsItself = false
    view.maySetRule = false
    view.mayCompare = false
    view.recent = []
    return view
  }()

  static let reconciliationAll: ReconciliationView = {
    var view = reconciliation
    view.showsOpen = false
    view.rows = mismatches
    view.paging = Paging(isFirst: false)
    view.bots[0].open = 0
    view.bots[0].compared?.books = 91_104
    view.standing = .init(
      balance: nil, withdrawable: nil, balanceAt: nil, held: 0, liabilityCredits: 1,
      liabilityStars: 0, liabilityMoney: 0, deliveryMoney: 0, currency: "EUR", exposure: 0)
    return view
  }()

  static let reconciliationNothing = ReconciliationView(
    standing: .init(
      balance: 0, withdrawable: 0, balanceAt: ago(minute), held: 0, liabilityCredits: 0,
      liabilityStars: 0, liabilityMoney: 0, deliveryMoney: 0, currency: "BRL", exposure: 0),
    bots: [], showsOpen: false, rows: [], mendsItself: true, maySetRule: false, mayCompare: true,
    recent: [])

  static let paymentUnseen = MismatchView(
    mismatch: mismatches[0], happenedAt: ago(day), partner: "user, invoice_payment",
    effect: .init(kind: .credits, credits: 10, balance: 3), form: .init())

  static let refundUnseen = MismatchView(
    mismatch: mismatches[1], happenedAt: ago(day), partner: "other",
    payment: PaymentKey(botID: shop.id, chargeID: "stx0015"), ledgerCredits: 50,
    effect: .init(kind: .refund, credits: -41, balance: 44), form: nil)

  static let stranger = MismatchView(
    mismatch: {
      var row = mismatches[4]
      row.state = .open
      return row
    }(), happenedAt: ago(day), partner: "other",
    form: .init(note: hostile, problem: .long), warning: .refused)

  static let mismatchClosed = MismatchView(
    mismatch: mismatches[3], happenedAt: ago(day), partner: "user, invoice_payment",
    payment: PaymentKey(botID: shop.id, chargeID: "stx0013"), ledgerCredits: 10,
    takenCredits: 4, closed: .init(at: ago(hour), by: "rule", note: ""), warning: .closed,
    audit: [
      .init(at: ago(hour), actor: "reconciliation.run", action: "mismatch.fixed", detail: nil)
    ])

  static let mismatchAccepted = MismatchView(
    mismatch: mismatches[4], happenedAt: ago(day), partner: "other", form: .init(),
    closed: .init(at: ago(hour), by: "owner@estudio.example", note: rightToLeft))
}
