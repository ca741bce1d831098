import Foundation
import Telegram
import Testing

@testable import EStars

/// Commands as people send them, and what is answered.
@Suite struct BotReplyTests {
  private func update(_ text: String, chat: Int64 = 42, type: String = "private") -> String {
    """
    {"update_id":1,"message":{"message_id":1,"date":1,"text":"\(text)","from":{"id":42,\
    "is_bot":false,"first_name":"A","language_code":"pt-br"},"chat":{"id":\(chat),\
    "type":"\(type)"}}}
    """
  }

  @Test func aCommandIsKnownByItsWord() async throws {
    try await Fixture.with { fixture in
      func command(_ text: String) -> ReplyCommand? {
        ReplyCommand.sent(in: update(text), to: fixture.bot)?.command
      }
      let username = fixture.bot.username
      #expect(command("/paysupport") == .paysupport)
      #expect(command("/PaySupport@\(username.uppercased()) my case") == .paysupport)
      #expect(command("/terms\\nplease") == .terms)
      #expect(command("/balance@\(username)") == .balance)
      for text in [
        "", "/", "//terms", "/ terms", "terms", "/termsx", "/terms@", "/terms@other_bot",
        "/terms@\(username)@\(username)", "see /terms", "/terms/", "\\u0000/terms",
      ] {
        #expect(command(text) == nil, "\(text)")
      }
      let group = update("/terms", chat: -100, type: "supergroup")
      #expect(ReplyCommand.sent(in: group, to: fixture.bot) == nil)
      #expect(ReplyCommand.sent(in: #"{"update_id":1,"x":"/terms"}"#, to: fixture.bot) == nil)
      #expect(ReplyCommand.sent(in: "/terms", to: fixture.bot) == nil)
      let sent = ReplyCommand.sent(in: update("/privacy"), to: fixture.bot)
      #expect(sent == .init(command: .privacy, telegramID: 42, languageCode: "pt-br"))
    }
  }

  @Test func theLanguageIsThePersonsWhereItIsOneOfOurs() async throws {
    try await Fixture.with { fixture in
      let codes: [(String?, ReplyLanguage)] = [
        ("en", .en), ("en-GB", .en), ("pt", .ptBR), ("PT-br", .ptBR), ("pt_PT", .ptBR),
      ]
      for (code, language) in codes {
        #expect(ReplyLanguage(of: code, in: fixture.workspace) == language, "\(code ?? "none")")
      }
      let own: ReplyLanguage = fixture.workspace.locale == "pt-BR" ? .ptBR : .en
      for code in [nil, "", "de", "english", "-"] {
        #expect(ReplyLanguage(of: code, in: fixture.workspace) == own, "\(code ?? "none")")
      }
    }
  }

  @Test func aBalanceSaysWhatEndsWhen() throws {
    let zone = try #require(TimeZone(identifier: "America/Sao_Paulo"))
    let day = Date(timeIntervalSince1970: 1_795_262_412)  // 2026-11-21 12:00:12 UTC
    let english = BalanceWords(language: .en, timeZone: zone).text(
      available: 1_012, held: 2,
      expiring: [(1, day.addingTimeInterval(86_400)), (4, day), (5, day.addingTimeInterval(60))],
      access: [("HD", .distantFuture), ("Queue", day)])
    #expect(
      english == """
        You have 1,012 credits.
        2 credits set aside for work in progress.
        • 9 credits until 21 Nov 2026
        • 1 credit until 22 Nov 2026
        • HD: no end
        • Queue: until 21 Nov 2026
        """)
    let portuguese = BalanceWords(language: .ptBR, timeZone: zone)
    #expect(
      portuguese.text(available: -1, held: 0, expiring: [], access: [])
        == "Você deve 1 crédito. Os próximos que você receber pagam isso primeiro.")
    #expect(
      portuguese.text(available: 0, held: 0, expiring: [], access: []) == "Você não tem créditos.")
  }

  @Test func everyTextHasItsWordsInBothLanguages() async throws {
    try await Fixture.with { fixture in
      for command in ReplyCommand.worded {
        let texts = ReplyLanguage.allCases.map {
          BotReply.standard(command, $0, bot: fixture.bot)
        }
        #expect(Set(texts).count == 2 && texts.allSatisfy { $0.contains(fixture.bot.name) })
        #expect(texts.allSatisfy { $0.count < Limits.botReplyCharacters })
      }
    }
  }
}

@Suite struct AllowedUpdatesTests {
  @Test func whatTheOldWebhookHadIsKept() {
    var info = WebhookInfo(
      url: "https://x.example", hasCustomCertificate: false, pendingUpdateCount: 0)
    info.allowedUpdates = [UpdateKind("poll"), .message]
    #expect(
      UpdateKind.wanted(with: info, isRelayed: false) == UpdateKind.needed + [UpdateKind("poll")])
    // Without a list Telegram delivers nearly everything, and goes on to do so.
    info.allowedUpdates = nil
    let usual = UpdateKind.wanted(with: info, isRelayed: false)
    #expect(usual.contains(UpdateKind("channel_post")) && Set(usual).count == usual.count)
    info.url = ""
    #expect(UpdateKind.wanted(with: info, isRelayed: false) == UpdateKind.needed)
    #expect(UpdateKind.wanted(with: info, isRelayed: true) == usual)
  }
}
