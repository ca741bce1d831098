import Foundation
import Telegram
import Testing

@testable import Sandbox

/// Thousands of senseless calls, the same ones for the same seed. None may crash, none may be
/// answered with a 5xx, and every page must still render afterwards.
@Suite struct FuzzTests {
  private static let names = [
    "chat_id", "text", "message_id", "reply_markup", "title", "description", "payload",
    "currency", "prices", "subscription_period", "url", "secret_token", "allowed_updates",
    "offset", "limit", "commands", "scope", "language_code", "user_id", "is_canceled", "ok",
    "telegram_payment_charge_id", "error_message", "pre_checkout_query_id", "parse_mode",
    "entities", "max_connections", "callback_query_id", "drop_pending_updates",
  ]

  private static let values = [
    "5001", "7001", "-1", "0", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "1e300", "1.5", "null", "true", "[]", "{}", "[[]]", "[{}]", #""""#,
    #""x""#, #""XTR""#, #""<b>x</b>""#, #""<b""#, #""&#1114112;&#x110000;""#, ##""*_[`""##,
    #""[](""#, #""```""#, #""HTML""#, #""MarkdownV2""#, #""Markdown""#, #""\u0000👋é""#,
    #"[{"label":"L","amount":75}]"#, #"[{"label":"L","amount":"9223372036854775808"}]"#,
    #"{"inline_keyboard":[[{"text":"x","callback_data":"y"}]]}"#,
    #"{"inline_keyboard":[[{"text":"x","pay":true}]]}"#, #"{"inline_keyboard":5}"#,
    #"[{"type":"bold","offset":-5,"length":4611686018427387904}]"#,
    #"[{"type":"url","offset":4611686018427387904,"length":4611686018427387904}]"#,
    #"[{"type":"text_link","offset":0,"length":1,"url":"javascript:alert(1)"}]"#,
    #""http://127.0.0.1:1/h""#, #"["message"]"#, #"[1]"#, #""[{""#, #"{"type":"default"}"#,
    #"[{"command":"a","description":"d"}]"#,
  ]

  private struct Dice {
    var state: UInt64
    mutating func roll(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
  }

  private func body(_ dice: inout Dice) -> [UInt8] {
    var fields = [#""chat_id":5001"#]
    for _ in 0...dice.roll(10) {
      let name = Self.names[dice.roll(Self.names.count)]
      fields.append("\"\(name)\":\(Self.values[dice.roll(Self.values.count)])")
    }
    var bytes = Array("{\(fields.joined(separator: ","))}".utf8)
    switch dice.roll(10) {
    case 0: for _ in 0...dice.roll(4) { bytes[dice.roll(bytes.count)] = UInt8(dice.roll(256)) }
    case 1: bytes.removeLast(dice.roll(bytes.count))
    default: break
    }
    return bytes
  }

  @Test(arguments: [1, 20_261_121, 77] as [UInt64])
  func nothingCrashes(seed: UInt64) async throws {
    try await withSandbox { bench in
      let types = [
        "application/json", "application/json", "application/json",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/plain",
      ]
      try await bench.book.sendText("/start", from: Workbench.ann, to: Workbench.botID)
      let api = BotAPI(book: bench.book, logger: quiet)
      let methods = BotAPI.methods.keys.sorted()
      var dice = Dice(state: seed)
      var codes: [Int: Int] = [:]
      for _ in 0..<1500 {
        let method = methods[dice.roll(methods.count)]
        let bytes = self.body(&dice)
        let type = types[dice.roll(types.count)]
        do {
          let parameters = try Parameters(query: nil, contentType: type, body: bytes)
          let reply = await api.reply(
            token: Workbench.token, method: method, parameters: parameters)
          codes[reply.status, default: 0] += 1
          if reply.status >= 500 {
            Issue.record("\(method) \(String(decoding: bytes, as: UTF8.self))")
          }
        } catch let error as BotAPIError {
          codes[error.code, default: 0] += 1
        }
      }
      #expect(codes[200, default: 0] > 100 && codes[400, default: 0] > 100, "\(codes)")
      let chat = "/people/\(Workbench.ann)/chats/\(Workbench.botID)"
      for path in [chat, "\(chat)/transcript", "/people/\(Workbench.ann)", "/console"] {
        let page = try await bench.http("GET", path)
        #expect(page.status == 200)
        #expect(!page.text.contains("javascript:"))
      }
    }
  }
}
