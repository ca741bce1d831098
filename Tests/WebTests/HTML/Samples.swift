import Foundation

@testable import Web

/// Values that are hard on a page: long, foreign, hostile, empty and negative ones.
enum Samples {
  static let now = Date(timeIntervalSince1970: 1_795_262_412)  // 2026-11-21 12:00:12 UTC
  static let saoPaulo = TimeZone(identifier: "America/Sao_Paulo") ?? .gmt

  static func ago(_ seconds: TimeInterval) -> Date { now.addingTimeInterval(-seconds) }
  static let minute: TimeInterval = 60
  static let hour: TimeInterval = 3_600
  static let day: TimeInterval = 86_400

  static func frame(
    _ language: Language = .en, side: Frame.Side = .test, name: String = "Figurinhas Lab",
    otherSideSlug: String? = "figurinhas-lab"
  ) -> Frame {
    Frame(
      language: language, timeZone: saoPaulo, now: now, csrfToken: "csrf-\"token\"",
      operatorName: "Ana Souza",
      workspace: .init(
        slug: "figurinhas-lab-test", name: name, side: side, otherSideSlug: otherSideSlug))
  }

  static let hostile = #"<script>alert("x")</script> & 'co'"#
  static let longName = String(repeating: "Maria-Antonieta ", count: 8) + "de Albuquerque"
  static let rightToLeft = "\u{202e}محمد الأحمد 🦊👩🏽‍🚀"
  static let longCharge = "stx" + String(repeating: "Ab9_-+/=", count: 18)

  static let ana = CustomerLabel(
    id: 7, name: "Ana Clara Ribeiro", username: "anaclara", telegramID: 5_000_000_017)
  static let mallory = CustomerLabel(
    id: 8, name: hostile, username: "m\"a'l<l>", telegramID: 1)
  static let maria = CustomerLabel(
    id: 9, name: longName, username: String(repeating: "m", count: 32), telegramID: 7_999_999_999)
  static let fox = CustomerLabel(id: 10, name: rightToLeft, username: nil, telegramID: 42)
  static let erased = CustomerLabel(id: 11, name: " ", username: nil, telegramID: nil)

  static let startCharge = PaymentKey(botID: 77_001, chargeID: "stxq1N0VbYd7RkXo3")
  static let longKey = PaymentKey(botID: 77_001, chargeID: longCharge)
  static let hostileKey = PaymentKey(botID: 77_001, chargeID: "x/../\"<b>?#")

  static let payments: [PaymentRow] = [
    PaymentRow(
      key: startCharge, customer: ana, packTitle: "Start", stars: 75, state: .paid,
      paidAt: ago(3 * minute)),
    PaymentRow(
      key: longKey, customer: maria, packTitle: "Max 🚀", stars: 1_125, state: .refunding,
      paidAt: ago(26 * hour)),
    PaymentRow(
      key: hostileKey, customer: mallory, packTitle: hostile, stars: 1, state: .refunded,
      paidAt: ago(9 * day)),
    PaymentRow(
      key: PaymentKey(botID: 77_002, chargeID: "stx-unmatched"), customer: erased, packTitle: nil,
      stars: 500, state: .unmatched, paidAt: ago(200 * day)),
  ]

  static let lots: [LotRow] = [
    LotRow(
      lot: 3, source: .bonus, granted: 4, left: 2, expiresAt: now.addingTimeInterval(2 * day),
      grantedAt: ago(day), payment: longKey, key: LotKey(customer: 7, lot: 3)),
    LotRow(
      lot: 1, source: .payment, granted: 1_000_000, left: 999_999, expiresAt: nil,
      grantedAt: ago(40 * day), payment: startCharge),
    LotRow(
      lot: 12_345, source: .goodwill, granted: 1, left: 0, expiresAt: ago(hour),
      grantedAt: ago(50 * day), payment: nil),
  ]

  static let access: [AccessRow] = [
    AccessRow(
      title: "HD quality", startsAt: ago(day), endsAt: now.addingTimeInterval(29 * day),
      revokedAt: nil, payment: startCharge),
    AccessRow(title: hostile, startsAt: ago(90 * day), endsAt: ago(60 * day)),
    AccessRow(title: "Beta", startsAt: now.addingTimeInterval(hour), endsAt: nil),
    AccessRow(title: "Voice", startsAt: ago(5 * day), endsAt: nil, revokedAt: ago(day)),
  ]

  static let strip: [StripRow] = [
    StripRow(
      event: .use(action: "Sticker pack", units: 1), amount: -1, at: ago(20), version: 12,
      balanceAfter: 9,
      lots: [
        .init(
          lot: 3, source: .bonus, amount: -1, payment: longKey, key: LotKey(customer: 7, lot: 3))
      ]),
    StripRow(
      event: .use(action: "Sticker", units: 3), amount: -3, at: ago(50), version: 11,
      balanceAfter: 10,
      lots: [
        .init(lot: 3, source: .bonus, amount: -2, payment: longKey),
        .init(lot: 9, source: .trial, amount: -1),
      ], customer: mallory),
    StripRow(
      event: .credit(.payment), amount: 10, at: ago(3 * minute), version: 10, balanceAfter: 13,
      lots: [.init(lot: 10, source: .payment, amount: 10, payment: startCharge)],
      payment: startCharge),
    StripRow(
      event: .payment(pack: "Start"), amount: 75, unit: .stars, at: ago(3 * minute),
      payment: startCharge, customer: fox),
    StripRow(event: .release, amount: 2, at: ago(2 * hour), version: 9, balanceAfter: 3),
    StripRow(
      event: .commit(action: "Voice minute"), amount: -5, at: ago(2 * hour), version: 8,
      balanceAfter: 1),
    StripRow(
      event: .hold(action: "Voice minute"), amount: -7, at: ago(3 * hour), version: 7,
      balanceAfter: 6),
    StripRow(event: .expiry, amount: -4, at: ago(30 * hour), version: 6, balanceAfter: 13),
    StripRow(
      event: .credit(.goodwill), amount: 1, at: ago(47 * hour), version: 5, balanceAfter: 17,
      reason: hostile, givenBy: "support@estudio.example"),
    StripRow(event: .forgiveness, amount: 8, at: ago(3 * day), version: 4, balanceAfter: 16),
    StripRow(event: .clawback, amount: -22, at: ago(3 * day), version: 3, balanceAfter: 8),
    StripRow(
      event: .refund(pack: nil), amount: -175, unit: .stars, at: ago(3 * day), payment: longKey),
    StripRow(
      event: .refundHold, amount: -6, at: ago(80 * day), version: 2, balanceAfter: 3,
      reason: hostile),
    StripRow(event: .refundHoldEnd, amount: 6, at: ago(80 * day), version: 2, balanceAfter: 3),
    StripRow(event: .decline(pack: "Start"), amount: 0, unit: .stars, at: ago(80 * day)),
    StripRow(event: .decline(pack: nil), amount: 0, unit: .stars, at: ago(80 * day)),
    StripRow(event: .hold(action: nil), amount: -1, at: ago(80 * day)),
    StripRow(event: .commit(action: nil), amount: -1, at: ago(80 * day)),
    StripRow(event: .payment(pack: nil), amount: 1_125, unit: .stars, at: ago(81 * day)),
    StripRow(event: .refund(pack: hostile), amount: -1, unit: .stars, at: ago(82 * day)),
  ]

  static let payment = PaymentView(
    payment: payments[0], sku: "start", botUsername: "figurinhas_demo_bot",
    checkout: .init(id: "co_8F2K", openedAt: ago(4 * minute)), refundedAt: nil, lots: [lots[1]],
    creditsUsed: 1, access: [access[0]], strip: Array(strip[2...3]),
    audit: [
      .init(
        at: ago(3 * minute), actor: "@figurinhas_demo_bot", action: "payment.credited", detail: nil),
      .init(at: ago(minute), actor: hostile, action: "looked at it", detail: hostile),
    ], effect: partlyUsed, request: RefundRequestForm(),
    receipts: .init(
      rows: [
        MessageRow(
          state: .failed, problem: .code(.noAnswer), at: ago(minute), askedBy: hostile),
        MessageRow(state: .sent, at: ago(2 * minute)),
      ], formKey: "9A-key"),
    steps: [
      .init(state: .pending, reason: "opened", at: ago(5 * minute)),
      .init(state: .completed, reason: "credited", at: ago(3 * minute)),
    ], cases: Array(SupportSamples.rows.prefix(2)), mayOpenCase: true)

  static let unmatchedPayment = PaymentView(
    payment: payments[3], sku: nil, botUsername: "other_bot", checkout: nil,
    refundedAt: ago(hour), lots: [], creditsUsed: 0, access: [], strip: [], audit: [],
    review: .unknownPayload, refund: refunds[1])
}
