import Crypto
import Foundation

/// How a bot knows that an event is ours: HMAC-SHA256, in hex, over the time in Unix seconds, a full
/// stop and the body, with the UTF-8 bytes of the secret as it was shown for key.
public enum EventSignature {
  /// The value of the header `eStars-Signature`: `t=…,v1=…`, with a second `v1` while an older
  /// secret still counts.
  public static func header(of body: String, at: Date, secrets: [String]) -> String {
    let time = Int(at.timeIntervalSince1970)
    let message = Array("\(time).\(body)".utf8)
    let codes = secrets.map { secret in
      HMAC<SHA256>.authenticationCode(
        for: message, using: SymmetricKey(data: Array(secret.utf8)))
    }
    return (["t=\(time)"] + codes.map { "v1=\(Bytes.hex($0))" }).joined(separator: ",")
  }
}
