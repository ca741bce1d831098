import Foundation
import Telegram
import Testing

@testable import Sandbox

/// One line = one call and what Telegram says to it.
@Suite struct ValidationTests {
  struct Line: Sendable, CustomTestStringConvertible {
    let method: String
    let parameters: String
    let code: Int
    let description: String
    var testDescription: String { "\(method) \(description)" }

    init(_ method: String, _ parameters: String, _ code: Int, _ description: String) {
      self.method = method
      self.parameters = parameters
      self.code = code
      self.description = description
    }
  }

  static let chat = #""chat_id":5001"#
  static func invoice(
    title: String = "T", description: String = "D", payload: String = "p",
    currency: String = "XTR", prices: String = #"[{"label":"L","amount":75}]"#,
    more: String = ""
  ) -> String {
    """
    {"chat_id":5001,"title":"\(title)","description":"\(description)","payload":"\(payload)",
    "currency":"\(currency)","prices":\(prices)\(more)}
    """
  }

  static let lines: [Line] = [
    Line("getme", "{}", 200, ""),
    Line("GETME", "{}", 200, ""),
    Line("nothing", "{}", 404, "Not Found"),
    Line("sendMessage", #"{"text":"a"}"#, 400, "Bad Request: chat_id is empty"),
    Line("sendMessage", #"{"chat_id":99,"text":"a"}"#, 400, "Bad Request: chat not found"),
    Line("sendMessage", #"{"chat_id":"@shop","text":"a"}"#, 400, "Bad Request: chat not found"),
    Line("sendMessage", "{\(chat)}", 400, "Bad Request: message text is empty"),
    Line("sendMessage", "{\(chat),\"text\":\"  \"}", 400, "Bad Request: message text is empty"),
    Line(
      "sendMessage", "{\(chat),\"text\":\"\(String(repeating: "x", count: 4097))\"}", 400,
      "Bad Request: message is too long"),
    Line(
      "sendMessage", "{\(chat),\"text\":\"\(String(repeating: "x", count: 4096))\"}", 200, ""),
    Line(
      "sendMessage", #"{\#(chat),"text":"<b>x","parse_mode":"HTML"}"#, 400,
      #"Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b""#),
    Line(
      "sendMessage", #"{\#(chat),"text":"<u1>x","parse_mode":"HTML"}"#, 400,
      #"Bad Request: can't parse entities: Unsupported start tag "u1" at byte offset 0"#),
    Line(
      "sendMessage",
      #"{\#(chat),"text":"a","reply_markup":{"inline_keyboard":[[{"text":"b"}]]}}"#, 400,
      "Bad Request: can't parse inline keyboard button: "
        + "Text buttons are unallowed in the inline keyboard"),
    Line(
      "sendMessage",
      #"{\#(chat),"text":"a","reply_markup":{"inline_keyboard":[[{"text":"b","callback_data":""#
        + String(repeating: "é", count: 33) + #""}]]}}"#, 400,
      "Bad Request: BUTTON_DATA_INVALID"),
    Line(
      "sendMessage", #"{\#(chat),"text":"a","reply_markup":"{broken"}"#, 400,
      "Bad Request: can't parse reply keyboard markup JSON object"),
    Line(
      "editMessageText", #"{\#(chat),"text":"a"}"#, 400,
      "Bad Request: message identifier is not specified"),
    Line(
      "editMessageText", #"{\#(chat),"message_id":77,"text":"a"}"#, 400,
      "Bad Request: message to edit not found"),
    Line(
      "editMessageText", #"{\#(chat),"message_id":1,"text":"a"}"#, 400,
      "Bad Request: message can't be edited"),
    Line(
      "answerCallbackQuery", #"{"callback_query_id":"1"}"#, 400,
      "Bad Request: query is too old and response timeout expired or query ID is invalid"),
    Line("sendInvoice", invoice(), 200, ""),
    Line("sendInvoice", invoice(title: ""), 400, #"Bad Request: parameter "title" is required"#),
    Line(
      "sendInvoice", invoice(title: String(repeating: "t", count: 33)), 400,
      "Bad Request: STARS_INVOICE_INVALID"),
    Line("sendInvoice", invoice(title: String(repeating: "é", count: 32)), 200, ""),
    Line(
      "sendInvoice", invoice(description: String(repeating: "d", count: 256)), 400,
      "Bad Request: STARS_INVOICE_INVALID"),
    Line("sendInvoice", invoice(payload: ""), 400, "Bad Request: INVOICE_PAYLOAD_INVALID"),
    // 128 bytes are allowed, 65 two-byte letters are 130.
    Line("sendInvoice", invoice(payload: String(repeating: "p", count: 128)), 200, ""),
    Line(
      "sendInvoice", invoice(payload: String(repeating: "é", count: 65)), 400,
      "Bad Request: INVOICE_PAYLOAD_INVALID"),
    Line(
      "sendInvoice", invoice(currency: "USD"), 400, "Bad Request: PAYMENT_PROVIDER_INVALID"),
    Line(
      "sendInvoice", invoice(more: #","provider_token":"x:TEST""#), 400,
      "Bad Request: PAYMENT_PROVIDER_INVALID"),
    Line("sendInvoice", invoice(more: #","provider_token":"""#), 200, ""),
    Line("sendInvoice", invoice(prices: "[]"), 400, "Bad Request: STARS_INVOICE_INVALID"),
    Line(
      "sendInvoice", invoice(prices: #"[{"label":"a","amount":1},{"label":"b","amount":2}]"#),
      400, "Bad Request: STARS_INVOICE_INVALID"),
    Line(
      "sendInvoice", invoice(more: #","max_tip_amount":5"#), 400,
      "Bad Request: STARS_INVOICE_INVALID"),
    Line(
      "sendInvoice", invoice(prices: #"[{"label":"","amount":1}]"#), 400,
      "Bad Request: labeledPrice label must be non-empty"),
    Line(
      "sendInvoice", invoice(prices: #"[{"label":"a","amount":0}]"#), 400,
      "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID"),
    Line(
      "sendInvoice", invoice(prices: #"[{"label":"a","amount":-5}]"#), 400,
      "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID"),
    Line(
      "sendInvoice", invoice(prices: #"[{"label":"a","amount":150000}]"#), 400,
      "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID"),
    Line(
      "sendInvoice", invoice(prices: #"[{"label":"a","amount":7.5}]"#), 400,
      "Bad Request: can't parse prices JSON object"),
    Line("sendInvoice", invoice(prices: #""[{\"label\":\"a\",\"amount\":\"75\"}]""#), 200, ""),
    Line(
      "sendInvoice",
      invoice(more: #","reply_markup":{"inline_keyboard":[[{"text":"x","callback_data":"x"}]]}"#),
      400, "Bad Request: BUTTON_POS_INVALID"),
    Line("createInvoiceLink", invoice(more: #","subscription_period":2592000"#), 200, ""),
    Line(
      "createInvoiceLink", invoice(more: #","subscription_period":60"#), 400,
      "Bad Request: SUBSCRIPTION_PERIOD_INVALID"),
    Line(
      "createInvoiceLink",
      invoice(prices: #"[{"label":"a","amount":10001}]"#, more: #","subscription_period":2592000"#),
      400, "Bad Request: SUBSCRIPTION_AMOUNT_INVALID"),
    Line(
      "answerPreCheckoutQuery", #"{"pre_checkout_query_id":"1","ok":false}"#, 400,
      #"Bad Request: parameter "error_message" is required"#),
    Line(
      "answerPreCheckoutQuery", #"{"pre_checkout_query_id":"1","ok":true}"#, 400,
      "Bad Request: query is too old and response timeout expired or query ID is invalid"),
    Line(
      "refundStarPayment", #"{"telegram_payment_charge_id":"x"}"#, 400,
      "Bad Request: invalid user_id specified"),
    Line("refundStarPayment", #"{"user_id":5001}"#, 400, "Bad Request: CHARGE_ID_EMPTY"),
    Line(
      "refundStarPayment", #"{"user_id":5001,"telegram_payment_charge_id":"x"}"#, 400,
      "Bad Request: CHARGE_ID_INVALID"),
    Line(
      "refundStarPayment", #"{"user_id":42,"telegram_payment_charge_id":"x"}"#, 400,
      "Bad Request: USER_ID_INVALID"),
    Line(
      "setWebhook", #"{"url":"http://example.com/hook"}"#, 400,
      "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"),
    Line(
      "setWebhook", #"{"url":"ftp://127.0.0.1/hook"}"#, 400,
      "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"),
    Line(
      "setWebhook", #"{"url":"https://127.0.0.1/hook","secret_token":"a b"}"#, 400,
      "Bad Request: secret token contains unallowed characters"),
    Line(
      "setMyCommands", #"{"commands":[{"command":"Buy it","description":"d"}]}"#, 400,
      "Bad Request: BOT_COMMAND_INVALID"),
    Line("getStarTransactions", #"{"limit":101}"#, 400, "Bad Request: LIMIT_INVALID"),
    Line("getMyStarBalance", "{}", 200, ""),
  ]

  @Test(arguments: lines) func answersInTelegramsWords(_ line: Line) async throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "validation-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let book = try SandboxBook(directory: directory, logger: quiet)
    try await book.registerBot(token: Workbench.token, name: "Shop", username: "shop_bot")
    try await book.registerPerson(PersonCard(id: 5001, firstName: "Ann"))
    try await book.sendText("/start", from: 5001, to: Workbench.botID)
    let api = BotAPI(book: book, logger: quiet)
    let parameters = try Parameters(
      query: nil, contentType: "application/json", body: Array(line.parameters.utf8))
    let reply = await api.reply(
      token: Workbench.token, method: line.method, parameters: parameters)
    struct Envelope: Decodable {
      let ok: Bool
      let error_code: Int?
      let description: String?
    }
    let envelope = try JSONDecoder().decode(Envelope.self, from: reply.json)
    #expect(reply.status == line.code)
    #expect(envelope.ok == (line.code == 200))
    if line.code != 200 {
      #expect(envelope.error_code == line.code)
      #expect(envelope.description == line.description)
    }
  }

  @Test(arguments: [
    ("http://127.0.0.1:9/h", true), ("http://localhost:81/h", true), ("https://127.9.9.9", true),
    ("http://[::1]:8080/h?a=b", true), ("https://localhost", true), ("https://example.com/", false),
    ("https://127.0.0.1.nip.io/", false), ("http://127.0.0.1@example.com/", false),
    ("http://10.0.0.1/", false), ("http://0.0.0.0/", false), ("http://2130706433/", false),
    ("http://0x7f.1/", false), ("http://127.1/", false), ("http://[::ffff:10.0.0.1]/", false),
    ("http://[::]/", false), ("https://169.254.169.254/latest", false), ("localhost", false),
    ("", false), ("http://user:pass@127.0.0.1/", false), ("file:///etc/passwd", false),
  ])
  func dialsThisMachineOnly(_ url: String, _ isAllowed: Bool) {
    #expect(((try? LoopbackAddress(webhook: url)) != nil) == isAllowed)
  }
}
