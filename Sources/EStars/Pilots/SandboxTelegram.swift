import AsyncHTTPClient
import Foundation
import NIOCore
import Telegram

/// What only a person with a phone can do at Telegram, done at a sandbox by its JSON addresses.
public struct SandboxTelegram: Sendable {
  public enum Problem: Error, Sendable, Equatable {
    /// Nobody answered.
    case notReached
    /// It did not do it; in its own words.
    case refused(String)
  }

  /// How an attempt to pay ended.
  public enum PaymentOutcome: Sendable, Equatable {
    case paid(chargeID: String)
    /// The bot refused before anything was charged; in the words that the buyer reads.
    case refused(String)
    /// The bot did not answer within Telegram's ten seconds.
    case noAnswer
  }

  /// One try to hand an update to a webhook.
  struct Delivery: Decodable, Sendable {
    let updateId: Int64
    let kind: String
    /// Of HTTP; nil when nobody answered.
    let status: Int?
    /// From the call until its answer was carried out.
    let milliseconds: Int
    let isDuplicate: Bool
  }

  struct Charge: Decodable, Sendable {
    let id: String
    let refundedAt: Int64?
  }

  private let baseURL: URL

  public init(baseURL: URL) { self.baseURL = baseURL }

  /// Makes a bot, or gives the one with the token's id this token and these names.
  ///
  /// - Throws: ``Problem``, as all calls here.
  func makeBot(token: BotToken, name: String, username: String) async throws {
    struct Form: Encodable { let token, name, username: String }
    _ = try await post(
      "bots", Form(token: token.secretText, name: name, username: username))
  }

  /// - Parameter stars: Theirs to spend.
  func makePerson(
    _ id: Int64, firstName: String, lastName: String, language: String, stars: Int64
  ) async throws {
    struct Form: Encodable {
      let id: Int64
      let firstName, lastName, languageCode: String
      let stars: Int64
    }
    _ = try await post(
      "people",
      Form(
        id: id, firstName: firstName, lastName: lastName, languageCode: language, stars: stars))
  }

  /// Writes to a bot as a person does.
  func say(_ text: String, from person: Int64, to bot: Int64) async throws {
    struct Form: Encodable { let text: String }
    _ = try await post("people/\(person)/chats/\(bot)/messages", Form(text: text))
  }

  /// Pays an invoice's link. Its bot is asked first, as Telegram does.
  func pay(_ link: String, as person: Int64) async throws -> PaymentOutcome {
    struct Form: Encodable { let invoice: String }
    struct Answer: Decodable {
      let outcome: String
      let chargeId, message: String?
    }
    let answer = try read(
      Answer.self, try await post("people/\(person)/payments", Form(invoice: link)))
    switch (answer.outcome, answer.chargeId) {
    case ("paid", let chargeID?): return .paid(chargeID: chargeID)
    case ("no_answer", _): return .noAnswer
    default: return .refused(answer.message ?? answer.outcome)
    }
  }

  /// Has the bot's next message come twice at the same time, as when an answer is lost.
  func deliverNextTwice(bot: Int64) async throws {
    struct Form: Encodable {
      let kind = "duplicate"
      let update = "message"
      let copies = 2
      let botId: Int64
    }
    _ = try await post("faults", Form(botId: bot))
  }

  /// The latest tries to deliver something to a bot, newest first.
  func deliveries(bot: Int64) async throws -> [Delivery] {
    try read([Delivery].self, try await call("deliveries?bot_id=\(bot)"))
  }

  func charges(of person: Int64) async throws -> [Charge] {
    try read([Charge].self, try await call("people/\(person)/charges"))
  }

  private func post(_ path: String, _ form: some Encodable) async throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try await call(path, posting: try encoder.encode(form))
  }

  private func read<T: Decodable>(_ type: T.Type, _ data: Data) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do { return try decoder.decode(type, from: data) } catch {
      throw Problem.refused("its answer could not be read")
    }
  }

  private func call(_ path: String, posting body: Data? = nil) async throws -> Data {
    var base = baseURL.absoluteString
    while base.hasSuffix("/") { base.removeLast() }
    var request = HTTPClientRequest(url: "\(base)/sandbox/\(path)")
    if let body {
      request.method = .POST
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let (status, answer): (Int, Data)
    do {
      let response = try await TelegramClient.sharedHTTPClient.execute(
        request, timeout: .seconds(Limits.sandboxCallSeconds))
      let bytes = try await response.body.collect(upTo: Limits.sandboxReplyBytes)
      (status, answer) = (Int(response.status.code), Data(bytes.readableBytesView))
    } catch is CancellationError {
      throw CancellationError()
    } catch { throw Problem.notReached }
    guard (200..<300).contains(status) else {
      let refusal = try? JSONDecoder().decode(Refusal.self, from: answer)
      throw Problem.refused(refusal?.error.message ?? "HTTP \(status)")
    }
    return answer
  }

  private struct Refusal: Decodable {
    struct Words: Decodable { let message: String }
    let error: Words
  }
}
