import Crypto
import Foundation

/// What a browser may load and run on a page of ours: files of ours, and nothing that stands in the page
/// itself.
enum ContentSecurity {
  /// - Parameter style: rules that the page carries; exactly these are taken.
  static func policy(carrying style: String? = nil) -> String {
    var parts = [
      "default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
      "object-src 'none'",
    ]
    if let style {
      let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
      parts.append("style-src 'self' 'sha256-\(hash)'")
    }
    return parts.joined(separator: "; ")
  }
}
