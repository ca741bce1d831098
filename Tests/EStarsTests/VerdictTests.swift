import Testing

@testable import EStars

/// Every way in which three books can agree or differ about one movement.
@Suite struct VerdictTests {
  private typealias Facts = Verdict.Facts

  private static let paid = Facts(
    stars: 75, paidStars: 75, isCredited: true, boughtCredits: 10, ledgerCredits: 10,
    wasPaidInBooks: true)
  private static let back = Facts(
    direction: .outgoing, stars: 75, paidStars: 75, boughtCredits: 10, ledgerCredits: 10,
    refundedStars: 75, isClawedBack: true, wasPaidInBooks: true)

  private func changed(_ facts: Facts, _ change: (inout Facts) -> Void) -> Verdict {
    var facts = facts
    change(&facts)
    return Verdict.of(facts)
  }

  @Test func payments() {
    #expect(Verdict.of(Self.paid) == .agrees)
    #expect(changed(Self.paid) { $0.paidStars = nil } == .differs(.paymentUnseen))
    #expect(changed(Self.paid) { $0.paidStars = 74 } == .differs(.amountDiffers))
    #expect(changed(Self.paid) { $0.nanostars = 1 } == .differs(.amountDiffers))
    #expect(changed(Self.paid) { $0.ledgerCredits = 9 } == .differs(.creditsMissing))
    // A refunded or an unmatched payment has no credits to look for.
    #expect(
      changed(Self.paid) {
        $0.isCredited = false
        $0.ledgerCredits = 0
      } == .agrees)
    // More than was bought lacks nothing.
    #expect(changed(Self.paid) { $0.ledgerCredits = 12 } == .agrees)
  }

  @Test func refunds() {
    #expect(Verdict.of(Self.back) == .agrees)
    #expect(changed(Self.back) { $0.refundedStars = nil } == .differs(.refundUnseen))
    #expect(changed(Self.back) { $0.refundedStars = 70 } == .differs(.amountDiffers))
    #expect(changed(Self.back) { $0.isClawedBack = false } == .differs(.creditsMissing))
    // It came before its payment: there was nothing to take.
    #expect(
      changed(Self.back) {
        $0.isClawedBack = false
        $0.ledgerCredits = 0
      } == .agrees)
    // A chargeback names nobody. Its charge is one of ours, or one that we are yet to hear of.
    for isKnown in [true, false] {
      #expect(
        changed(Self.back) {
          $0.partner = "other"
          $0.kind = nil
          $0.paidStars = isKnown ? 75 : nil
          $0.refundedStars = nil
        } == .differs(.refundUnseen))
    }
  }

  @Test(arguments: [
    ("fragment", nil, true), ("telegram_ads", nil, true), ("telegram_api", nil, true),
    ("affiliate_program", nil, true), ("chat", nil, true), ("user", "paid_media_payment", true),
    ("user", "gift_purchase", true), ("user", "business_account_transfer", true),
    ("user", nil, false), ("user", "something_new", false), ("other", nil, false),
    ("none", nil, false), ("something_new", nil, false),
  ])
  func movementsOfNoCustomer(_ partner: String, _ kind: String?, _ isKnown: Bool) {
    for direction in Mismatch.Direction.allCases {
      let facts = Facts(direction: direction, stars: 5, partner: partner, kind: kind)
      #expect(Verdict.of(facts) == (isKnown ? .agrees : .differs(.unknownPartner)))
    }
  }
}
