import Crypto
import Foundation

/// Time-based one-time passwords (RFC 6238) as every authenticator app takes them: SHA-1, six digits,
/// a new one every 30 seconds.
public struct TOTP: Sendable, Equatable {
  static let stepSeconds = 30.0
  static let digits = 6
  /// RFC 4226 wants 16 bytes at least and recommends 20.
  private static let secretBytes = 20

  let secret: [UInt8]

  init(secret: [UInt8]) { self.secret = secret }

  static func random() -> TOTP { TOTP(secret: Bytes.random(secretBytes)) }

  /// - Returns: nil for text that is no base32.
  public init?(base32: String) {
    guard let secret = Base32.decode(base32), !secret.isEmpty else { return nil }
    self.init(secret: secret)
  }

  /// As people type it into an app that cannot follow a link.
  public var base32: String { Base32.encode(secret) }

  public static func step(at: Date) -> Int64 {
    Int64((at.timeIntervalSince1970 / stepSeconds).rounded(.down))
  }

  public func code(step: Int64) -> String {
    let counter = withUnsafeBytes(of: UInt64(bitPattern: step).bigEndian) { Data($0) }
    let mac = Array(
      HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
    let offset = Int(mac[mac.count - 1] & 0xf)
    let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    let text = String(number % 1_000_000)
    return String(repeating: "0", count: Self.digits - text.count) + text
  }

  /// The step whose code this is: the present one, or a neighbour, for clocks that differ.
  func step(of code: String, at: Date) -> Int64? {
    let present = Self.step(at: at)
    var found: Int64?
    for step in present - 1...present + 1
    where Bytes.equalInConstantTime(Array(code.utf8), Array(self.code(step: step).utf8)) {
      found = step
    }
    return found
  }

  /// What an authenticator opens or reads as a QR code.
  public func address(account: String) -> String {
    let unreserved = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    let name = account.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    return "otpauth://totp/eStars:\(name)?secret=\(base32)&issuer=eStars&algorithm=SHA1"
      + "&digits=\(Self.digits)&period=\(Int(Self.stepSeconds))"
  }
}

/// RFC 4648, without padding; what is decoded may have spaces, hyphens and small letters.
enum Base32 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var (buffer, bits) = (UInt32(0), 0)
    for byte in bytes {
      buffer = buffer << 8 | UInt32(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        text.append(alphabet[Int(buffer >> UInt32(bits) & 31)])
      }
      buffer &= (1 << UInt32(bits)) - 1
    }
    if bits > 0 { text.append(alphabet[Int(buffer << UInt32(5 - bits) & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (buffer, bits) = (UInt32(0), 0)
    for character in text.uppercased().utf8 where !Array(" -=".utf8).contains(character) {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      buffer = buffer << 5 | UInt32(value)
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(buffer >> UInt32(bits) & 255))
      }
      buffer &= (1 << UInt32(bits)) - 1
    }
    return bytes
  }
}
