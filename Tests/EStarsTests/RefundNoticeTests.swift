import Foundation
import Testing

@testable import EStars

/// What buyers read of a decision.
@Suite struct RefundNoticeTests {
  @Test func buyersAreToldInTheirLanguage() {
    var notice = RefundNotice(language: .ptBR, stars: 75, pack: "Start")
    #expect(
      notice.text(.refunded(taken: 1), addition: "Até logo!")
        == "Seu pagamento de 75 ★ por “Start” foi estornado: as Stars já voltaram ao seu saldo. "
        + "1 crédito não usado voltou junto.\n\nAté logo!")
    #expect(
      notice.text(.declined(.creditsUsed))
        == "Analisamos seu pagamento de 75 ★ por “Start” e ele não será estornado. "
        + "Os créditos que ele trouxe já foram usados.")
    notice = RefundNotice(language: .en, stars: 75, pack: nil)
    #expect(
      notice.text(.goodwill(credits: 5))
        == "About your payment of 75 ★: we have added 5 credits to your balance.")
    notice = RefundNotice(language: .ru, stars: 1, pack: "Try")
    #expect(notice.text(.goodwill(credits: 3)).contains("3 кредита"))
    notice = RefundNotice(language: .es, stars: 1, pack: "Try")
    #expect(notice.text(.refunded(taken: 0)).hasSuffix("de nuevo en tu saldo."))
  }

  /// Of a suspicion the buyer hears nothing, in any language.
  @Test func suspicionsAreNotTold() {
    for language in BuyerLanguage.allCases {
      let notice = RefundNotice(language: language, stars: 75, pack: "Start")
      let bare = notice.text(.declined(nil))
      #expect(notice.text(.declined(.suspectedAbuse)) == bare)
      #expect(notice.text(.declined(.other)) == bare)
      for reason: Refund.DeclineReason in [
        .outsidePolicy, .creditsUsed, .alreadyRefundedOnce, .delivered,
      ] {
        #expect(notice.text(.declined(reason)).count > bare.count, "\(language) \(reason)")
      }
    }
  }
}
