import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telegram
import Testing

@testable import Sandbox

/// The Bot API client against a server that misbehaves on demand.
@Suite struct ClientTests {
  @Test func knowsARefusalFromAnUnknownOutcome() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let book = bench.book
      try await book.sendText("/start", from: Workbench.ann, to: Workbench.botID)

      await book.order(.tooManyRequests(retryAfter: 7), botID: nil, method: "getMe")
      await #expect(
        throws: TelegramError.api(
          code: 429, description: "Too Many Requests: retry after 7", retryAfter: 7)
      ) { try await client.getMe() }

      await book.order(.internalError, botID: nil, method: "getMe")
      await #expect(throws: TelegramError.unknownOutcome(reason: "HTTP 500")) {
        try await client.getMe()
      }

      await book.order(.dropConnection, botID: nil, method: "sendMessage")
      let dropped = await #expect(throws: TelegramError.self) {
        try await client.sendMessage(to: Workbench.ann, "once")
      }
      guard case .unknownOutcome = dropped else {
        Issue.record("\(String(describing: dropped))")
        return
      }
      let lines = try await book.transcript(personID: Workbench.ann, botID: Workbench.botID)
      #expect(lines.compactMap(\.message.text) == ["/start", "once"])
      #expect(try await client.getMe().username == "shop_bot")
    }
  }

  @Test func givesUpInTime() async throws {
    try await withSandbox { bench in
      var options = TelegramClient.Options()
      options.timeout = .milliseconds(200)
      let client = try bench.client(options: options)
      await bench.book.order(.delay(seconds: 1), botID: nil, method: "getMe")
      await #expect(throws: TelegramError.unknownOutcome(reason: "no answer in time")) {
        try await client.getMe()
      }
    }
  }

  @Test func waitsOutA429WithinItsBudget() async throws {
    try await withSandbox { bench in
      var options = TelegramClient.Options()
      options.retryAfterBudget = .seconds(1)
      let client = try bench.client(options: options)
      await bench.book.order(.tooManyRequests(retryAfter: 1), botID: nil, method: nil)
      #expect(try await client.getMe().id == Workbench.botID)
      await bench.book.order(.tooManyRequests(retryAfter: 2), botID: nil, method: nil)
      await #expect(throws: TelegramError.self) { try await client.getMe() }
    }
  }

  @Test func aServerThatIsDownWasNotReached() async throws {
    let token = try #require(BotToken(Workbench.token))
    let base = try #require(URL(string: "http://127.0.0.1:1"))
    let client = TelegramClient(token: token, endpoint: .sandbox(base), logger: quiet)
    let error = await #expect(throws: TelegramError.self) { try await client.getMe() }
    guard case .notSent = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func aCancelledCallSaysSo() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let call = Task { try await client.getUpdates(timeoutSeconds: 20) }
      #expect(await eventually { !(await bench.book.polls.isEmpty) })
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
    }
  }

  @Test func errorsNeverHoldTheToken() async throws {
    try await withSandbox { bench in
      let secret = "Wrong-secret"
      let client = try bench.client("7001:\(secret)")
      let error = await #expect(throws: TelegramError.self) { try await client.getMe() }
      #expect(error?.isUnauthorized == true)
      #expect(!"\(error!)".contains(secret))
      #expect(!String(reflecting: error!).contains(secret))
    }
  }

  struct Answer: Sendable {
    let status: Int
    let body: String
    let expected: TelegramError
  }

  @Test(arguments: [
    Answer(status: 502, body: "<html>", expected: .unknownOutcome(reason: "HTTP 502")),
    Answer(
      status: 500, body: #"{"ok":false,"error_code":500,"description":"x"}"#,
      expected: .unknownOutcome(reason: "HTTP 500")),
    Answer(status: 302, body: "", expected: .unknownOutcome(reason: "HTTP 302")),
    Answer(status: 200, body: "", expected: .unknownOutcome(reason: "HTTP 200")),
    Answer(
      status: 200, body: #"{"ok":true,"result":7}"#,
      expected: .unknownOutcome(reason: "the result of getMe could not be read")),
    Answer(
      status: 200, body: String(repeating: " ", count: 5 << 20),
      expected: .unknownOutcome(reason: "the answer is too long")),
    Answer(
      status: 403, body: "<html>",
      expected: .api(code: 403, description: "HTTP 403", retryAfter: nil)
    ),
    Answer(
      status: 400,
      body: #"{"ok":false,"error_code":400,"description":"7001:Secret-of_the_shop is bad"}"#,
      expected: .api(code: 400, description: "7001:… is bad", retryAfter: nil)),
    Answer(
      status: 429, body: #"{"ok":false,"error_code":429,"description":"Too Many Requests"}"#,
      expected: .api(code: 429, description: "Too Many Requests", retryAfter: 1)),
  ])
  func makesSenseOfAnyAnswer(_ answer: Answer) async throws {
    let other = Counter()
    let router = Router()
    router.get("/elsewhere") { _, _ in
      await other.add()
      return Response(status: .ok)
    }
    router.post("/**") { _, _ in
      Response(
        status: .init(code: answer.status), headers: [.location: "/elsewhere"],
        body: .init(byteBuffer: ByteBuffer(string: answer.body)))
    }
    try await withServer(router) { base in
      let token = try #require(BotToken(Workbench.token))
      let url = try #require(URL(string: base))
      let client = TelegramClient(token: token, endpoint: .sandbox(url), logger: quiet)
      await #expect(throws: answer.expected) { try await client.getMe() }
      #expect(await other.count == 0)
    }
  }

  @Test func callsAMethodByName() async throws {
    try await withSandbox { bench in
      try await bench.book.sendText("/start", from: Workbench.ann, to: Workbench.botID)
      let json = Data(#"{"chat_id":5001,"text":"relayed"}"#.utf8)
      let result = try await bench.client().call("sendMessage", json: json)
      let message = try JSONDecoder().decode(Message.self, from: result)
      #expect(message.text == "relayed")
    }
  }

  @Test func speaksAllTypedMethods() async throws {
    try await withSandbox { bench in
      let client = try bench.client()
      let menu = [BotCommand(command: "buy", description: "Buy credits")]
      try await client.setMyCommands(menu)
      #expect(try await client.getMyCommands() == menu)
      #expect(try await client.getMyCommands(languageCode: "pt").isEmpty)
      #expect(try await client.getMe().isBot)
      #expect(try await client.getWebhookInfo().url.isEmpty)
      #expect(try await client.getMyStarBalance() == StarAmount(amount: 0))
      #expect(try await client.getStarTransactions().isEmpty)
      let link = try await client.createInvoiceLink(invoice())
      #expect(link.hasPrefix("https://t.me/$"))
    }
  }
}

private actor Counter {
  private(set) var count = 0
  func add() { count += 1 }
}
