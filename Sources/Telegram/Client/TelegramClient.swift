import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOPosix

/// Calls the Bot API as one bot. A value: copies share the connection pool and the pace.
public struct TelegramClient: Sendable {
  public struct Options: Sendable {
    /// From the start of a call to its end, waits for the pace excepted.
    public var timeout: Duration = .seconds(15)
    /// On 429 the call waits as long as Telegram says and is repeated, as long as all waits
    /// together stay within this time. Zero leaves the waiting to the caller.
    public var retryAfterBudget: Duration = .zero
    public init() {}
  }

  public let token: BotToken
  public let endpoint: BotAPIEndpoint
  public var options: Options
  let pace: CallPace?
  let httpClient: HTTPClient
  let logger: Logger

  /// - Parameter pace: when given, messages wait their turn; answers to queries never do.
  public init(
    token: BotToken, endpoint: BotAPIEndpoint = .live, options: Options = Options(),
    pace: CallPace? = nil, httpClient: HTTPClient = TelegramClient.sharedHTTPClient,
    logger: Logger
  ) {
    self.token = token
    self.endpoint = endpoint
    self.options = options
    self.pace = pace
    self.httpClient = httpClient
    self.logger = logger
  }

  /// Does not follow redirects (they would carry the token elsewhere) and does not try a failed
  /// connection again by itself, so that a server that is down is known at once.
  public static let sharedHTTPClient: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(5)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    return HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  /// Calls a method by name with a JSON object as parameters, and gives its result as JSON. For
  /// methods without a function of their own, and for replies relayed from a bot's handler.
  ///
  /// - Throws: `TelegramError`, or `CancellationError` (the outcome is then unknown).
  public func call(_ method: String, json parameters: Data) async throws -> Data {
    let answer = try await answer(to: method, body: parameters, timeout: options.timeout)
    do {
      return try JSONEncoder().encode(
        JSONDecoder().decode(Envelope<AnyJSON>.self, from: answer).result)
    } catch {
      throw TelegramError.unknownOutcome(reason: "the result of \(method) could not be read")
    }
  }

  func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable = NoParameters(),
    chat: Int64? = nil, isPaced: Bool = false, timeout: Duration? = nil
  ) async throws -> Result {
    if isPaced { try await pace?.wait(chat: chat) }
    let body = try JSONEncoder().encode(parameters)
    let answer = try await answer(to: method, body: body, timeout: timeout ?? options.timeout)
    do {
      return try JSONDecoder().decode(Envelope<Result>.self, from: answer).result
    } catch {
      throw TelegramError.unknownOutcome(reason: "the result of \(method) could not be read")
    }
  }

  /// The raw envelope of a successful answer, after waiting out 429 as the options allow.
  private func answer(to method: String, body: Data, timeout: Duration) async throws -> Data {
    var waited = Duration.zero
    while true {
      do {
        return try await singleAnswer(to: method, body: body, timeout: timeout)
      } catch TelegramError.api(429, let description, let retryAfter?) {
        let wait = Duration.seconds(retryAfter)
        guard waited + wait <= options.retryAfterBudget else {
          throw TelegramError.api(code: 429, description: description, retryAfter: retryAfter)
        }
        waited += wait
        try await Task.sleep(for: wait)
      }
    }
  }

  private func singleAnswer(to method: String, body: Data, timeout: Duration) async throws -> Data {
    var request = HTTPClientRequest(url: endpoint.address(of: method, token: token))
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(ByteBuffer(data: body))
    let deadline = NIODeadline.now() + TimeAmount(timeout)
    let reply: (status: Int, body: Data)
    do {
      let response = try await httpClient.execute(request, deadline: deadline)
      let bytes = try await response.body.collect(upTo: Limits.responseBytes)
      reply = (Int(response.status.code), Data(buffer: bytes))
    } catch {
      let failure = TelegramError.transport(error, isCancelled: Task.isCancelled)
      logger.debug(
        "Bot API call failed",
        metadata: ["method": "\(method)", "bot": "\(token.botID)", "error": "\(failure)"])
      throw failure
    }
    logger.trace(
      "Bot API call",
      metadata: ["method": "\(method)", "bot": "\(token.botID)", "status": "\(reply.status)"])
    if let refusal = TelegramError.refusal(status: reply.status, body: reply.body, token: token) {
      throw refusal
    }
    return reply.body
  }
}

struct NoParameters: Encodable, Sendable {}

private struct Envelope<Result: Decodable>: Decodable { let result: Result }

private struct ErrorEnvelope: Decodable {
  let ok: Bool?
  let errorCode: Int?
  let description: String?
  let parameters: Parameters?

  struct Parameters: Decodable {
    let retryAfter: Int?
    enum CodingKeys: String, CodingKey { case retryAfter = "retry_after" }
  }

  enum CodingKeys: String, CodingKey {
    case ok, description, parameters
    case errorCode = "error_code"
  }
}

extension TelegramError {
  /// Sorts what went wrong beneath HTTP by whether the request can have reached Telegram.
  fileprivate static func transport(_ error: any Error, isCancelled: Bool) -> any Error {
    if isCancelled || error is CancellationError { return CancellationError() }
    if error is NIOConnectionError { return notSent(reason: "no connection") }
    if let error = error as? ChannelError, case .connectTimeout = error {
      return notSent(reason: "connecting timed out")
    }
    if let error = error as? IOError, error.errnoCode == ECONNREFUSED {
      return notSent(reason: "connection refused")
    }
    switch error as? HTTPClientError {
    case .connectTimeout?, .getConnectionFromPoolTimeout?, .tlsHandshakeTimeout?:
      return notSent(reason: "connecting timed out")
    case .invalidURL?, .emptyHost?, .emptyScheme?, .alreadyShutdown?:
      return notSent(reason: "the address cannot be called")
    case .deadlineExceeded?, .readTimeout?:
      return unknownOutcome(reason: "no answer in time")
    case .remoteConnectionClosed?:
      return unknownOutcome(reason: "the connection was closed before an answer")
    case .some, nil:
      return error is NIOTooManyBytesError
        ? unknownOutcome(reason: "the answer is too long")
        : unknownOutcome(reason: "the connection failed")
    }
  }

  /// Nil when the reply is a success. A 5xx settles nothing, so it is an unknown outcome.
  fileprivate static func refusal(
    status: Int, body: Data, token: BotToken
  ) -> TelegramError? {
    let envelope = try? JSONDecoder().decode(ErrorEnvelope.self, from: body)
    if (200..<300).contains(status), envelope?.ok == true { return nil }
    let code = envelope?.errorCode ?? status
    guard let envelope, envelope.ok == false, (400..<500).contains(code) else {
      return (400..<500).contains(status) && envelope == nil
        ? .api(code: status, description: "HTTP \(status)", retryAfter: nil)
        : .unknownOutcome(reason: "HTTP \(status)")
    }
    let text = (envelope.description ?? "HTTP \(status)")
      .replacingOccurrences(of: token.secretText, with: token.description)
    return .api(
      code: code, description: text,
      retryAfter: code == 429 ? envelope.parameters?.retryAfter ?? 1 : nil)
  }
}
