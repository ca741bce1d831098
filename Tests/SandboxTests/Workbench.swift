import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat
import Telegram
import TestSupport

@testable import Sandbox

let repository = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

let quiet: Logger = {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}()

/// A running sandbox with one bot and one person.
struct Workbench: Sendable {
  static let token = "7001:Secret-of_the_shop"
  static let botID: Int64 = 7001
  static let ann: Int64 = 5001

  let book: SandboxBook
  let port: Int
  let directory: URL

  var url: String { "http://127.0.0.1:\(port)" }

  func client(
    _ token: String = Workbench.token, options: TelegramClient.Options = .init()
  ) throws -> TelegramClient {
    guard let token = BotToken(token), let base = URL(string: url) else {
      throw CancellationError()
    }
    return TelegramClient(
      token: token, endpoint: .sandbox(base), options: options, logger: quiet)
  }

  func http(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) async throws -> (status: Int, headers: [String: String], text: String) {
    var request = HTTPClientRequest(url: url + path)
    request.method = .RAW(value: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
    let reply = try await TelegramClient.sharedHTTPClient.execute(request, timeout: .seconds(30))
    let bytes = try await reply.body.collect(upTo: 4 << 20)
    let fields = reply.headers.map { ($0.name.lowercased(), $0.value) }
    return (
      Int(reply.status.code), Dictionary(fields, uniquingKeysWith: { $1 }),
      String(buffer: bytes)
    )
  }
}

/// Short times, so that tests of deadlines and retries are quick.
func quickPace() -> SandboxConfiguration.Pace {
  var pace = SandboxConfiguration.Pace()
  pace.retryFactor = 0.02
  pace.webhookReply = .seconds(2)
  pace.preCheckoutAnswer = .seconds(5)
  return pace
}

func withSandbox<Value: Sendable>(
  pace: SandboxConfiguration.Pace = quickPace(), stars: Int64 = 1000,
  _ body: @Sendable @escaping (Workbench) async throws -> Value
) async throws -> Value {
  let directory = FileManager.default.temporaryDirectory
    .appending(path: "sandbox-test-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: directory) }
  var configuration = SandboxConfiguration(
    port: 0, dataDirectory: directory, resources: repository)
  configuration.pace = pace
  let server = try SandboxServer(configuration: configuration, logger: quiet)
  try await server.book.registerBot(
    token: Workbench.token, name: "Shop", username: "shop_bot")
  try await server.book.registerPerson(
    PersonCard(id: Workbench.ann, firstName: "Ann", languageCode: "en", stars: stars))
  return try await whileServing(server) {
    guard let port = await server.port else { throw CancellationError() }
    return try await body(Workbench(book: server.book, port: port, directory: directory))
  }
}

/// Tries until a condition holds; false after some seconds, which a busy machine may need.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
  for _ in 0..<1000 {
    if try await condition() { return true }
    try? await Task.sleep(for: .milliseconds(20))
  }
  return false
}

func invoice(stars: Int64 = 75, payload: String = "order", period: Int? = nil) -> InvoiceRequest {
  InvoiceRequest(
    title: "Start", description: "10 credits", payload: payload,
    price: LabeledPrice(label: "Start", amount: stars), subscriptionPeriodSeconds: period)
}

/// Polls and answers everything as a well-behaved shop does.
func runShop(
  _ client: TelegramClient, refusal: String? = nil,
  saw: @Sendable @escaping (Update) async -> Void = { _ in }
) -> Task<Void, any Error> {
  Task {
    var offset: Int64?
    while !Task.isCancelled {
      for update in try await client.getUpdates(offset: offset, timeoutSeconds: 1) {
        offset = update.updateID + 1
        if let query = update.preCheckoutQuery {
          if let refusal {
            try await client.refusePreCheckoutQuery(query.id, errorMessage: refusal)
          } else {
            try await client.acceptPreCheckoutQuery(query.id)
          }
        }
        await saw(update)
      }
    }
  }
}

/// What a webhook got, in order.
actor Received {
  struct Call: Sendable {
    let update: Update
    let secret: String?
  }

  private(set) var calls: [Call] = []

  func add(_ call: Call) { calls.append(call) }
  var texts: [String] { calls.compactMap { $0.update.message?.text } }
  var updateIDs: [Int64] { calls.map(\.update.updateID) }
}

struct HookReply: Sendable {
  var status = 200
  var headers: [String: String] = [:]
  var body = ""
}

/// A webhook on a port of its own that records what it gets and answers as told.
func withWebhook<Value: Sendable>(
  answer: @Sendable @escaping (Update, Int) async -> HookReply = { _, _ in HookReply() },
  _ body: @Sendable @escaping (String, Received) async throws -> Value
) async throws -> Value {
  let received = Received()
  let router = Router()
  router.post("/hook") { request, _ in
    var request = request
    let bytes = try await request.collectBody(upTo: 1 << 20)
    let update = try JSONDecoder().decode(Update.self, from: Data(buffer: bytes))
    let secret = request.headers[.init("X-Telegram-Bot-Api-Secret-Token")!]
    await received.add(.init(update: update, secret: secret))
    let reply = await answer(update, await received.calls.count)
    var headers: HTTPFields = [.contentType: "application/json"]
    for (name, value) in reply.headers { headers[.init(name)!] = value }
    return Response(
      status: .init(code: reply.status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(string: reply.body)))
  }
  return try await withServer(router) { base in try await body("\(base)/hook", received) }
}

/// Serves a router on a free port for as long as `body` runs.
func withServer<Value: Sendable>(
  _ router: Router<BasicRequestContext>,
  _ body: @Sendable @escaping (String) async throws -> Value
) async throws -> Value {
  let (ports, found) = AsyncStream.makeStream(of: Int.self)
  let application = Application(
    router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
    onServerRunning: { found.yield($0.localAddress?.port ?? 0) }, logger: quiet)
  return try await whileServing(application) {
    var port = 0
    for await value in ports {
      port = value
      break
    }
    return try await body("http://127.0.0.1:\(port)")
  }
}
