import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationCompat

extension Response {
  static func json(
    _ value: some Encodable, status: HTTPResponse.Status = .ok
  ) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: status,
      headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(data: try encoder.encode(value))))
  }
}

extension Request {
  /// Reads a JSON body.
  /// - Throws: `Refusal` for one that is too large, too deep, or not what was asked for.
  func json<Value: Decodable>(_ type: Value.Type) async throws -> Value {
    let bytes = try await bytes()
    guard String(validating: bytes, as: UTF8.self) != nil, JSONDepth.isBounded(bytes) else {
      throw Refusal.invalid("The body is not JSON in UTF-8 of moderate depth.")
    }
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let DecodingError.keyNotFound(key, _) {
      throw Refusal.invalid("The field \(key.stringValue) is missing.")
    } catch let DecodingError.typeMismatch(_, context) {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw Refusal.invalid("The field \(path) has the wrong type.")
    } catch {
      throw Refusal.invalid("The body is not the JSON that is wanted here.")
    }
  }

  /// Reads a form.
  func form() async throws -> Parameters {
    do {
      return try Parameters(
        query: nil, contentType: headers[.contentType], body: try await bytes())
    } catch let error as BotAPIError {
      throw Refusal.invalid(error.description)
    }
  }

  private func bytes() async throws -> [UInt8] {
    var request = self
    do {
      return Array(buffer: try await request.collectBody(upTo: SandboxLimits.requestBytes))
    } catch is NIOTooManyBytesError {
      throw Refusal(413, "too_large", "This is more than the sandbox reads.")
    }
  }
}

extension SandboxContext {
  func id(_ name: String) throws -> Int64 {
    guard let id = parameters.get(name).flatMap(Int64.init) else {
      throw Refusal(404, "not_found", "There is nothing at this address.")
    }
    return id
  }

  func word(_ name: String) throws -> String {
    guard let word = parameters.get(name)?.removingPercentEncoding else {
      throw Refusal(404, "not_found", "There is nothing at this address.")
    }
    return word
  }
}
