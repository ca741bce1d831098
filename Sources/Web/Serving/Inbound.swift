import EStars
import Foundation
import HTTPTypes

/// A request as handlers see it: its body read whole, its client's address resolved.
struct Inbound: Sendable {
  let method: HTTPRequest.Method
  let path: String
  /// The query as it was sent.
  let rawQuery: String?
  let parameters: [String: String]
  /// Host and port that the client asked for.
  let authority: String?
  let headers: HTTPFields
  /// Empty until the caller is known: nobody fills our memory without a key.
  var body: [UInt8] = []
  let resolveAddress: @Sendable () -> String
  let requestID: String
  let isSecure: Bool

  /// The client's address, behind trusted proxies too; few handlers ask for it.
  var address: String { resolveAddress() }

  /// The query's fields.
  var query: [String: String] { Self.pairs(rawQuery ?? "") }

  var cookies: [String: String] {
    Dictionary(Cookies.pairs(headers[values: .cookie]), uniquingKeysWith: { first, _ in first })
  }

  /// A number in the path; anything else is no such page.
  func id(_ name: String) throws -> Int64 {
    guard let text = parameters[name], let id = Int64(text), id > 0 else {
      throw Refusal.notFound
    }
    return id
  }

  /// The body as valid UTF-8.
  ///
  /// - Throws: ``Refusal``
  func text() throws -> String {
    guard let text = String(validating: body, as: UTF8.self) else {
      throw Refusal(.badRequest, "invalid_encoding", "The body is not valid UTF-8.")
    }
    return text
  }

  /// The fields of an HTML form.
  ///
  /// - Throws: ``Refusal``
  func form() throws -> [String: String] {
    let type = headers[.contentType] ?? ""
    guard type.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
      throw Refusal(
        .unsupportedMediaType, "unsupported_media_type",
        "A form is sent as application/x-www-form-urlencoded.")
    }
    return Self.pairs(try text())
  }

  /// Decodes `a=1&b=2`; of equal names the first counts.
  static func pairs(_ text: String) -> [String: String] {
    var pairs: [String: String] = [:]
    for pair in text.split(separator: "&").prefix(200) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = decode(parts[0])
      if !name.isEmpty, pairs[name] == nil { pairs[name] = parts.count > 1 ? decode(parts[1]) : "" }
    }
    return pairs
  }

  private static func decode(_ text: Substring) -> String {
    let spaced = text.replacing("+", with: " ")
    return spaced.removingPercentEncoding ?? String(spaced)
  }
}

private enum Cookies {
  static func pairs(_ headers: [String]) -> [(String, String)] {
    headers.flatMap { $0.split(separator: ";") }.prefix(50).compactMap { part in
      let pair = part.split(separator: "=", maxSplits: 1)
      guard pair.count == 2 else { return nil }
      return (pair[0].trimmingCharacters(in: .whitespaces), String(pair[1]))
    }
  }
}

/// A response as handlers make it.
struct Reply: Sendable {
  var status: HTTPResponse.Status
  var headers: HTTPFields
  var body: [UInt8]
  /// Instead of `body`, where it is the same for everybody.
  var shared: SharedBody?

  init(
    _ status: HTTPResponse.Status, headers: HTTPFields = [:], body: [UInt8] = [],
    shared: SharedBody? = nil
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.shared = shared
  }

  static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Reply {
    Reply(
      status,
      headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
      body: Array(text.utf8))
  }

  static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Reply {
    Reply(
      status,
      headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: Array(try JSON.encode(value)))
  }

  static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Reply {
    Reply(
      status,
      headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
      body: Array((text + "\n").utf8))
  }

  /// After a form was sent: the browser asks for the page anew, so that reload repeats nothing.
  static func seeOther(_ path: String) -> Reply {
    Reply(.seeOther, headers: [.location: path, .cacheControl: "no-store"])
  }
}

/// A body whose coding keys are snake case as they stand. Converting them costs as much as all the
/// rest of an answer, so the busiest ones do without.
protocol SnakeCased {}

enum JSON {
  /// Keys in order, so that equal values are equal bytes.
  static func encode(_ value: some Encodable) throws -> Data {
    try (value is any SnakeCased ? asWritten : snakeCasing).encode(value)
  }

  static func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
    let decoder = JSONDecoder()
    if !(type is any SnakeCased.Type) { decoder.keyDecodingStrategy = .convertFromSnakeCase }
    return try decoder.decode(type, from: data)
  }

  private static let snakeCasing = encoder(.convertToSnakeCase)
  private static let asWritten = encoder(.useDefaultKeys)

  private static func encoder(_ keys: JSONEncoder.KeyEncodingStrategy) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = keys
    encoder.dateEncodingStrategy = .iso8601
    return encoder
  }

  /// How deep objects and arrays nest, found without building anything: a parser that recurses
  /// must not be given what could exhaust its stack.
  static func depth(_ bytes: [UInt8]) -> Int {
    var depth = 0
    var deepest = 0
    var inString = false
    var escaped = false
    for byte in bytes {
      if inString {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
    return deepest
  }
}

extension Inbound {
  /// The body's JSON text, checked for everything that does not depend on its meaning.
  ///
  /// - Throws: ``Refusal``
  func jsonText() throws -> String {
    if let type = headers[.contentType]?.lowercased(), !type.hasPrefix("application/json") {
      throw Refusal(
        .unsupportedMediaType, "unsupported_media_type", "Send the body as application/json.")
    }
    let text = try text()
    guard JSON.depth(body) <= Limits.jsonDepth else {
      throw Refusal(
        .badRequest, "too_deep", "The body nests deeper than \(Limits.jsonDepth) levels.")
    }
    return text
  }

  /// - Throws: ``Refusal`` naming the field that is missing or has the wrong type.
  func json<T: Decodable>(_ type: T.Type) throws -> T {
    let text = try jsonText()
    do {
      return try JSON.decode(type, from: Data(text.utf8))
    } catch let error as DecodingError {
      throw Refusal(.badRequest, "invalid_request", "\(error.plainWords.capitalizedFirst).")
    }
  }
}

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
