/// Why a Bot API call gave no result. No case ever holds the token or an address.
public enum TelegramError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Telegram refused: nothing was done. `retryAfter` is in seconds, on 429 only.
  case api(code: Int, description: String, retryAfter: Int?)
  /// The request left, but no answer that settles it came back: a time-out, a dropped connection,
  /// a 5xx, a reply that cannot be read. It may have been carried out. Before repeating a call
  /// that moves Stars, look for its result.
  case unknownOutcome(reason: String)
  /// The request never reached Telegram. It may be repeated.
  case notSent(reason: String)

  public var description: String {
    switch self {
    case .api(let code, let description, let retryAfter):
      let wait = retryAfter.map { ", retry after \($0) s" } ?? ""
      return "Bot API \(code): \(description)\(wait)"
    case .unknownOutcome(let reason): return "Bot API outcome unknown: \(reason)"
    case .notSent(let reason): return "Bot API not reached: \(reason)"
    }
  }

  /// Whether a later try of the same call may succeed.
  public var isTransient: Bool {
    switch self {
    case .api(let code, _, _): code == 429
    case .unknownOutcome, .notSent: true
    }
  }

  /// The bare upper-case name Telegram's backend gave, such as `CHARGE_ALREADY_REFUNDED`.
  public var name: String? {
    guard case .api(_, let description, _) = self,
      let word = description.split(separator: " ").last,
      word.contains("_"), word.allSatisfy({ $0.isUppercase || $0 == "_" || $0.isNumber })
    else { return nil }
    return String(word)
  }

  /// `refundStarPayment` of a charge that is refunded already: on a retry this is success.
  public var isAlreadyRefunded: Bool { name == "CHARGE_ALREADY_REFUNDED" }

  /// The token is not, or no longer, a bot's.
  public var isUnauthorized: Bool {
    if case .api(401, _, _) = self { return true }
    return false
  }
}
