import Crypto
import Foundation
import Postgres

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What somebody writes about themselves, checked.
public struct ApplicationDraft: Sendable, Equatable {
  public enum Field: String, Sendable, CaseIterable {
    case bot, segment, stars, cost, contact, pain, code
  }

  public let locale: String
  public let botUsername: String
  public let segment: Bot.Segment
  public let monthlyStars: Int64
  public let variableCost: String
  public let contact: String
  public let pain: String
  /// Empty: none.
  public let invitationCode: String

  public static let starsRange: ClosedRange<Int64> = 0...1_000_000_000
  public static let costCharacters = 200
  public static let contactCharacters = 3...120
  public static let painCharacters = 2000
  /// More than any code has, however it was spaced.
  public static let codeCharacters = 60

  public init(
    locale: String, botUsername: String, segment: Bot.Segment, monthlyStars: Int64,
    variableCost: String, contact: String, pain: String, invitationCode: String = ""
  ) {
    self.locale = locale
    self.botUsername = botUsername
    self.segment = segment
    self.monthlyStars = monthlyStars
    self.variableCost = variableCost
    self.contact = contact
    self.pain = pain
    self.invitationCode = invitationCode
  }

  /// A bot's username as people write it: `@shop_bot`, `t.me/shop_bot`, `https://t.me/shop_bot?start=1`.
  ///
  /// - Returns: nil where it can be nobody's.
  public static func username(_ typed: String) -> String? {
    let pattern =
      /(?:(?:https?:\/\/)?(?:www\.)?(?:t|telegram)\.me\/)?@?([A-Za-z][A-Za-z0-9_]{3,30}[A-Za-z0-9])(?:[\/?#].*)?/
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    return text.wholeMatch(of: pattern).map { String($0.output.1) }
  }
}

extension Application {
  /// Why an application was not taken.
  public enum ApplyRefusal: Error, Equatable, Sendable {
    /// There is no such invitation code that may still be used.
    case code
    /// So many came from this address, or from everybody, that the next is taken later.
    case throttled(retryAfterSeconds: Int)
    /// The same form was sent before with other words; that application has this link.
    case sentBefore(token: String)
  }

  /// Takes an application. The same form sent twice makes one.
  ///
  /// - Parameters:
  ///   - stamp: Of the form; see ``FormStamp``.
  ///   - address: Of the browser. It is not kept, only counted under a keyed hash for a day.
  /// - Returns: The token of the private link, which is nowhere stored.
  /// - Throws: ``ApplyRefusal``
  public static func apply(
    _ draft: ApplicationDraft, stamp: String, address: String, at: Date, _ platform: Platform
  ) async throws -> String {
    let (pool, secrets) = (platform.pool, platform.secrets)
    let token = FormStamp.token(of: stamp, secrets)
    if let known = try await find(token: token, pool) {
      guard known.says(draft) else { throw ApplyRefusal.sentBefore(token: token) }
      return token
    }
    // A mistyped code is no application yet.
    guard try await InvitationCode.isGood(draft.invitationCode, at: at, pool) else {
      throw ApplyRefusal.code
    }
    // A crowd of addresses can shut out strangers, but nobody who was invited: codes have an end.
    let everybody = draft.invitationCode.isEmpty ? [Throttle.Key.applications] : []
    for key in [.applications(from: address, secrets)] + everybody {
      if let seconds = try await Throttle.take([key], at: at, pool) {
        throw ApplyRefusal.throttled(retryAfterSeconds: seconds)
      }
    }
    try await pool.transaction { tx in
      let row = try await tx.query(
        """
        insert into applications (token_hash, locale, bot_username, segment, monthly_stars,
          variable_cost, contact, pain, received_at)
        values (\(Bytes.sha256(token)), \(draft.locale), \(draft.botUsername),
          \(draft.segment.rawValue), \(draft.monthlyStars), \(draft.variableCost),
          \(draft.contact), \(draft.pain), \(at))
        on conflict (token_hash) do nothing returning application_id
        """
      ).first
      // The same form came twice at the same moment: the other one has used the code.
      guard let row, let code = try await tx.useCode(draft.invitationCode, at: at) else { return }
      try await tx.execute(
        """
        update applications set invitation_code_id = \(code)
        where application_id = \(row.get("application_id", as: Int64.self))
        """)
    }
    return token
  }

  private func says(_ draft: ApplicationDraft) -> Bool {
    draft.botUsername == botUsername && draft.segment == segment
      && draft.monthlyStars == monthlyStars && draft.variableCost == variableCost
      && draft.contact == contact && draft.pain == pain
  }
}

extension Throttle.Key {
  /// Of one address. Whoever has a network of IPv6 has all addresses of it, so it counts as one.
  static func applications(from address: String, _ secrets: Secrets) -> Throttle.Key {
    let mac = HMAC<SHA256>.authenticationCode(
      for: NetworkAddress.network(of: address), using: secrets.key("applications by address"))
    return Throttle.Key(
      text: "application:" + Bytes.hex(mac), limit: Limits.applicationsPerAddress,
      seconds: Limits.applicationWindowSeconds)
  }

  static let applications = Throttle.Key(
    text: "applications", limit: Limits.applicationsPerDay,
    seconds: Limits.applicationWindowSeconds)
}

extension NetworkAddress {
  /// The address itself of IPv4, the first 64 bits of IPv6, and any other text as it is.
  static func network(of address: String) -> [UInt8] {
    var v6 = in6_addr()
    let isV6 = inet_pton(AF_INET6, address, &v6) == 1
    guard isV6 else { return Array(address.utf8) }
    let bytes = withUnsafeBytes(of: &v6) { Array($0) }
    // ::ffff:192.0.2.1 is an address of IPv4 in other words.
    let isMapped = bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    guard !isMapped else {
      return Array(bytes.suffix(4).map(String.init).joined(separator: ".").utf8)
    }
    return Array(bytes.prefix(8))
  }
}
