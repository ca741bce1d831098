import Foundation
import Testing

@testable import Web

/// What the compliance card makes of Telegram's answers.
@Suite struct ComplianceCardTests {
  private func verdict(
    _ point: ComplianceCard.Point, _ change: (inout ComplianceCard) -> Void
  ) throws -> ComplianceCard.Verdict {
    var card = ComplianceCard(
      missingCommands: [],
      webhook: WebhookFacts(
        url: "https://e.example/telegram/1", host: "https://e.example", isOurs: true, pending: 0,
        hasCertificate: false), mode: .webhook, answersCommands: true, pendingLimit: 100,
      errorSeconds: 3_600)
    change(&card)
    let page = PageContext(frame: Samples.frame(), renderer: try GoldenTests.renderer())
    return card.judge(point, page).0
  }

  @Test func everyPointIsFineWhenAllIsWell() throws {
    for point in ComplianceCard.Point.allCases { #expect(try verdict(point) { _ in } == .good) }
    for point in ComplianceCard.Point.allCases {
      let found = try verdict(point) { ($0.missingCommands, $0.webhook) = (nil, nil) }
      #expect(found == .unknown)
    }
  }

  @Test func commandsThatNobodyAnswersAreNotEnough() throws {
    #expect(try verdict(.commands) { $0.missingCommands = ["/terms"] } == .bad)
    #expect(try verdict(.commands) { $0.answersCommands = false } == .bad)
    #expect(try verdict(.commands) { ($0.answersCommands, $0.mode) = (false, .relay) } == .good)
  }

  @Test func aBotThatForwardsNeedsWhatMovesMoney() throws {
    func updates(_ missing: [String], isOurs: Bool, _ mode: BotMode) throws
      -> ComplianceCard.Verdict
    {
      try verdict(.updates) {
        $0.mode = mode
        $0.webhook?.isOurs = isOurs
        $0.webhook?.missing = missing
      }
    }
    #expect(try updates(["chat_member"], isOurs: true, .webhook) == .bad)
    #expect(try updates(["chat_member"], isOurs: false, .forwarding) == .good)
    #expect(try updates(["subscription"], isOurs: false, .forwarding) == .bad)
    let polling = try verdict(.updates) {
      $0.webhook?.url = ""
      $0.mode = .forwarding
    }
    #expect(polling == .unknown)
  }

  @Test func aWebhookIsWellWhenItIsTheOneAndAnswers() throws {
    #expect(try verdict(.webhook) { $0.webhook?.differences = [.elsewhere] } == .bad)
    #expect(try verdict(.webhook) { $0.webhook?.differences = [.kinds] } == .good)
    #expect(try verdict(.webhook) { $0.webhook?.lastErrorAt = Samples.ago(3_000) } == .bad)
    #expect(try verdict(.webhook) { $0.webhook?.lastErrorAt = Samples.ago(4_000) } == .good)
    #expect(try verdict(.pending) { $0.webhook?.pending = 99 } == .good)
    #expect(try verdict(.pending) { $0.webhook?.pending = 100 } == .bad)
  }
}
