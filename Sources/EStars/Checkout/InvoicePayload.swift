import Crypto
import Foundation
import Ledger

/// What stands in a Telegram invoice's payload: who may pay how much for what, until when, signed
/// by the workspace. It lets pre-checkout be answered without a database.
public struct InvoicePayload: Equatable, Sendable {
  public var workspaceID: Int64
  public var checkoutID: Int64
  public var buyerTelegramID: Int64
  /// Of a pack; or a plan's key behind ``planPrefix``.
  public var sku: String
  public var stars: Int64
  /// Unix seconds.
  public var expiresAt: Int64

  public enum Problem: Error, Equatable {
    /// Not one of our payloads at all.
    case foreign
    /// Looks like ours, but the signature does not fit this workspace.
    case forged
  }

  static let prefix = "es1."
  static let planPrefix = "plan:"
  private static let tagBytes = 16

  /// `es1.` + base64url(fields, the first 16 bytes of HMAC-SHA256). At most 128 bytes.
  public func signed(_ secrets: Secrets) -> String {
    var bytes = VarInt.encode([workspaceID, checkoutID, buyerTelegramID, stars, expiresAt])
    bytes += Array(sku.utf8)
    return Self.prefix + Bytes.base64URL(bytes + Self.tag(bytes, workspaceID, secrets))
  }

  /// - Throws: ``Problem``; a payload of another workspace is ``Problem/forged``.
  public init(_ text: String, in scope: WorkspaceScope, _ secrets: Secrets) throws(Problem) {
    guard text.utf8.count <= Limits.invoicePayloadBytes, text.hasPrefix(Self.prefix),
      let bytes = Bytes.fromBase64URL(text.dropFirst(Self.prefix.count)),
      bytes.count > Self.tagBytes
    else { throw .foreign }
    // The last character may have bits to spare: one payload has one spelling.
    guard text == Self.prefix + Bytes.base64URL(bytes) else { throw .forged }
    let body = Array(bytes.dropLast(Self.tagBytes))
    guard let (numbers, rest) = VarInt.decode(body, count: 5) else { throw .foreign }
    guard numbers[0] == scope.workspaceID,
      Bytes.equalInConstantTime(
        Array(bytes.suffix(Self.tagBytes)), Self.tag(body, scope.workspaceID, secrets))
    else { throw .forged }
    workspaceID = numbers[0]
    checkoutID = numbers[1]
    buyerTelegramID = numbers[2]
    stars = numbers[3]
    expiresAt = numbers[4]
    sku = String(decoding: rest, as: UTF8.self)
  }

  public init(
    workspaceID: Int64, checkoutID: Int64, buyerTelegramID: Int64, sku: String, stars: Int64,
    expiresAt: Int64
  ) {
    self.workspaceID = workspaceID
    self.checkoutID = checkoutID
    self.buyerTelegramID = buyerTelegramID
    self.sku = sku
    self.stars = stars
    self.expiresAt = expiresAt
  }

  private static func tag(_ body: [UInt8], _ workspaceID: Int64, _ secrets: Secrets) -> [UInt8] {
    let key = secrets.key("invoice-payload/\(workspaceID)")
    return Array(HMAC<SHA256>.authenticationCode(for: body, using: key).prefix(tagBytes))
  }
}

/// Unsigned LEB128: small numbers take few of the payload's 128 bytes.
enum VarInt {
  static func encode(_ numbers: [Int64]) -> [UInt8] {
    numbers.flatMap { number in
      var rest = UInt64(bitPattern: number)
      var bytes: [UInt8] = []
      while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7f) | 0x80)
        rest >>= 7
      }
      return bytes + [UInt8(rest)]
    }
  }

  static func decode(_ bytes: [UInt8], count: Int) -> ([Int64], rest: ArraySlice<UInt8>)? {
    var numbers: [Int64] = []
    var rest = bytes[...]
    while numbers.count < count {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while true {
        guard let byte = rest.popFirst(), shift < 63 else { return nil }
        value |= UInt64(byte & 0x7f) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      numbers.append(Int64(bitPattern: value))
    }
    return (numbers, rest)
  }
}
