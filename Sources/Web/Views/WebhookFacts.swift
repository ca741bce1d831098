import Foundation

/// Why Telegram could not be asked, or did not do what it was asked.
enum TelegramTrouble: Sendable, Equatable {
  enum Code: String, Sendable, CaseIterable {
    case token
    case notReached = "not_reached"
    case noAnswer = "no_answer"
    case moved, busy
  }

  case refused(String)
  case code(Code)

  func words(_ t: Strings) -> String {
    switch self {
    case .refused(let words): t("bot.trouble_refused", ["words": words])
    case .code(let code): t[.init("bot.trouble_\(code.rawValue)")]
    }
  }
}

/// What Telegram says of a bot's webhook, and what eStars thinks of that.
struct WebhookFacts: Sendable, Equatable {
  /// Where what Telegram does is not what the bot's mode says.
  enum Difference: String, Sendable, CaseIterable {
    /// It should call us and calls somebody else.
    case elsewhere
    /// It should call us and calls nobody.
    case nobody
    /// It calls us, though the bot is to forward by itself.
    case uninvited
    /// A change of the webhook was begun and its end is not known.
    case unfinished
    /// Kinds of updates that we need are not delivered.
    case kinds
  }

  /// Empty: Telegram calls nobody.
  var url: String
  /// `https://host` of it: an address may hold a token, so the rest is for owners alone.
  var host: String
  var isOurs: Bool
  var pending: Int
  var lastErrorAt: Date?
  var lastError: String?
  var allowedUpdates: [String]?
  var hasCertificate: Bool
  var differences: [Difference] = []
  /// The kinds that ``Difference/kinds`` speaks of.
  var missing: [String] = []

  func model(_ page: PageContext, showsAddress: Bool) -> [String: TemplateValue] {
    let (t, format) = (page.strings, page.format)
    return [
      "calls": .text(
        isOurs
          ? t["bot.calls_us"]
          : url.isEmpty ? t["bot.calls_nobody"] : t["bot.calls_other"]),
      "address": isOurs || url.isEmpty ? .none : .text(showsAddress ? url : host),
      "pending": .text(format.number(Int64(pending))),
      "error": .optional(lastError) { words in
        ["words": .text(words), "time": .optional(lastErrorAt.map(format.time))]
      },
      "kinds": .text(
        allowedUpdates.map { $0.joined(separator: ", ") } ?? t["bot.kinds_default"]),
      "certificate": hasCertificate && !isOurs ? .text(t["bot.certificate"]) : .none,
    ]
  }

  /// The differences in words.
  func warnings(_ page: PageContext) -> [String] {
    differences.map { difference in
      let key = Strings.Key("bot.difference_\(difference.rawValue)")
      return difference == .kinds
        ? page.strings(key, ["kinds": missing.joined(separator: ", ")]) : page.strings[key]
    }
  }
}

extension TemplateValue {
  fileprivate static func optional(_ value: TemplateValue?) -> TemplateValue { value ?? .none }
}
