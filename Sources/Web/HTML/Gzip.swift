import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPCompression

/// Compresses bytes that are served unchanged, once, at boot.
enum Gzip {
  /// - Returns: nil when compressing does not make the body smaller.
  /// - Throws: what the compressor throws; none is expected for bytes in memory.
  static func compress(_ body: [UInt8]) throws -> [UInt8]? {
    guard body.count >= ContentLimits.gzipFromBytes else { return nil }
    let compressed = try run(body, coding: "gzip")
    return compressed.count < body.count ? compressed : nil
  }

  /// The zlib form (RFC 1950), which pictures use.
  static func deflate(_ body: [UInt8]) throws -> [UInt8] { try run(body, coding: "deflate") }

  private static func run(_ body: [UInt8], coding: String) throws -> [UInt8] {
    let channel = EmbeddedChannel(handler: HTTPResponseCompressor())
    defer { _ = try? channel.finish() }
    let request = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: "/", headers: ["accept-encoding": coding])
    try channel.writeInbound(HTTPServerRequestPart.head(request))
    try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok)))
    try channel.writeOutbound(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body))))
    try channel.writeOutbound(HTTPServerResponsePart.end(nil))
    var compressed: [UInt8] = []
    while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
      if case .body(.byteBuffer(let buffer)) = part {
        compressed.append(contentsOf: buffer.readableBytesView)
      }
    }
    return compressed
  }
}
