/// The words of a pack or a plan in another language than the one it was written in.
public struct ProductName: Sendable, Equatable {
  /// In Telegram's spelling: `en`, `pt-br`.
  public var language: String
  public var title: String
  public var description: String

  public init(language: String, title: String, description: String) {
    self.language = language
    self.title = title
    self.description = description
  }
}

extension [ProductName] {
  /// The words for a reader: of exactly this language, else of one that differs in the country.
  ///
  /// - Parameter language: As Telegram or a browser writes it; nil = as the product was written.
  func name(in language: String?) -> ProductName? {
    guard let tag = language.flatMap(PaywallText.tag) else { return nil }
    let base = tag.prefix(2)
    return first { $0.language == tag } ?? first { $0.language == base }
      ?? first { $0.language.prefix(2) == base }
  }
}
