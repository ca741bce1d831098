import Foundation

@testable import Web

extension Samples {
  static let customer = CustomerView(
    customer: ana, hasPurchased: true, since: ago(100 * day),
    lifetime: .init(
      payments: 3, starsPaid: 1_275, starsRefunded: 75, netMicros: 84_240_000,
      costMicros: 90_005_000),
    accounts: [
      .init(
        available: 1_000_001, held: 7, lots: lots,
        fate: .init(
          came: 1_000_112, expired: 12, takenBack: 1,
          uses: [
            .init(title: hostile, units: 60, credits: 80),
            .init(title: "Sticker", units: 1, credits: 1),
            .init(title: nil, units: 40, credits: 10),
          ])),
      .init(
        unit: minutes, available: 12, held: 0,
        lots: [
          LotRow(
            lot: 1, source: .promo, granted: 12, left: 12, expiresAt: nil, grantedAt: ago(day),
            key: LotKey(customer: 7, unit: 2, lot: 1))
        ]),
    ],
    given: .init(source: .goodwill, credits: 10, unit: .credits),
    answered: MessageRow(state: .sent, at: ago(20), askedBy: "support@estudio.example"),
    mayGive: true, mayErase: true,
    cases: [
      .init(
        id: 5, subject: hostile, isOurs: true, assignee: "Ana Souza", since: ago(3 * hour)),
      .init(id: 4, subject: "Wrong pack", isOurs: false, since: ago(2 * day)),
    ], tier: "Pro <b>",
    quotas: [
      QuotaRow(
        actionTitle: "Stem separation", period: .month, used: 20, limit: 20,
        resetsAt: now.addingTimeInterval(9 * day)),
      QuotaRow(
        actionTitle: hostile, period: .day, used: 0, limit: 1_000,
        resetsAt: now.addingTimeInterval(15 * hour)),
      QuotaRow(actionTitle: "Voice minute", period: .lifetime, used: 1, limit: 2),
    ], access: access,
    holds: openHolds, payments: payments, timeline: said + strip,
    paging: Paging(nextCursor: "12/ü&=", isFirst: true))

  static let indebted = CustomerView(
    customer: mallory, hasPurchased: false, since: ago(2),
    accounts: [
      .init(available: -3, held: 0, lots: []),
      .init(unit: minutes, available: -1, held: 0, lots: []),
    ], access: [], holds: [], payments: [], unit: minutes, timeline: [],
    paging: Paging(isFirst: false))

  /// What stands on a timeline beside Stars and credits.
  static let said: [StripRow] = [
    StripRow(
      event: .message(kind: "credits_answer"), amount: 0, at: ago(10),
      message: MessageRow(state: .sent, at: ago(10), askedBy: "support@estudio.example"),
      body: "Hello!\n" + hostile),
    StripRow(
      event: .message(kind: "of_another_release"), amount: 0, at: ago(11),
      message: MessageRow(state: .blocked, problem: .telegram("Forbidden: <b>"), at: ago(11)),
      body: "–"),
    StripRow(
      event: .supportCase(subject: hostile), amount: 0, at: ago(12),
      href: Links.supportCase("figurinhas-lab-test", 5)),
    StripRow(
      event: .action("refund.requested", by: "ana@estudio.example"), amount: 0, at: ago(13),
      reason: hostile, givenBy: "ana@estudio.example"),
    StripRow(
      event: .subscription(plan: hostile, change: "renew"), amount: 0, at: ago(14),
      href: Links.subscription("figurinhas-lab-test", 3)),
  ]

  static let minutes = UnitLabel(number: 2, name: "voice <minutes>")

  static let openHolds = [
    HoldRow(
      link: .hold(3), actionTitle: "Voice minute", units: 3, credits: 7, heldAt: ago(2 * hour),
      expiresAt: ago(minute), isStuck: true),
    HoldRow(link: .none, actionTitle: nil, credits: 1, heldAt: ago(hour), expiresAt: nil),
    HoldRow(link: .refund(31), credits: 6, heldAt: ago(minute), expiresAt: nil),
    HoldRow(link: .refund(nil), credits: 1, heldAt: ago(minute), expiresAt: nil),
  ]

  static let closedHolds = [
    HoldRow(
      link: .hold(2), actionTitle: hostile, units: 1, credits: 1, heldAt: ago(day),
      expiresAt: ago(20 * hour), state: .committed, closedAt: ago(21 * hour), usedUnits: 1,
      usedCredits: 1),
    HoldRow(
      link: .hold(1), actionTitle: "Voice minute", units: 9, credits: 9, heldAt: ago(2 * day),
      expiresAt: ago(day), state: .expired, closedAt: ago(day)),
    HoldRow(
      link: .hold(0), actionTitle: "Voice minute", units: 2, credits: 24, unit: minutes,
      heldAt: ago(2 * day), expiresAt: ago(day), state: .released, closedAt: ago(day)),
  ]

  static let openHold = HoldView(
    id: 3, hold: openHolds[0], customer: ana, botUsername: "figurinhas_demo_bot", ref: hostile,
    release: .init(balanceBefore: 12, quotaUnits: 3), form: .init())

  static let closedHold = HoldView(
    id: 2, hold: closedHolds[0], customer: mallory, botUsername: "figurinhas_demo_bot",
    wasClosed: true,
    audit: [
      .init(
        at: ago(21 * hour), actor: "manager@estudio.example", action: "hold.released",
        detail: hostile)
    ])

  static let lot = LotView(
    customer: ana, key: LotKey(customer: 7, lot: 12), source: .payment, grantedAt: ago(9 * day),
    expiresAt: now.addingTimeInterval(day), payment: startCharge,
    fate: .init(
      granted: 1_000, joined: 1, used: 990, forgiven: 1, held: 3, expired: 2, takenBack: 1,
      paidDebt: 4, left: 1),
    strip: [
      lotRow(.clawback, -1, left: 1, version: 31), lotRow(.forgiveness, 1, left: 2, version: 30),
      lotRow(.joined(lot: 29), 1, left: 1, version: 29),
      lotRow(.use(action: hostile, units: 2), -990, left: 0, version: 20, ref: hostile),
      lotRow(.debtPaid, -4, left: 996, version: 12),
      lotRow(.credit(.payment), 1_000, left: 1_000, version: 12),
    ], paging: Paging(nextCursor: "12", isFirst: true))

  static let givenLot = LotView(
    customer: mallory, key: LotKey(customer: 8, unit: 2, lot: 29), unit: minutes,
    source: .goodwill, grantedAt: ago(day), refund: 31, givenBy: "support@estudio.example",
    reason: hostile, mergedInto: 12, fate: .init(granted: 1, passedOn: 1),
    strip: [
      lotRow(.passedOn(lot: 12), -1, left: 0, version: 29, unit: minutes),
      lotRow(.credit(.goodwill), 1, left: 1, version: 29, unit: minutes),
    ])

  private static func lotRow(
    _ event: StripRow.Event, _ amount: Int64, left: Int64, version: Int64,
    unit: UnitLabel = .credits, ref: String? = nil
  ) -> StripRow {
    StripRow(
      event: event, amount: amount, at: ago(day), version: version, leftAfter: left,
      creditUnit: unit, ref: ref,
      entryHref: Links.entry(
        "figurinhas-lab-test", LotKey(customer: 7, unit: unit.number, lot: 12), version: version))
  }

  static let grantForm = CreditGrantView(
    customer: ana, sources: [.goodwill], units: [.credits], room: .init(left: 38, cap: 50),
    form: CreditGrantForm(key: "form-key-\"1\""))

  static let grantRefused = CreditGrantView(
    customer: mallory, sources: [.goodwill, .promo], units: [.credits, minutes],
    form: CreditGrantForm(
      key: "form-key", source: .promo, unit: 2, credits: "0,5", days: "ever", reason: hostile,
      problems: [.used, .credits, .days, .reason]))

  static let grantReview = CreditGrantView(
    customer: ana, sources: [.goodwill, .promo], units: [.credits],
    form: CreditGrantForm(
      key: "form-key", source: .promo, credits: "1,000", days: "30", reason: "two\nlines"),
    review: CreditGrantReview(
      source: .promo, credits: 1_000, unit: .credits, expiresAt: now.addingTimeInterval(30 * day),
      balanceBefore: -3))

  static let opening = NewCustomerView(
    units: [.credits],
    form: CreditGrantForm(
      key: "form-key", credits: "10", telegramID: "@ana", name: longName,
      problems: [.telegram, .name, .reason]))

  static let openingReview = NewCustomerView(
    units: [.credits],
    form: CreditGrantForm(
      key: "form-key", source: .adjustment, credits: "10", reason: hostile,
      telegramID: "5000000017", name: hostile),
    review: CreditGrantReview(
      source: .adjustment, credits: 10, unit: .credits, balanceBefore: 2, known: ana))

  static let creditPolicy = CreditPolicyView(
    values: [.goodwillCap: "-1", .lowCredits: "3"], problems: [.goodwillCap], maySet: true)
}
