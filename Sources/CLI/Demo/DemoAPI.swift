import AsyncHTTPClient
import Foundation
import NIOCore
import Telegram

/// `/v1` as a bot calls it, over HTTP and with its key.
struct DemoAPI: Sendable {
  let baseURL: URL
  let key: String

  struct Pack: Decodable, Sendable {
    let sku: String
    let title: String
    let emoji: String
    let credits: Int64
    let bonusCredits: Int64
    let stars: Int64
  }

  struct Sale: Decodable, Sendable {
    let title: String
    let description: String
    let payload: String
    let stars: Int64
  }

  struct Forwarded: Decodable, Sendable {
    let handled: String
    let duplicate: Bool
    let payment: Payment?

    struct Payment: Decodable, Sendable {
      let stars: Int64
      let credits: Int64
      let bonusCredits: Int64
      let balance: Int64
    }
  }

  enum Debit: Sendable {
    case paid(cost: Int64, balance: Int64)
    case paywall([Pack])
  }

  /// The product answered something that the bot cannot use.
  struct Problem: Error, CustomStringConvertible {
    let status: UInt
    let code: String
    var description: String { "\(status) \(code)" }
  }

  func forward(_ update: Data) async throws -> Forwarded {
    let (status, body) = try await send("POST", "/v1/updates", update)
    guard status == 200 else { throw problem(status, body) }
    return try decode(body)
  }

  func catalog(for user: Int64, in language: String) async throws -> [Pack] {
    struct Catalog: Decodable { let packs: [Pack] }
    let (status, body) = try await send("GET", "/v1/catalog?user=\(user)&language=\(language)")
    guard status == 200 else { throw problem(status, body) }
    return try decode(body, as: Catalog.self).packs
  }

  func balance(of user: Int64) async throws -> Int64 {
    struct Customer: Decodable {
      let balance: Balance
      struct Balance: Decodable { let available: Int64 }
    }
    let (status, body) = try await send("GET", "/v1/customers/\(user)")
    guard status == 200 else { throw problem(status, body) }
    return try decode(body, as: Customer.self).balance.available
  }

  /// - Parameter language: of the packs, where the credits do not reach.
  func debit(
    user: Int64, action: String, key: String, in language: String
  ) async throws -> Debit {
    struct Request: Encodable { let user: Int64; let action: String; let language: String }
    struct Answer: Decodable {
      let debit: Paid?
      let paywall: Paywall?
      struct Paid: Decodable { let cost: Int64; let balance: Int64 }
      struct Paywall: Decodable { let packs: [Pack] }
    }
    let request = Request(user: user, action: action, language: language)
    let (status, body) = try await send(
      "POST", "/v1/debits", try JSONEncoder().encode(request), key: key)
    guard [200, 201, 402].contains(status) else { throw problem(status, body) }
    let answer = try decode(body, as: Answer.self)
    if let paid = answer.debit { return .paid(cost: paid.cost, balance: paid.balance) }
    return .paywall(answer.paywall?.packs ?? [])
  }

  /// nil when the pack is not for this user.
  func checkout(
    user: Int64, sku: String, key: String, in language: String
  ) async throws -> Sale? {
    struct Request: Encodable { let user: Int64; let sku: String; let language: String }
    struct Answer: Decodable { let checkout: Sale }
    let request = Request(user: user, sku: sku, language: language)
    let (status, body) = try await send(
      "POST", "/v1/checkouts", try JSONEncoder().encode(request), key: key)
    if status == 403 || status == 422 { return nil }
    guard status == 200 || status == 201 else { throw problem(status, body) }
    return try decode(body, as: Answer.self).checkout
  }

  private func send(
    _ method: String, _ path: String, _ body: Data? = nil, key idempotencyKey: String? = nil
  ) async throws -> (UInt, Data) {
    var request = HTTPClientRequest(url: baseURL.absoluteString + path)
    request.method = .RAW(value: method)
    request.headers.add(name: "Authorization", value: "Bearer \(key)")
    if let idempotencyKey { request.headers.add(name: "Idempotency-Key", value: idempotencyKey) }
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(body)
    }
    let response = try await TelegramClient.sharedHTTPClient.execute(
      request, timeout: .seconds(15))
    let buffer = try await response.body.collect(upTo: 1 << 20)
    return (response.status.code, Data(buffer.readableBytesView))
  }

  private func decode<T: Decodable>(_ body: Data, as type: T.Type = T.self) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: body)
  }

  private func problem(_ status: UInt, _ body: Data) -> Problem {
    struct Body: Decodable { let code: String }
    let code = try? JSONDecoder().decode(Body.self, from: body).code
    return Problem(status: status, code: code ?? "unreadable")
  }
}
