import Testing

@testable import Telegram

@Suite struct BotTokenTests {
  @Test(arguments: ["", "abc", "123", ":abc", "123:", "12a:abc", "123:a/b", "123:a b", "-1:abc"])
  func refusesWhatIsNoToken(_ text: String) {
    #expect(BotToken(text) == nil)
  }

  @Test func neverShowsItsSecret() throws {
    let token = try #require(BotToken("123456:AAx-y_z9"))
    #expect(token.botID == 123_456)
    var dumped = ""
    dump(token, to: &dumped)
    for text in ["\(token)", String(reflecting: token), dumped] {
      #expect(!text.contains("AAx"))
    }
  }

  @Test func testEnvironmentHasItsOwnPath() throws {
    let token = try #require(BotToken("1:a"))
    #expect(
      BotAPIEndpoint.live.address(of: "getMe", token: token)
        == "https://api.telegram.org/bot1:a/getMe")
    #expect(
      BotAPIEndpoint.test.address(of: "getMe", token: token)
        == "https://api.telegram.org/bot1:a/test/getMe")
  }

  @Test func bareNamesOfErrorsAreFound() {
    let refunded = TelegramError.api(
      code: 400, description: "Bad Request: CHARGE_ALREADY_REFUNDED", retryAfter: nil)
    #expect(refunded.isAlreadyRefunded)
    #expect(
      TelegramError.api(
        code: 400, description: "Bad Request: chat not found",
        retryAfter: nil
      ).name == nil)
    #expect(TelegramError.unknownOutcome(reason: "x").isTransient)
    #expect(!refunded.isTransient)
  }
}
