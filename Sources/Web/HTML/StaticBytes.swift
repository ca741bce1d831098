import Crypto
import Foundation
import HTTPTypes

/// A response body that never changes while the process runs, plain and compressed.
struct StaticBytes: Sendable {
  /// One of the two forms, with the validator of its own that RFC 9110 asks for.
  final class Representation: Sendable {
    let body: [UInt8]
    let shared: SharedBody
    /// Strong, quotes included.
    let etag: String
    /// Value of `Content-Encoding`, when there is one.
    let contentEncoding: String?
    /// What says that a client's copy is still good, and what goes with the whole: made once, since
    /// a field's value is examined when the field is made.
    let validators: HTTPFields
    let headers: HTTPFields

    init(
      body: [UInt8], etag: String, contentEncoding: String?, contentType: String,
      cacheControl: String, varies: Bool, policy: String?
    ) {
      self.body = body
      self.etag = etag
      self.contentEncoding = contentEncoding
      shared = SharedBody(body)
      var validators: HTTPFields = [.eTag: etag, .cacheControl: cacheControl]
      if varies { validators[.vary] = "Accept-Encoding" }
      // A 304 puts its fields in the place of those that were kept.
      if let policy { validators[.contentSecurityPolicy] = policy }
      self.validators = validators
      var headers = validators
      headers[.contentType] = contentType
      if let contentEncoding { headers[.contentEncoding] = contentEncoding }
      self.headers = headers
    }
  }

  let contentType: String
  let cacheControl: String
  let plain: Representation
  let compressed: Representation?

  var etag: String { plain.etag }
  var body: [UInt8] { plain.body }
  var gzip: [UInt8]? { compressed?.body }

  /// - Parameter policy: a content security policy of its own, where it needs one.
  init(
    contentType: String, body: [UInt8], cacheControl: String, compress: Bool = true,
    policy: String? = nil
  ) throws {
    let hash = Self.hash(body)
    self.contentType = contentType
    self.cacheControl = cacheControl
    let gzip = try compress ? Gzip.compress(body) : nil
    plain = Representation(
      body: body, etag: "\"\(hash)\"", contentEncoding: nil, contentType: contentType,
      cacheControl: cacheControl, varies: gzip != nil, policy: policy)
    compressed = gzip.map {
      Representation(
        body: $0, etag: "\"\(hash)-gzip\"", contentEncoding: "gzip", contentType: contentType,
        cacheControl: cacheControl, varies: true, policy: policy)
    }
  }

  /// What a client with this `Accept-Encoding` gets.
  func representation(acceptEncoding: String?) -> Representation {
    guard let compressed, let acceptEncoding else { return plain }
    for part in acceptEncoding.lowercased().split(separator: ",") {
      let fields = part.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      guard fields.first == "gzip" || fields.first == "x-gzip" else { continue }
      let weight = fields.dropFirst().first { $0.hasPrefix("q=") }.flatMap {
        Double($0.dropFirst(2))
      }
      return (weight ?? 1) > 0 ? compressed : plain
    }
    return plain
  }

  /// Whether a client already holds this representation (`If-None-Match`, weak comparison).
  static func matches(_ representation: Representation, ifNoneMatch: String?) -> Bool {
    guard let ifNoneMatch else { return false }
    return ifNoneMatch.split(separator: ",").contains { part in
      let tag = part.trimmingCharacters(in: .whitespaces)
      return tag == "*" || tag == representation.etag || tag == "W/" + representation.etag
    }
  }

  /// The first 12 hexadecimal digits of SHA-256: enough to tell versions of one file apart.
  static func hash(_ body: [UInt8]) -> String {
    SHA256.hash(data: body).prefix(6).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
