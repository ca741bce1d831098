import Foundation

/// An address of an operator's own server that we call: for events, and for relayed updates. It is
/// somebody's word, so it must not lead us into our own network: see ``NetworkAddress/isPublic``.
public struct Target: Sendable {
  public enum Refusal: String, Error, Sendable, CaseIterable {
    /// It is no address of a web server, or longer than ``Limits/targetBytes``.
    case malformed
    /// It is not `https`.
    case insecure
    /// A name or password stands in it; logs and pages would show them.
    case credentials
    /// A port below 1024 other than 443: other services listen there.
    case port
    /// The name is not known, or the look-up took too long.
    case unresolved
    /// It leads to a private, loopback, link-local or otherwise reserved network.
    case `private`
  }

  let url: URL
  let host: String
  /// What the name leads to now. A connection goes to this very address: a second look-up could
  /// answer otherwise.
  let address: NetworkAddress

  /// Looks at an address as it is before every call. Saving one asks for the same, so that the
  /// operator learns of a mistake at once.
  ///
  /// - Parameter allowingPrivate: By the deployment's configuration: plain HTTP, any port and
  ///   addresses of one's own network are then fine.
  /// - Throws: ``Refusal``
  public static func check(url: String, allowingPrivate: Bool) async throws {
    _ = try await Target(url, allowingPrivate: allowingPrivate)
  }

  /// - Throws: ``Refusal``
  init(_ text: String, allowingPrivate: Bool) async throws {
    let url = try Self.parse(text, allowingPrivate: allowingPrivate)
    guard let host = url.host(percentEncoded: true).map(Self.withoutBrackets), !host.isEmpty else {
      throw Refusal.malformed
    }
    let addresses: [NetworkAddress]
    do {
      addresses = try await withDeadline(seconds: Limits.targetResolutionSeconds) {
        try await NetworkAddress.resolve(host)
      }
    } catch is DeadlineExceeded { throw Refusal.unresolved }
    guard let first = addresses.first else { throw Refusal.unresolved }
    // A name with one public and one private address is no mistake of an honest operator.
    guard allowingPrivate || addresses.allSatisfy(\.isPublic) else { throw Refusal.private }
    self.url = url
    self.host = host
    // Not every machine has IPv6.
    address = addresses.first { $0.bytes.count == 4 } ?? first
  }

  /// Everything about an address that can be said without asking anybody.
  private static func parse(_ text: String, allowingPrivate: Bool) throws -> URL {
    guard text.utf8.count <= Limits.targetBytes,
      text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x5c }),
      !text.contains("#"), let url = URL(string: text), let scheme = url.scheme?.lowercased(),
      url.host(percentEncoded: true)?.contains("%") == false
    else { throw Refusal.malformed }
    guard scheme == "https" || scheme == "http" else { throw Refusal.malformed }
    guard scheme == "https" || allowingPrivate else { throw Refusal.insecure }
    guard url.user == nil, url.password == nil, !(url.authorityText.contains("@")) else {
      throw Refusal.credentials
    }
    if let port = url.port {
      let isSensible = port == 443 || (1024...65_535).contains(port)
      guard isSensible || allowingPrivate && (1...65_535).contains(port) else { throw Refusal.port }
    }
    return url
  }

  private static func withoutBrackets(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }
}

extension URL {
  /// What stands between `//` and the path, as it was written.
  fileprivate var authorityText: Substring {
    guard let start = absoluteString.range(of: "//") else { return "" }
    return absoluteString[start.upperBound...].prefix { !"/?".contains($0) }
  }
}
