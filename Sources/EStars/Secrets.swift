import Crypto
import Foundation

/// The deployment's keys. What is secret is derived from them by purpose, so that a payload
/// signature can never be used as a sealing key.
public struct Secrets: Sendable {
  private let master: SymmetricKey
  /// The first one seals; all of them open.
  private let sealing: [SymmetricKey]

  /// The environment variables that hold keys.
  public enum Variable: String, Sendable {
    case secretKey = "ESTARS_SECRET_KEY"
    /// Seals in place of the secret key, which signs invoices and therefore has to stay.
    case sealingKey = "ESTARS_SEALING_KEY"
    /// Opens what is sealed and never seals: the next key, or the one before.
    case otherSealingKey = "ESTARS_SEALING_KEY_OTHER"
  }

  public enum Problem: Error, Equatable, CustomStringConvertible {
    case missing
    case weak(Variable)
    /// Both sealing keys are one, so that the other key opens nothing more.
    case same
    case sealed
    public var description: String {
      switch self {
      case .missing:
        "ESTARS_SECRET_KEY is missing: set it to 32 random bytes in hex (openssl rand -hex 32)"
      case .weak(let variable):
        "\(variable.rawValue) is too weak: it must be 64 hex digits from a random source"
      case .same:
        "ESTARS_SEALING_KEY_OTHER is ESTARS_SEALING_KEY once more: it is for the key before or after it"
      case .sealed:
        "a sealed value could not be opened: the keys differ from the one it was sealed with"
      }
    }
  }

  /// Each key is 64 hex digits; one with fewer than 12 different bytes is refused as typed by hand.
  ///
  /// - Parameters:
  ///   - hex: The secret key.
  ///   - sealingKey: What seals from now on; nil: a key derived from the secret key.
  ///   - otherSealingKey: Opens as well.
  ///
  /// - Throws: ``Problem/missing``, ``Problem/weak(_:)``, ``Problem/same``
  public init(
    hex: String?, sealingKey: String? = nil, otherSealingKey: String? = nil
  ) throws(Problem) {
    guard let hex, !hex.isEmpty else { throw .missing }
    let master = try Self.key(hex, .secretKey)
    var sealing = [Self.derive(master, "seal")]
    if let otherSealingKey {
      sealing.insert(Self.derive(try Self.key(otherSealingKey, .otherSealingKey), "seal"), at: 0)
    }
    if let sealingKey {
      let key = Self.derive(try Self.key(sealingKey, .sealingKey), "seal")
      guard otherSealingKey == nil || key != sealing[0] else { throw .same }
      sealing.insert(key, at: 0)
    } else {
      sealing.reverse()
    }
    self.master = master
    self.sealing = sealing
  }

  private static func key(_ hex: String, _ variable: Variable) throws(Problem) -> SymmetricKey {
    guard let bytes = Bytes.fromHex(hex), bytes.count >= 32, Set(bytes).count >= 12 else {
      throw .weak(variable)
    }
    return SymmetricKey(data: bytes)
  }

  private static func derive(_ key: SymmetricKey, _ purpose: String) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: key, info: Array("estars/\(purpose)".utf8), outputByteCount: 32)
  }

  func key(_ purpose: String) -> SymmetricKey { Self.derive(master, purpose) }

  /// AES-GCM over the text: nonce, ciphertext and tag in one value.
  public func seal(_ text: String) throws -> [UInt8] {
    guard let box = try AES.GCM.seal(Array(text.utf8), using: sealing[0]).combined else {
      throw Problem.sealed
    }
    return Array(box)
  }

  /// - Throws: ``Problem/sealed`` when the value was sealed with another key or altered.
  public func open(_ sealed: [UInt8]) throws -> String {
    for key in sealing {
      if let text = Self.open(sealed, key) { return text }
    }
    throw Problem.sealed
  }

  /// The value sealed anew, or nil where the key that seals has sealed it already.
  ///
  /// - Throws: ``Problem/sealed``
  func reseal(_ sealed: [UInt8]) throws -> [UInt8]? {
    guard Self.open(sealed, sealing[0]) == nil else { return nil }
    return try seal(open(sealed))
  }

  private static func open(_ sealed: [UInt8], _ key: SymmetricKey) -> String? {
    guard let box = try? AES.GCM.SealedBox(combined: sealed),
      let plain = try? AES.GCM.open(box, using: key)
    else { return nil }
    return String(decoding: plain, as: UTF8.self)
  }
}

/// Byte strings as they stand in URLs, configuration and tables.
public enum Bytes {
  public static func random(_ count: Int) -> [UInt8] {
    // A word at a time: each is a call of the system.
    var generator = SystemRandomNumberGenerator()
    let words = (0..<(count + 7) / 8).map { _ in generator.next() as UInt64 }
    return words.withUnsafeBytes { Array($0.prefix(count)) }
  }

  public static func sha256(_ text: String) -> [UInt8] {
    Array(SHA256.hash(data: Array(text.utf8)))
  }

  public static func hex(_ bytes: some Sequence<UInt8>) -> String {
    var digits: [UInt8] = []
    for byte in bytes {
      digits.append(hexDigits[Int(byte >> 4)])
      digits.append(hexDigits[Int(byte & 15)])
    }
    return String(decoding: digits, as: UTF8.self)
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  public static func fromHex(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Character(Unicode.Scalar(digits[index])).hexDigitValue,
        let low = Character(Unicode.Scalar(digits[index + 1])).hexDigitValue
      else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return bytes
  }

  public static func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }

  public static func fromBase64URL(_ text: some StringProtocol) -> [UInt8]? {
    var padded = String(text).replacing("-", with: "+").replacing("_", with: "/")
    while padded.utf8.count % 4 != 0 { padded += "=" }
    return Data(base64Encoded: padded).map(Array.init)
  }

  /// Compares in a time that depends on the lengths alone.
  public static func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// The first 64 bits of SHA-256 over the parts, length-prefixed so that ("a","bc") and ("ab","c")
  /// differ. It tells a retry of a request from another request under the same key.
  public static func fingerprint(_ parts: [String]) -> Int64 {
    var hash = SHA256()
    for part in parts {
      withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: Array(part.utf8))
    }
    let prefix = hash.finalize().prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int64(bitPattern: prefix)
  }
}
