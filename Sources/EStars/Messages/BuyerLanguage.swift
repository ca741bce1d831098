import Foundation

/// The languages in which buyers are spoken to.
public enum BuyerLanguage: String, Sendable, CaseIterable {
  case en, es, ru
  case ptBR = "pt-br"

  /// The person's own language where it is one of ours, else the workspace's.
  ///
  /// - Parameters:
  ///   - languageCode: As Telegram gave it: `pt-br`, `en`, or nothing.
  ///   - locale: The workspace's, `pt-BR`.
  public init(of languageCode: String?, else locale: String) {
    self = Self.named(languageCode) ?? Self.named(locale) ?? .en
  }

  private static func named(_ code: String?) -> BuyerLanguage? {
    switch (code ?? "").lowercased().prefix(while: { $0 != "-" && $0 != "_" }) {
    case "en": .en
    case "pt": .ptBR
    case "es": .es
    case "ru": .ru
    default: nil
    }
  }

  public var locale: Locale {
    switch self {
    case .en: Locale(identifier: "en_GB")
    case .ptBR: Locale(identifier: "pt_BR")
    case .es: Locale(identifier: "es_ES")
    case .ru: Locale(identifier: "ru_RU")
    }
  }
}

/// The words for a number: `one` for 1, `few` and `many` where a language tells them apart.
struct CountedNoun: Sendable {
  let one: String
  let few: String
  let many: String

  init(_ one: String, _ many: String) { self.init(one, many, many) }

  init(_ one: String, _ few: String, _ many: String) {
    self.one = one
    self.few = few
    self.many = many
  }

  static func credits(_ language: BuyerLanguage) -> CountedNoun {
    switch language {
    case .en: CountedNoun("credit", "credits")
    case .ptBR: CountedNoun("crédito", "créditos")
    case .es: CountedNoun("crédito", "créditos")
    case .ru: CountedNoun("кредит", "кредита", "кредитов")
    }
  }

  static func days(_ language: BuyerLanguage) -> CountedNoun {
    switch language {
    case .en: CountedNoun("day", "days")
    case .ptBR: CountedNoun("dia", "dias")
    case .es: CountedNoun("día", "días")
    case .ru: CountedNoun("день", "дня", "дней")
    }
  }

  /// `1 500 credits`, as the language writes numbers.
  func text(_ count: Int64, _ language: BuyerLanguage) -> String {
    "\(count.formatted(.number.locale(language.locale))) \(word(count, language))"
  }

  private func word(_ count: Int64, _ language: BuyerLanguage) -> String {
    guard language == .ru else { return count == 1 ? one : many }
    switch (count % 10, count % 100) {
    case (_, 11...14): return many
    case (1, _): return one
    case (2...4, _): return few
    default: return many
    }
  }
}
