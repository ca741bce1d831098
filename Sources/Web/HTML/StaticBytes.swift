import Crypto
import Foundation

/// A response body that never changes while the process runs.
struct StaticBytes: Sendable, Equatable {
  let contentType: String
  /// Strong validator, quotes included. The compressed form is another representation and has
  /// `gzipETag`.
  let etag: String
  let gzipETag: String
  let body: [UInt8]
  let gzip: [UInt8]?
  let cacheControl: String

  init(contentType: String, body: [UInt8], cacheControl: String, compress: Bool = true) throws {
    let hash = Self.hash(body)
    self.contentType = contentType
    self.etag = "\"\(hash)\""
    self.gzipETag = "\"\(hash)-gzip\""
    self.body = body
    self.gzip = compress ? try Gzip.compress(body) : nil
    self.cacheControl = cacheControl
  }

  /// The first 12 hexadecimal digits of SHA-256: enough to tell versions of one file apart.
  static func hash(_ body: [UInt8]) -> String {
    SHA256.hash(data: body).prefix(6).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
