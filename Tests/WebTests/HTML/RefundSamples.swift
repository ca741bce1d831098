import Foundation

@testable import Web

extension Samples {
  static let refunds: [RefundRow] = [
    RefundRow(
      id: 31, customer: ana, packTitle: "Start", stars: 75, state: .requested,
      reason: .customerAsked, openedAt: ago(3 * minute), clause: .withinPolicy),
    RefundRow(
      id: 30, customer: nil, packTitle: nil, stars: 500, state: .confirmed,
      reason: .refundedElsewhere, openedAt: ago(hour)),
    RefundRow(
      id: 29, customer: mallory, packTitle: hostile, stars: 1, state: .failed,
      reason: .doublePayment, openedAt: ago(9 * day), clause: .tooMuchUsed, isProposed: true),
    RefundRow(
      id: 28, customer: maria, packTitle: "Max 🚀", stars: 1_125, state: .unknown,
      reason: .notDelivered, openedAt: ago(10 * day)),
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
    verdict: .init(
      clause: .withinPolicy, rule: RefundRule(), isInTime: true, isLittleUsed: true, isFirst: true,
      paidAt: ago(3 * hour), used: 0, granted: 10),
    margin: .init(currency: "BRL", revenue: 5_265_000, cost: 0))

  static let partlyUsed = RefundEffect(
    stars: 75,
    lots: [
      .init(lot: 1, source: .payment, granted: 1_000, taken: 1),
      .init(lot: 2, source: .bonus, granted: 1, taken: 0),
    ], policy: .forgive, used: 998, held: 2, expired: 1, balanceBefore: 1, balanceAfter: 0,
    access: [hostile],
    verdict: .init(
      clause: .tooMuchUsed,
      rule: RefundRule(
        maxAgeHours: 48, maxUsedPercent: 30, isOnePerCustomer: false, autoApproves: true,
        fourEyesStars: 1_000),
      isInTime: true, isLittleUsed: false, isFirst: false, paidAt: ago(30 * hour), used: 1_000,
      granted: 1_001),
    margin: .init(currency: "USD", revenue: 975_000, cost: 1_234_567_891))

  static let owed: RefundEffect = {
    var effect = partlyUsed
    effect.policy = .debt
    effect.balanceAfter = -1_000
    return effect
  }()

  static let nothingGiven = RefundEffect(
    stars: 1, lots: [], policy: .forgive, used: 0, held: 0, expired: 0, balanceBefore: 0,
    balanceAfter: 0, access: [],
    verdict: .init(
      clause: .notCredited, rule: RefundRule(), isInTime: false, isLittleUsed: true, isFirst: true,
      paidAt: ago(3 * day), used: 0, granted: 0))

  static let audit: [PaymentView.AuditLine] = [
    .init(
      at: ago(3 * minute), actor: "support@estudio.example", action: "refund.requested",
      detail: hostile)
  ]

  static let requested = RefundView(
    refund: refunds[0], payment: startCharge, path: paths, source: .operator, note: hostile,
    decided: nil, support: [.init(id: 7, subject: hostile), .init(id: 9, subject: "Stars back")],
    buyerWords: .init(
      language: "Portuguese",
      texts: [
        .approval: "Seu pagamento de 75 ★ foi estornado.", .goodwill: hostile,
        .decline: "two\nlines",
      ]), refundedAt: nil, buyerMessage: "", notice: nil, problem: nil, goodwillCredits: nil,
    effect: unused, fingerprint: "75-10-0-0-0-forgive-1", result: nil, mayDecide: true,
    warning: nil, draft: nil, audit: audit)

  static let paths = RefundPath(steps: [
    .init(
      event: .invoice(openedBy: "support@estudio.example"), stars: 75, at: ago(4 * hour),
      href: "/w/figurinhas-lab-test/checkouts/8"),
    .init(event: .refused(reason: "too_many_purchases"), at: ago(4 * hour)),
    .init(event: .refused(reason: hostile), at: ago(4 * hour)),
    .init(event: .accepted, at: ago(3 * hour)),
    .init(
      event: .payment, stars: 75, at: ago(3 * hour), href: Links.payment("x", startCharge)),
    .init(event: .lot(.payment, number: 1), credits: 10, at: ago(3 * hour), href: "/lot"),
    .init(
      event: .uses(action: hostile, times: 3), credits: -3, at: ago(2 * hour), until: ago(minute)),
    .init(event: .uses(action: "Sticker", times: 1), credits: -1, at: ago(minute)),
    .init(event: .expired, credits: -1, at: ago(minute)),
    .init(event: .takenBack, credits: -5, at: ago(minute)),
    .init(event: .forgiven, credits: 0, at: ago(minute)),
    .init(event: .starsBack, stars: -75, at: ago(minute)),
  ])

  /// From a manager who is not the first.
  static let proposed: RefundView = {
    var view = requested
    view.refund.isProposed = true
    view.path = RefundPath(steps: [.init(event: .noInvoice)])
    view.fourEyes = .init(
      stars: 50, first: .init(at: ago(hour), by: hostile), note: "looked at it",
      message: "See you")
    return view
  }()

  /// From the one who is.
  static let proposedByReader: RefundView = {
    var view = proposed
    view.path = RefundPath(steps: [.init(event: .invoice(openedBy: "")), .init(event: .notAsked)])
    view.fourEyes?.isReader = true
    view.warning = .needsAnother
    return view
  }()

  static let toPropose: RefundView = {
    var view = requested
    view.fourEyes = .init(stars: 50)
    return view
  }()

  static let declinedCase: RefundView = {
    var view = requested
    view.refund.state = .declined
    view.decided = .init(at: ago(hour), by: "refund-policy", isByRule: true)
    view.declineReason = .suspectedAbuse
    view.clause = .tooOld
    return view
  }()

  static let erasedBuyer: RefundView = {
    var view = declinedCase
    view.effect = nil
    view.isErased = true
    view.notice = .failed
    view.problem = .code(.erased)
    return view
  }()

  /// Nobody sees how much of it was used.
  static let accessOnly: RefundView = {
    var view = requested
    view.refund.clause = .accessOnly
    view.effect = nothingGiven
    view.effect?.verdict.clause = .accessOnly
    view.effect?.verdict.isInTime = true
    return view
  }()

  static let refundPolicy = RefundPolicyView(
    rule: RefundRule(), policy: .forgive,
    draft: .init(
      maxAgeHours: "24", maxUsedPercent: "0", onePerCustomer: "yes", autoApproves: "no",
      fourEyesStars: "", debtPolicy: "forgive", version: 3),
    mayEdit: true,
    history: [
      RuleChange(
        id: 3, at: ago(day), actor: "owner@estudio.example", action: "refund_policy.edited",
        facts: [
          .init(name: "auto_approves", before: "no", after: "yes"),
          .init(name: "four_eyes_stars", before: "off", after: "1000"),
          .init(name: "max_age_hours", before: "24", after: "48"),
          .init(name: "one_per_customer", before: "yes", after: "no"),
          .init(name: "refund_debt_policy", before: "forgive", after: "debt"),
        ])
    ])

  static let refundPages: [GoldenTests.Page] = [
    .init(name: "refunds-waiting") {
      RefundsView(
        show: .waiting,
        filter: .init(reason: .doublePayment, source: .buyer, botID: 2, customer: mallory),
        bots: [.init(id: 1, username: "shop_bot"), .init(id: 2, username: "other_bot")],
        rule: owed.verdict.rule, rows: [refunds[2], refunds[0]],
        paging: Paging(nextCursor: "31", isFirst: false, isAscending: true)
      ).render(with: $0, in: frame())
    },
    .init(name: "refunds-none-filtered") {
      RefundsView(show: .closed, filter: .init(botID: 2), rows: [])
        .render(with: $0, in: frame())
    },
    .init(name: "refund-refused-decline") { refusedDecline.render(with: $0, in: frame()) },
    .init(name: "refund-proposed") { proposed.render(with: $0, in: frame()) },
    .init(name: "refund-proposed-by-reader-pt") {
      proposedByReader.render(with: $0, in: frame(.ptBR))
    },
    .init(name: "refund-to-propose") { toPropose.render(with: $0, in: frame()) },
    .init(name: "refund-declined-pt") { declinedCase.render(with: $0, in: frame(.ptBR)) },
    .init(name: "refund-erased-pt") { erasedBuyer.render(with: $0, in: frame(.ptBR)) },
    .init(name: "refund-access-only") { accessOnly.render(with: $0, in: frame()) },
    .init(name: "refund-policy") { refundPolicy.render(with: $0, in: frame()) },
    .init(name: "refund-policy-read-only-pt") {
      var view = refundPolicy
      view.mayEdit = false
      view.rule = owed.verdict.rule
      view.policy = .debt
      return view.render(with: $0, in: frame(.ptBR))
    },
    .init(name: "refund-policy-refused") {
      var view = refundPolicy
      view.draft.maxAgeHours = hostile
      view.draft.fourEyesStars = "0"
      view.problems = [
        FormProblem(field: "max_age_hours", kind: .whole(min: 1, max: 8760)),
        FormProblem(field: "four_eyes_stars", kind: .whole(min: 1, max: 10_000_000)),
      ]
      view.changedMeanwhile = view.history
      view.history = []
      return view.render(with: $0, in: frame())
    },
    .init(name: "refund-policy-saved") {
      var view = refundPolicy
      view.wasSaved = true
      return view.render(with: $0, in: frame())
    },
  ]

  static let readOnly: RefundView = {
    var view = requested
    view.mayDecide = false
    view.source = .secondPayment
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

  static let refusedDecline: RefundView = {
    var view = requested
    view.effect = partlyUsed
    view.draft = .init(decision: .decline, note: hostile, problems: [.reason])
    return view
  }()

  static let stale: RefundView = {
    var view = requested
    view.warning = .previewChanged
    view.draft = .init(decision: .approval, note: "kept", message: "kept too")
    return view
  }()

  static let failed: RefundView = {
    var view = requested
    view.refund = refunds[2]
    view.payment = hostileKey
    view.decided = .init(at: ago(hour), by: "manager@estudio.example")
    view.problem = .telegram("Bad Request: USER_ID_INVALID <b>")
    view.decisionNote = hostile
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
    view.problem = .code(.noAnswer)
    view.effect = nil
    return view
  }()

  static let settled: RefundView = {
    var view = requested
    view.refund.state = .confirmed
    view.decided = .init(at: ago(hour), by: "manager@estudio.example")
    view.refundedAt = ago(hour)
    view.notice = .failed
    view.problem = .telegram("Forbidden: bot was blocked by the user")
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
    view.problem = nil
    view.result = nil
    view.audit = []
    return view
  }()
}
