import Crypto
import Foundation

/// When a form that anybody may open was drawn, signed: programs send forms at once or keep them for
/// long, and no cookie is needed to tell. It also names the form, so that one sent twice counts once.
public enum FormStamp {
  public enum Age: Sendable, Equatable {
    case right
    /// Sent sooner than anybody types.
    case tooYoung
    /// Kept for too long, made by somebody else, or missing.
    case none
  }

  private static let nonceBytes = 16
  private static let macBytes = 16

  public static func make(at: Date, _ secrets: Secrets) -> String {
    let milliseconds = UInt64(max(0, at.timeIntervalSince1970 * 1000))
    let body =
      withUnsafeBytes(of: milliseconds.bigEndian) { Array($0) } + Bytes.random(nonceBytes)
    return Bytes.base64URL(body + mac(body, "form stamp", secrets))
  }

  public static func age(of stamp: String, at: Date, _ secrets: Secrets) -> Age {
    guard stamp.utf8.count <= 100, let bytes = Bytes.fromBase64URL(stamp),
      bytes.count == 8 + nonceBytes + macBytes
    else { return .none }
    let body = Array(bytes.dropLast(macBytes))
    guard
      Bytes.equalInConstantTime(Array(bytes.suffix(macBytes)), mac(body, "form stamp", secrets))
    else { return .none }
    let milliseconds = body.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let seconds = at.timeIntervalSince1970 - Double(milliseconds) / 1000
    if seconds > Limits.formStampSeconds { return .none }
    return seconds < Limits.formTypingSeconds ? .tooYoung : .right
  }

  /// The private link that comes of this form: nobody can make it up, and sending the form again
  /// leads to the same.
  static func token(of stamp: String, _ secrets: Secrets) -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: Array(stamp.utf8), using: secrets.key("application link"))
    return Bytes.base64URL(Array(code))
  }

  /// A link that leads to nothing but looks like one, for programs that fill in every field.
  public static func decoy(_ secrets: Secrets) -> String {
    let nonce = Bytes.random(nonceBytes)
    return Bytes.base64URL(nonce + mac(nonce, "application decoy", secrets))
  }

  public static func isDecoy(_ token: String, _ secrets: Secrets) -> Bool {
    guard token.utf8.count <= 100, let bytes = Bytes.fromBase64URL(token),
      bytes.count == nonceBytes + macBytes
    else { return false }
    return Bytes.equalInConstantTime(
      Array(bytes.suffix(macBytes)),
      mac(Array(bytes.prefix(nonceBytes)), "application decoy", secrets))
  }

  private static func mac(_ body: [UInt8], _ purpose: String, _ secrets: Secrets) -> [UInt8] {
    Array(
      HMAC<SHA256>.authenticationCode(for: body, using: secrets.key(purpose)).prefix(macBytes))
  }
}
