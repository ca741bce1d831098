import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An address of IPv4 (4 bytes) or IPv6 (16 bytes).
struct NetworkAddress: Sendable, Equatable, CustomStringConvertible {
  let bytes: [UInt8]
  /// As it stands in a configuration: `203.0.113.9`, `2001:db8::1`.
  let description: String

  /// Whether it belongs to the public Internet and to it alone. IPv6 is public within 2000::/3 only;
  /// that leaves out loopback, link-local and private ones as well as those that carry an IPv4
  /// address behind a prefix (::ffff:0:0/96, 64:ff9b::/96), and the rest is named here.
  var isPublic: Bool {
    if bytes.count == 4 {
      return !Self.reservedV4.contains { Self.matches(bytes, $0.prefix, $0.bits) }
    }
    return bytes.count == 16 && Self.matches(bytes, [0x20], 3)
      && !Self.reservedV6.contains { Self.matches(bytes, $0.prefix, $0.bits) }
  }

  private static let reservedV4: [(prefix: [UInt8], bits: Int)] = [
    ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12),
    ([192, 0, 0], 24), ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16),
    ([198, 18], 15), ([198, 51, 100], 24), ([203, 0, 113], 24), ([224], 4), ([240], 4),
  ]

  private static let reservedV6: [(prefix: [UInt8], bits: Int)] = [
    // Protocol assignments, Teredo among them; documentation; 6to4, which carries an IPv4 address.
    ([0x20, 0x01, 0x00], 23), ([0x20, 0x01, 0x0d, 0xb8], 32), ([0x20, 0x02], 16),
    ([0x3f, 0xff, 0x00], 20),
  ]

  private static func matches(_ bytes: [UInt8], _ prefix: [UInt8], _ bits: Int) -> Bool {
    (0..<bits).allSatisfy { bit in
      let mask = UInt8(0x80) >> (bit % 8)
      let wanted = bit / 8 < prefix.count ? prefix[bit / 8] : 0
      return bytes[bit / 8] & mask == wanted & mask
    }
  }

  /// Asks the system for all addresses of a name; an address stands for itself, in every spelling
  /// that the system takes.
  ///
  /// - Returns: None when the name is unknown.
  static func resolve(_ host: String) async throws -> [NetworkAddress] {
    // The call blocks its thread for as long as a name server takes.
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: look(up: host)) }
    }
  }

  private static func look(up host: String) -> [NetworkAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var addresses: [NetworkAddress] = []
    var next = list
    while let entry = next {
      if let address = NetworkAddress(entry.pointee) { addresses.append(address) }
      next = entry.pointee.ai_next
    }
    return addresses
  }

  private init?(_ entry: addrinfo) {
    guard let address = entry.ai_addr else { return nil }
    switch entry.ai_family {
    case AF_INET:
      let raw = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr }
      self.init(withUnsafeBytes(of: raw) { Array($0) }, AF_INET)
    case AF_INET6:
      let raw = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
        $0.pointee.sin6_addr
      }
      self.init(withUnsafeBytes(of: raw) { Array($0) }, AF_INET6)
    default: return nil
    }
  }

  private init?(_ bytes: [UInt8], _ family: Int32) {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
    self.bytes = bytes
    description = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
