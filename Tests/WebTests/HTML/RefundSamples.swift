import Foundation

@testable import Web

extension Samples {
  static let refunds: [RefundRow] = [
    RefundRow(
      id: 31, customer: ana, packTitle: "Start", stars: 75, state: .requested,
      reason: .customer_asked, openedAt: ago(3 * minute)),
    RefundRow(
      id: 30, customer: nil, packTitle: nil, stars: 500, state: .confirmed,
      reason: .refunded_elsewhere, openedAt: ago(hour)),
    RefundRow(
      id: 29, customer: mallory, packTitle: hostile, stars: 1, state: .failed,
      reason: .double_payment, openedAt: ago(9 * day)),
    RefundRow(
      id: 28, customer: maria, packTitle: "Max 🚀", stars: 1_125, state: .unknown,
      reason: .not_delivered, openedAt: ago(10 * day)),
  ]

  /// A row in every state.
  static let everyState: [RefundRow] = RefundState.allCases.enumerated().map { index, state in
    var row = refunds[index % refunds.count]
    row.id = 40 - Int64(index)
    row.state = state
    return row
  }

  static let unused = RefundEffect(
    stars: 75, lots: [.init(lot: 1, source: .payment, granted: 10, taken: 10)], policy: .forgive,
    used: 0, held: 0, expired: 0, balanceBefore: 12, balanceAfter: 2, access: ["HD quality"],
    verdict: .init(isInTime: true, isUnused: true, paidAt: ago(3 * hour), used: 0))

  static let partlyUsed = RefundEffect(
    stars: 75,
    lots: [
      .init(lot: 1, source: .payment, granted: 1_000, taken: 1),
      .init(lot: 2, source: .bonus, granted: 1, taken: 0),
    ], policy: .forgive, used: 998, held: 2, expired: 1, balanceBefore: 1, balanceAfter: 0,
    access: [hostile],
    verdict: .init(isInTime: false, isUnused: false, paidAt: ago(30 * hour), used: 1_000))

  static let owed: RefundEffect = {
    var effect = partlyUsed
    effect.policy = .debt
    effect.balanceAfter = -1_000
    return effect
  }()

  static let nothingGiven = RefundEffect(
    stars: 1, lots: [], policy: .forgive, used: 0, held: 0, expired: 0, balanceBefore: 0,
    balanceAfter: 0, access: [],
    verdict: .init(isInTime: true, isUnused: true, paidAt: ago(minute), used: 0))

  static let audit: [PaymentView.AuditLine] = [
    .init(
      at: ago(3 * minute), actor: "support@estudio.example", action: "refund.requested",
      detail: hostile)
  ]

  static let requested = RefundView(
    refund: refunds[0], payment: startCharge, source: .operator, note: hostile, decided: nil,
    refundedAt: nil, buyerMessage: "", notice: nil, lastError: nil, goodwillCredits: nil,
    effect: unused, fingerprint: "75-10-0-0-0-forgive-1", result: nil, mayDecide: true,
    warning: nil, draft: nil, audit: audit)

  static let readOnly: RefundView = {
    var view = requested
    view.mayDecide = false
    view.source = .second_payment
    view.effect = owed
    view.audit = []
    return view
  }()

  static let refused: RefundView = {
    var view = requested
    view.effect = partlyUsed
    view.draft = .init(
      decision: .goodwill, note: hostile, message: "two\nlines", credits: "1,5",
      problems: [.credits, .message, .note])
    return view
  }()

  static let stale: RefundView = {
    var view = requested
    view.warning = .preview_changed
    view.draft = .init(decision: .approval, note: "kept", message: "kept too")
    return view
  }()

  static let failed: RefundView = {
    var view = requested
    view.refund = refunds[2]
    view.payment = hostileKey
    view.decided = .init(at: ago(hour), by: "manager@estudio.example")
    view.lastError = "Bot API 400: Bad Request: USER_ID_INVALID"
    view.goodwillCredits = 5
    view.effect = nothingGiven
    return view
  }()

  static let underWay: RefundView = {
    var view = requested
    view.refund = refunds[3]
    view.payment = longKey
    view.decided = .init(at: ago(minute), by: hostile)
    view.buyerMessage = hostile
    view.lastError = "the connection was closed before an answer"
    view.effect = nil
    return view
  }()

  static let settled: RefundView = {
    var view = requested
    view.refund.state = .confirmed
    view.decided = .init(at: ago(hour), by: "manager@estudio.example")
    view.refundedAt = ago(hour)
    view.notice = .failed
    view.lastError = "Bot API 403: Forbidden: bot was blocked by the user"
    view.effect = nil
    view.result = .init(taken: 6, used: 3, held: 1, expired: 1, policy: .debt)
    return view
  }()

  static let outside: RefundView = {
    var view = settled
    view.refund = refunds[1]
    view.payment = nil
    view.source = .telegram
    view.note = ""
    view.decided = nil
    view.notice = nil
    view.lastError = nil
    view.result = nil
    view.audit = []
    return view
  }()
}
