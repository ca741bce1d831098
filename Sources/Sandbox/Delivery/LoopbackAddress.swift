import Foundation
import NIOCore

/// The address of a webhook on this machine. The sandbox dials no other: a value of this type is
/// the only thing its deliveries take.
struct LoopbackAddress: Sendable, Hashable {
  let url: URL
  var text: String { url.absoluteString }

  /// - Throws: `BotAPIError` in the words of `setWebhook`.
  init(webhook text: String) throws {
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      let host = parts.host, !host.isEmpty
    else { throw BotAPIError.bad("invalid webhook URL specified") }
    guard ["https", "http"].contains(scheme) else {
      throw BotAPIError.bad("bad webhook: An HTTPS URL must be provided for webhook")
    }
    guard LoopbackAddress.isLoopback(host) else {
      throw BotAPIError.bad(
        scheme == "http"
          ? "bad webhook: An HTTPS URL must be provided for webhook"
          : "bad webhook: The sandbox calls only this machine (localhost, 127.0.0.1, ::1)")
    }
    guard parts.user == nil, parts.password == nil, (1...65535).contains(parts.port ?? 1) else {
      throw BotAPIError.bad("invalid webhook URL specified")
    }
    // Built anew from its parts, so that what was checked is what is dialled.
    var clean = URLComponents()
    clean.scheme = scheme
    clean.host = parts.host
    clean.port = parts.port
    clean.percentEncodedPath = parts.percentEncodedPath
    clean.percentEncodedQuery = parts.percentEncodedQuery
    guard let url = clean.url else { throw BotAPIError.bad("invalid webhook URL specified") }
    self.url = url
  }

  /// Whether a host is this machine by its own writing: `localhost` (which the client resolves
  /// to 127.0.0.1 without asking anybody), 127.0.0.0/8 in dotted form, or ::1.
  static func isLoopback(_ host: String) -> Bool {
    if host.lowercased() == "localhost" { return true }
    let bare = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    guard let address = try? SocketAddress(ipAddress: bare, port: 0) else { return false }
    switch address {
    case .v4: return bare.hasPrefix("127.") && bare.split(separator: ".").count == 4
    case .v6: return bare == "::1"
    case .unixDomainSocket: return false
    }
  }
}
